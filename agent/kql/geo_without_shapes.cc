// A build without S2 has no geospatial functions of lines, polygons and S2 cells.

#include "agent/kql/geo_shapes.h"
#include "agent/kql/kernel.h"

namespace picket::kql {

bool HasGeoShapes() { return false; }

FunctionList GeoShapeFunctions() { return {}; }

std::unique_ptr<ShapeSet> MakeShapeSet(ShapeSet::Of, double) { return nullptr; }

}  // namespace picket::kql
