// evaluate geo_polygon_lookup and geo_line_lookup: each row with the shapes that hold its point or
// are near it.

#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shapes.h"
#include "agent/kql/lookup.h"

namespace picket::kql {
namespace {

class GeoLookup final : public TableLookup {
 public:
  GeoLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state)
      : TableLookup(plan, std::move(left), std::move(right), state),
        shapes_(MakeShapeSet(plan.plugin.lines ? ShapeSet::Of::kLines : ShapeSet::Of::kPolygons,
                             plan.plugin.radius)) {}

 protected:
  void Hold(const Arguments& keys, std::size_t rows, std::uint32_t batch) override {
    for (std::uint32_t row = 0; row < rows; ++row) {
      const bool known = !keys[0]->IsNull(row);
      if (known && shapes_->Add(keys[0]->Text(row))) places_.push_back({batch, row});
    }
  }

  void Find(const Arguments& keys, std::size_t row, std::vector<Place>& found) override {
    const std::optional<GeoPoint> point = PointAt(keys, 0, row);
    if (!point) return;
    for (const std::size_t shape : shapes_->Near(*point)) found.push_back(places_[shape]);
  }

 private:
  std::unique_ptr<ShapeSet> shapes_;
  std::vector<Place> places_;  // of the shapes
};

}  // namespace

OperatorPtr MakeGeoLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state) {
  return std::make_unique<GeoLookup>(plan, std::move(left), std::move(right), state);
}

}  // namespace picket::kql
