#include "agent/kql/geo_shape.h"

#include <s2/s2error.h>
#include <s2/s2loop.h>

#include <map>

namespace picket::kql {
namespace {

// Points that repeat the one before are left out.
std::vector<S2Point> PointsOf(const GeoPath& path) {
  std::vector<S2Point> points;
  points.reserve(path.size());
  for (const GeoPoint& point : path) {
    const S2Point next = PointOf(point);
    if (points.empty() || !Same(points.back(), next)) points.push_back(next);
  }
  return points;
}

// A ring repeats its first point at its end.
std::unique_ptr<S2Loop> LoopOfRing(const GeoPath& ring) {
  std::vector<S2Point> points = PointsOf(ring);
  if (ring.size() < 4 || points.size() < 4 || !Same(points.front(), points.back())) return nullptr;
  points.pop_back();
  return LoopOf(points);
}

std::unique_ptr<S2Polygon> PolygonOfRings(const GeoRings& rings) {
  std::vector<std::unique_ptr<S2Loop>> loops;
  for (const GeoPath& ring : rings) {
    std::unique_ptr<S2Loop> loop = LoopOfRing(ring);
    if (!loop) return nullptr;
    loops.push_back(std::move(loop));
  }
  return PolygonOf(std::move(loops));
}

GeoPath RingOf(const S2Loop& loop) {
  GeoPath ring;
  for (int i = 0; i < loop.num_vertices(); ++i) {
    ring.push_back(GeoPointOf(loop.oriented_vertex(i)));
  }
  ring.push_back(ring.front());
  return ring;
}

}  // namespace

std::shared_ptr<const LineShape> ReadLineShape(std::string_view json) {
  const std::optional<std::vector<GeoPath>> paths = ReadGeoLines(json);
  if (!paths) return nullptr;
  auto lines = std::make_shared<LineShape>();
  for (const GeoPath& path : *paths) {
    auto line = std::make_unique<S2Polyline>(PointsOf(path), S2Debug::DISABLE);
    S2Error error;
    if (line->num_vertices() < 2 || line->FindValidationError(&error)) return nullptr;
    lines->push_back(std::move(line));
  }
  return lines;
}

std::unique_ptr<S2Loop> LoopOf(const std::vector<S2Point>& vertices) {
  if (vertices.size() < 3) return nullptr;
  auto loop = std::make_unique<S2Loop>();
  loop->set_s2debug_override(S2Debug::DISABLE);
  loop->Init(vertices);
  S2Error error;
  if (loop->FindValidationError(&error)) return nullptr;
  loop->Normalize();
  return loop;
}

std::unique_ptr<S2Polygon> PolygonOf(std::vector<std::unique_ptr<S2Loop>> loops) {
  auto polygon = std::make_unique<S2Polygon>();
  polygon->set_s2debug_override(S2Debug::DISABLE);
  polygon->InitNested(std::move(loops));
  S2Error error;
  if (polygon->FindValidationError(&error)) return nullptr;
  return polygon;
}

std::shared_ptr<const S2Polygon> ReadPolygonShape(std::string_view json) {
  const std::optional<std::vector<GeoRings>> read = ReadGeoPolygons(json);
  if (!read) return nullptr;
  std::vector<std::unique_ptr<S2Polygon>> polygons;
  for (const GeoRings& rings : *read) {
    polygons.push_back(PolygonOfRings(rings));
    if (!polygons.back()) return nullptr;
  }
  if (polygons.size() == 1) return std::move(polygons.front());
  return S2Polygon::DestructiveUnion(std::move(polygons));
}

GeoPath PathOf(const S2Polyline& line) {
  GeoPath path;
  for (const S2Point& vertex : line.vertices_span()) path.push_back(GeoPointOf(vertex));
  return path;
}

std::vector<GeoRings> RingsOf(const S2Polygon& polygon) {
  std::vector<GeoRings> polygons;
  std::map<int, std::size_t> shells;  // place in `polygons` by loop
  for (int i = 0; i < polygon.num_loops(); ++i) {
    const S2Loop& loop = *polygon.loop(i);
    if (loop.is_empty_or_full()) continue;
    if (!loop.is_hole()) {
      shells.emplace(i, polygons.size());
      polygons.emplace_back();
    }
    polygons[shells[loop.is_hole() ? polygon.GetParent(i) : i]].push_back(RingOf(loop));
  }
  return polygons;
}

std::string LineShapeJson(const LineShape& lines) {
  if (lines.empty()) return GeoCollectionJson({});
  std::vector<GeoPath> paths;
  for (const auto& line : lines) paths.push_back(PathOf(*line));
  return GeoLinesJson(paths);
}

std::string PolygonShapeJson(const S2Polygon& polygon) {
  const std::vector<GeoRings> polygons = RingsOf(polygon);
  return polygons.empty() ? GeoCollectionJson({}) : GeoPolygonsJson(polygons);
}

}  // namespace picket::kql
