#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "agent/kql/geo_json.h"

namespace picket::kql {

// Whether this build has S2 and so the geospatial functions of lines, polygons and S2 cells.
bool HasGeoShapes();

// Shapes among which those near a point are found.
class ShapeSet {
 public:
  enum class Of { kLines, kPolygons };
  virtual ~ShapeSet() = default;
  // GeoJSON; false when it is no valid shape, which is then left out.
  virtual bool Add(std::string_view json) = 0;
  // The numbers, from 0, of the shapes that hold the point or are within the radius, ascending.
  [[nodiscard]] virtual std::vector<std::size_t> Near(const GeoPoint& point) = 0;
};
// The radius in metres, 0 or more. nullptr in a build without S2.
std::unique_ptr<ShapeSet> MakeShapeSet(ShapeSet::Of of, double radius);

}  // namespace picket::kql
