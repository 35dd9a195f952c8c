// Lines and polygons whose edges are straight on a map of longitude and latitude, with points added
// until edges on the sphere come near enough.

#include <s2/s2edge_tessellator.h>
#include <s2/s2projections.h>

#include <cmath>

#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

constexpr double kUsualTolerance = 10;  // metres
constexpr double kLeastTolerance = 0.1;
constexpr double kMostTolerance = 10'000;
// Where shapes that cross the antimeridian are cut.
constexpr double kEast = 179.999999999999;

// Degrees as they are: unlike S2's own it goes from 170 to -170 through 0, since those who mean the
// short way write 190.
class DegreeMap final : public S2::Projection {
 public:
  [[nodiscard]] R2Point Project(const S2Point& point) const override {
    return FromLatLng(S2LatLng(point));
  }
  [[nodiscard]] S2Point Unproject(const R2Point& point) const override {
    return ToLatLng(point).ToPoint();
  }
  [[nodiscard]] R2Point FromLatLng(const S2LatLng& place) const override {
    return {place.lng().degrees(), place.lat().degrees()};
  }
  [[nodiscard]] S2LatLng ToLatLng(const R2Point& point) const override {
    return S2LatLng::FromDegrees(point.y(), std::remainder(point.x(), 360));
  }
  [[nodiscard]] R2Point wrap_distance() const override { return {0, 0}; }
};

// Empty when there would be too many.
std::vector<S2Point> Densified(const GeoPath& path, S1Angle tolerance) {
  static const DegreeMap map;
  const S2EdgeTessellator tessellator(&map, tolerance);
  std::vector<S2Point> points;
  for (std::size_t i = 1; i < path.size(); ++i) {
    const R2Point from(path[i - 1].longitude, path[i - 1].latitude);
    const R2Point to(path[i].longitude, path[i].latitude);
    if (from.x() == to.x() && from.y() == to.y()) continue;
    tessellator.AppendUnprojected(from, to, &points);
    if (points.size() > kMostGeoPoints) return {};
  }
  return points;
}

bool CrossesAntimeridian(const GeoPoint& from, const GeoPoint& to) {
  return std::abs(to.longitude - from.longitude) > 180;
}

// Where the edge crosses it, in degrees.
double LatitudeOfCrossing(const GeoPoint& from, const GeoPoint& to) {
  const S2Point normal = PointOf(from).CrossProd(PointOf(to));
  const S2Point crossing = normal.CrossProd(S2Point(0, 1, 0));
  const double latitude = S2LatLng::Latitude(crossing).degrees();
  return crossing.x() > 0 ? -latitude : latitude;
}

// The line's parts on either side of the antimeridian.
std::vector<GeoPath> CutLine(const GeoPath& path) {
  std::vector<GeoPath> parts(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (i > 0 && CrossesAntimeridian(path[i - 1], path[i])) {
      const double latitude = LatitudeOfCrossing(path[i - 1], path[i]);
      const double side = std::copysign(kEast, path[i - 1].longitude);
      parts.back().push_back({side, latitude});
      parts.emplace_back().push_back({-side, latitude});
    }
    parts.back().push_back(path[i]);
  }
  return parts;
}

// The same of a polygon: what is left without a sliver along the antimeridian.
std::unique_ptr<S2Polygon> CutPolygon(const S2Polygon& polygon) {
  const auto sliver = PolygonOf([] {
    std::vector<std::unique_ptr<S2Loop>> loops;
    loops.push_back(
        LoopOf({PointOf({0, -90}), PointOf({-kEast, 0}), PointOf({0, 90}), PointOf({kEast, 0})}));
    return loops;
  }());
  auto cut = std::make_unique<S2Polygon>();
  cut->set_s2debug_override(S2Debug::DISABLE);
  cut->InitToDifference(polygon, *sliver);
  return cut;
}

bool CrossesAntimeridian(const S2Polygon& polygon) {
  for (int i = 0; i < polygon.num_loops(); ++i) {
    const S2Loop& loop = *polygon.loop(i);
    for (int j = 0; j < loop.num_vertices(); ++j) {
      if (CrossesAntimeridian(GeoPointOf(loop.vertex(j)), GeoPointOf(loop.vertex(j + 1)))) {
        return true;
      }
    }
  }
  return false;
}

std::unique_ptr<S2Polygon> DensifiedPolygon(const GeoRings& rings, S1Angle tolerance) {
  std::vector<std::unique_ptr<S2Loop>> loops;
  for (const GeoPath& ring : rings) {
    std::vector<S2Point> points = Densified(ring, tolerance);
    if (points.size() < 4 || !Same(points.front(), points.back())) return nullptr;
    points.pop_back();
    loops.push_back(LoopOf(points));
    if (!loops.back()) return nullptr;
  }
  return PolygonOf(std::move(loops));
}

std::optional<S1Angle> ToleranceAt(const Arguments& a, std::size_t row) {
  const std::optional<double> metres = NumberAt(a, 1, row, kUsualTolerance);
  if (!metres || *metres < kLeastTolerance || *metres > kMostTolerance) return std::nullopt;
  return AngleOf(*metres);
}

std::string_view JsonAt(const Column& column, std::size_t row) {
  return column.IsNull(row) || column.type != Type::kDynamic ? "null" : column.Text(row);
}

// geo_line_densify(line, metres, preserve_crossing)
ColumnPtr LineDensify(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const auto lines = ReadGeoLines(JsonAt(*a[0], row), Longitudes::kAny);
    const std::optional<S1Angle> tolerance = ToleranceAt(a, row);
    if (!lines || !tolerance) return out.Null();
    std::vector<GeoPath> all;
    for (const GeoPath& line : *lines) {
      GeoPath path;
      for (const S2Point& point : Densified(line, *tolerance)) path.push_back(GeoPointOf(point));
      if (path.size() < 2) return out.Null();
      if (FlagAt(a, 2, row)) {
        all.push_back(std::move(path));
        continue;
      }
      for (GeoPath& part : CutLine(path)) all.push_back(std::move(part));
    }
    out.Text(GeoLinesJson(all));
  });
}

// geo_polygon_densify(polygon, metres, preserve_crossing)
ColumnPtr PolygonDensify(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const auto polygons = ReadGeoPolygons(JsonAt(*a[0], row), Longitudes::kAny);
    const std::optional<S1Angle> tolerance = ToleranceAt(a, row);
    if (!polygons || !tolerance) return out.Null();
    std::vector<GeoRings> all;
    for (const GeoRings& rings : *polygons) {
      std::unique_ptr<S2Polygon> polygon = DensifiedPolygon(rings, *tolerance);
      if (!polygon) return out.Null();
      if (!FlagAt(a, 2, row) && CrossesAntimeridian(*polygon)) polygon = CutPolygon(*polygon);
      for (GeoRings& part : RingsOf(*polygon)) all.push_back(std::move(part));
    }
    out.Text(GeoPolygonsJson(all));
  });
}

}  // namespace

FunctionList GeoDensifyFunctions() {
  return Declare({
      {"geo_line_densify(lineString: bag, tolerance: number?, preserve_crossing: flag?): dynamic",
       &LineDensify},
      {"geo_polygon_densify(polygon: bag, tolerance: number?, preserve_crossing: flag?): dynamic",
       &PolygonDensify},
  });
}

}  // namespace picket::kql
