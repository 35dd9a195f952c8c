// The geospatial functions that need S2; geo_without_shapes.cc takes this file's place without it.

#include <s2/s2debug.h>

#include "agent/kql/geo_shapes.h"
#include "agent/kql/kernel.h"

namespace picket::kql {

bool HasGeoShapes() { return true; }

FunctionList GeoShapeFunctions() {
  // Debian's S2 is built with its checks on, which end the process over an invalid shape. Ours are
  // checked before, and invalid ones are null.
  FLAGS_s2debug = false;
  FunctionList all;
  for (const FunctionList& part :
       {GeoBufferFunctions(), GeoDensifyFunctions(), GeoH3CoverFunctions(),
        GeoIntersectionFunctions(), GeoLineFunctions(), GeoPolygonFunctions(),
        GeoS2CellFunctions()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace picket::kql
