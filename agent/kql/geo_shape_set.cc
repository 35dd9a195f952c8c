#include <s2/mutable_s2shape_index.h>
#include <s2/s2closest_edge_query.h>

#include <set>

#include "agent/kql/geo_shape.h"
#include "agent/kql/geo_shapes.h"

namespace picket::kql {
namespace {

class IndexedShapes final : public ShapeSet {
 public:
  IndexedShapes(Of of, double radius) : of_(of), query_(&index_) {
    query_.mutable_options()->set_inclusive_max_distance(S1ChordAngle(AngleOf(radius)));
  }

  bool Add(std::string_view json) override {
    if (of_ == Of::kPolygons) {
      std::shared_ptr<const S2Polygon> polygon = ReadPolygonShape(json);
      if (!polygon) return false;
      index_.Add(std::make_unique<S2Polygon::Shape>(polygon.get()));
      numbers_.push_back(shapes_.size());
      shapes_.push_back(std::move(polygon));
    } else {
      std::shared_ptr<const LineShape> lines = ReadLineShape(json);
      if (!lines) return false;
      for (const auto& line : *lines) {
        index_.Add(std::make_unique<S2Polyline::Shape>(line.get()));
        numbers_.push_back(shapes_.size());
      }
      shapes_.push_back(std::move(lines));
    }
    query_.ReInit();
    return true;
  }

  std::vector<std::size_t> Near(const GeoPoint& point) override {
    S2ClosestEdgeQuery::PointTarget target(PointOf(point));
    std::set<std::size_t> near;
    for (const auto& result : query_.FindClosestEdges(&target)) {
      near.insert(numbers_[static_cast<std::size_t>(result.shape_id())]);
    }
    return {near.begin(), near.end()};
  }

 private:
  const Of of_;
  std::vector<std::shared_ptr<const void>> shapes_;  // which the index points to
  std::vector<std::size_t> numbers_;                 // by the index's own
  MutableS2ShapeIndex index_;
  S2ClosestEdgeQuery query_;
};

}  // namespace

std::unique_ptr<ShapeSet> MakeShapeSet(ShapeSet::Of of, double radius) {
  return std::make_unique<IndexedShapes>(of, radius);
}

}  // namespace picket::kql
