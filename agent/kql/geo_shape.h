#pragma once

#include <s2/s1angle.h>
#include <s2/s2latlng.h>
#include <s2/s2point.h>
#include <s2/s2polygon.h>
#include <s2/s2polyline.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/column.h"
#include "agent/kql/geo_json.h"

namespace picket::kql {

// Shapes on the sphere, as S2 has them: what the geospatial functions compute with. Only geo_*.cc
// files that are built where S2 is (see CMakeLists.txt) include this.

// Memory that one operation of S2 may take; what needs more gives no result.
inline constexpr std::int64_t kMostShapeBytes = std::int64_t{256} << 20;

// The sphere that Kusto measures on, and S2Earth.
inline constexpr double kEarthRadius = 6371010;  // metres
inline double Metres(S1Angle angle) { return angle.radians() * kEarthRadius; }
inline S1Angle AngleOf(double metres) { return S1Angle::Radians(metres / kEarthRadius); }

inline S2Point PointOf(const GeoPoint& point) {
  return S2LatLng::FromDegrees(point.latitude, point.longitude).ToPoint();
}
// S2Point's own == is ambiguous to clang in C++20.
inline bool Same(const S2Point& p, const S2Point& q) {
  return p.x() == q.x() && p.y() == q.y() && p.z() == q.z();
}
inline GeoPoint GeoPointOf(const S2Point& point) {
  const S2LatLng place(point);
  return {place.lng().degrees(), place.lat().degrees()};
}

// Each line has two points or more, no two that follow each other the same or opposite.
using LineShape = std::vector<std::unique_ptr<S2Polyline>>;
// nullptr for what is no valid line or polygon. Several polygons become their union.
std::shared_ptr<const LineShape> ReadLineShape(std::string_view json);
std::shared_ptr<const S2Polygon> ReadPolygonShape(std::string_view json);

// The shapes of a column of GeoJSON; a constant one is read once.
template <class Shape>
class ShapeColumn {
 public:
  using Read = std::shared_ptr<const Shape> (*)(std::string_view json);
  ShapeColumn(const Column& column, Read read) : column_(column), read_(read) {}

  // nullptr where there is none; valid until the next call.
  const Shape* At(std::size_t row) {
    if (column_.constant && known_) return shape_.get();
    known_ = true;
    const bool dynamic = column_.type == Type::kDynamic && !column_.IsNull(row);
    shape_ = dynamic ? read_(column_.Text(row)) : nullptr;
    return shape_.get();
  }

 private:
  const Column& column_;
  const Read read_;
  std::shared_ptr<const Shape> shape_;
  bool known_ = false;
};
class LineColumn : public ShapeColumn<LineShape> {
 public:
  explicit LineColumn(const ColumnPtr& column) : ShapeColumn(*column, &ReadLineShape) {}
};
class PolygonColumn : public ShapeColumn<S2Polygon> {
 public:
  explicit PolygonColumn(const ColumnPtr& column) : ShapeColumn(*column, &ReadPolygonShape) {}
};

// Of a ring of vertices (the last is the first's neighbour): the smaller of the two areas that it
// bounds; nullptr when it crosses itself or has fewer than three.
std::unique_ptr<S2Loop> LoopOf(const std::vector<S2Point>& vertices);
// Of loops that do not cross; nullptr when they do.
std::unique_ptr<S2Polygon> PolygonOf(std::vector<std::unique_ptr<S2Loop>> loops);

// A line's points.
GeoPath PathOf(const S2Polyline& line);
// Shells, each with its holes; holes are clockwise.
std::vector<GeoRings> RingsOf(const S2Polygon& polygon);
// JSON; of no lines or no area: an empty collection.
std::string LineShapeJson(const LineShape& lines);
std::string PolygonShapeJson(const S2Polygon& polygon);

}  // namespace picket::kql
