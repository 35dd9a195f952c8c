#include "agent/kql/geo_combine.h"

#include <s2/s2boolean_operation.h>
#include <s2/s2builder.h>
#include <s2/s2builderutil_closed_set_normalizer.h>
#include <s2/s2builderutil_s2point_vector_layer.h>
#include <s2/s2builderutil_s2polygon_layer.h>
#include <s2/s2builderutil_s2polyline_vector_layer.h>
#include <s2/s2builderutil_snap_functions.h>
#include <s2/s2error.h>
#include <s2/s2memory_tracker.h>

namespace picket::kql {
namespace {

using s2builderutil::IdentitySnapFunction;
using s2builderutil::LayerVector;
using s2builderutil::S2PointVectorLayer;
using s2builderutil::S2PolygonLayer;
using s2builderutil::S2PolylineVectorLayer;

S2PolylineVectorLayer::Options LineOptions() {
  S2PolylineVectorLayer::Options options;
  options.set_edge_type(S2Builder::EdgeType::UNDIRECTED);
  options.set_polyline_type(S2Builder::Graph::PolylineType::WALK);
  options.set_duplicate_edges(S2Builder::GraphOptions::DuplicateEdges::MERGE);
  options.set_s2debug_override(S2Debug::DISABLE);
  return options;
}

S2BooleanOperation::Options ClosedShapes() {
  S2BooleanOperation::Options options;
  options.set_polygon_model(S2BooleanOperation::PolygonModel::CLOSED);
  options.set_polyline_model(S2BooleanOperation::PolylineModel::CLOSED);
  return options;
}

struct Parts {
  std::vector<S2Point> points;
  LineShape lines;
  S2Polygon polygon;
};

// What the operation gives, by dimension.
bool Combine(S2BooleanOperation::OpType type, const S2ShapeIndex& a, const S2ShapeIndex& b,
             Parts& parts) {
  S2MemoryTracker tracker;
  tracker.set_limit_bytes(kMostShapeBytes);
  S2BooleanOperation::Options options = ClosedShapes();
  options.set_memory_tracker(&tracker);
  LayerVector layers(3);
  layers[0] = std::make_unique<S2PointVectorLayer>(&parts.points);
  layers[1] = std::make_unique<S2PolylineVectorLayer>(&parts.lines, LineOptions());
  layers[2] = std::make_unique<S2PolygonLayer>(&parts.polygon);
  S2BooleanOperation operation(type, s2builderutil::NormalizeClosedSet(std::move(layers)), options);
  S2Error error;
  return operation.Build(a, b, &error);
}

S2Builder::Options SimplifyOptions(S1Angle tolerance, S2MemoryTracker& tracker) {
  S2Builder::Options options{IdentitySnapFunction(tolerance)};
  options.set_simplify_edge_chains(true);
  tracker.set_limit_bytes(kMostShapeBytes);
  options.set_memory_tracker(&tracker);
  return options;
}

}  // namespace

std::unique_ptr<MutableS2ShapeIndex> IndexOf(const LineShape& lines) {
  auto index = std::make_unique<MutableS2ShapeIndex>();
  for (const auto& line : lines) index->Add(std::make_unique<S2Polyline::Shape>(line.get()));
  return index;
}

bool Intersect(const S2ShapeIndex& a, const S2ShapeIndex& b) {
  return S2BooleanOperation::Intersects(a, b, ClosedShapes());
}

std::optional<std::string> Intersection(const S2ShapeIndex& a, const S2ShapeIndex& b) {
  Parts parts;
  if (!Combine(S2BooleanOperation::OpType::INTERSECTION, a, b, parts)) return std::nullopt;
  std::vector<std::string> shapes;
  for (const S2Point& point : parts.points) shapes.push_back(GeoPointJson(GeoPointOf(point)));
  if (!parts.lines.empty()) shapes.push_back(LineShapeJson(parts.lines));
  if (!parts.polygon.is_empty()) shapes.push_back(PolygonShapeJson(parts.polygon));
  return shapes.size() == 1 ? shapes.front() : GeoCollectionJson(shapes);
}

std::optional<LineShape> UnionOf(const LineShape& lines) {
  Parts parts;
  const MutableS2ShapeIndex nothing;
  if (!Combine(S2BooleanOperation::OpType::UNION, *IndexOf(lines), nothing, parts)) {
    return std::nullopt;
  }
  return std::move(parts.lines);
}

std::optional<LineShape> Simplified(const LineShape& lines, S1Angle tolerance) {
  S2MemoryTracker tracker;
  S2Builder builder(SimplifyOptions(tolerance, tracker));
  LineShape simplified;
  builder.StartLayer(std::make_unique<S2PolylineVectorLayer>(&simplified, LineOptions()));
  for (const auto& line : lines) builder.AddPolyline(*line);
  S2Error error;
  if (!builder.Build(&error)) return std::nullopt;
  return simplified;
}

std::unique_ptr<S2Polygon> Simplified(const S2Polygon& polygon, S1Angle tolerance) {
  const std::shared_ptr<const S2Polygon> borrowed(&polygon, [](const S2Polygon*) {});
  std::vector<std::unique_ptr<S2Polygon>> one = Simplified({borrowed}, tolerance);
  return one.empty() ? nullptr : std::move(one.front());
}

std::vector<std::unique_ptr<S2Polygon>> Simplified(
    const std::vector<std::shared_ptr<const S2Polygon>>& polygons, S1Angle tolerance) {
  S2MemoryTracker tracker;
  S2Builder builder(SimplifyOptions(tolerance, tracker));
  std::vector<std::unique_ptr<S2Polygon>> simplified;
  for (const auto& polygon : polygons) {
    simplified.push_back(std::make_unique<S2Polygon>());
    builder.StartLayer(std::make_unique<S2PolygonLayer>(simplified.back().get()));
    builder.AddPolygon(*polygon);
  }
  S2Error error;
  if (!builder.Build(&error)) return {};
  for (const auto& polygon : simplified) {
    if (polygon->is_empty()) return {};
  }
  return simplified;
}

S1Angle MostTolerance() { return S2Builder::SnapFunction::kMaxSnapRadius(); }

}  // namespace picket::kql
