// geo_polygon_to_h3cells: the cells of one level whose centres are in a polygon.

#include <algorithm>
#include <cmath>
#include <set>

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/geo_combine.h"
#include "agent/kql/geo_h3.h"
#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

constexpr int kUsualLevel = 6;
constexpr std::size_t kMostCells = 61'680;
constexpr double kMostSteps = 1'000'000;  // along the edges

// H3 takes edges as straight on a map of longitude and latitude. A polygon across the antimeridian
// is moved to where it is whole.
class MapPolygon {
 public:
  explicit MapPolygon(const GeoRings& rings) : rings_(rings) {
    for (const GeoPath& ring : rings_) {
      for (std::size_t i = 1; i < ring.size(); ++i) {
        across_ = across_ || std::abs(ring[i].longitude - ring[i - 1].longitude) > 180;
      }
    }
    for (GeoPath& ring : rings_) {
      for (GeoPoint& point : ring) point = Moved(point);
    }
  }

  // By the edges west of the point: an odd number of them.
  [[nodiscard]] bool Holds(const GeoPoint& at) const {
    const GeoPoint point = Moved(at);
    bool inside = false;
    for (const GeoPath& ring : rings_) {
      for (std::size_t i = 1; i < ring.size(); ++i) {
        const GeoPoint& a = ring[i - 1];
        const GeoPoint& b = ring[i];
        if ((a.latitude > point.latitude) == (b.latitude > point.latitude)) continue;
        const double part = (point.latitude - a.latitude) / (b.latitude - a.latitude);
        if (point.longitude > a.longitude + part * (b.longitude - a.longitude)) inside = !inside;
      }
    }
    return inside;
  }

  // f(point) for points along the edges, no further apart than `step` degrees. False when there are
  // too many, or when f says so.
  template <class F>
  bool Along(double step, F f) const {
    double steps = 0;
    for (const GeoPath& ring : rings_) {
      for (std::size_t i = 1; i < ring.size(); ++i) {
        const double east = ring[i].longitude - ring[i - 1].longitude;
        const double north = ring[i].latitude - ring[i - 1].latitude;
        const double parts = std::ceil(std::hypot(east, north) / step) + 1;
        steps += parts;
        if (steps > kMostSteps) return false;
        for (int part = 0; part < static_cast<int>(parts); ++part) {
          const double way = part / parts;
          const GeoPoint at{std::remainder(ring[i - 1].longitude + east * way, 360),
                            ring[i - 1].latitude + north * way};
          if (!f(at)) return false;
        }
      }
    }
    return true;
  }

 private:
  [[nodiscard]] GeoPoint Moved(GeoPoint point) const {
    if (across_ && point.longitude < 0) point.longitude += 360;
    return point;
  }

  GeoRings rings_;
  bool across_ = false;
};

// False when there are too many, or at a stop. From the cells along the edges inwards.
bool AddCells(const Arguments& call, const GeoRings& rings, int level, std::set<H3Cell>& inside) {
  const MapPolygon polygon(rings);
  // Less than half of the way between the cells' centres, which is 19° or more on level 0.
  const double step = 8 / std::pow(std::sqrt(7.0), level);
  std::set<H3Cell> edge;
  const auto along = [&](const GeoPoint& at) {
    edge.insert(H3CellAt(at, level));
    return !call.Stopped();
  };
  if (!polygon.Along(step, along)) return false;
  std::vector<H3Cell> next;
  const auto look = [&](H3Cell cell) {
    if (polygon.Holds(H3Center(cell)) && inside.insert(cell).second) next.push_back(cell);
  };
  for (const H3Cell cell : edge) {
    if (call.Stopped()) return false;
    for (const std::vector<H3Cell>& ring : H3Rings(cell, 1)) {
      for (const H3Cell near : ring) look(near);
    }
  }
  while (!next.empty() && inside.size() <= kMostCells) {
    if (call.Stopped()) return false;
    const H3Cell cell = next.back();
    next.pop_back();
    const std::vector<std::vector<H3Cell>> rings_around = H3Rings(cell, 1);
    for (const H3Cell near : rings_around[1]) look(near);
  }
  return inside.size() <= kMostCells;
}

// geo_polygon_to_h3cells(polygon, resolution, radius)
ColumnPtr PolygonToH3Cells(const EvalContext&, const Arguments& a, std::size_t rows) {
  PolygonColumn polygons(a[0]);
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const S2Polygon* polygon = polygons.At(row);
    const std::optional<int> level = LevelAt(a, 1, row, kUsualLevel, 0, kMostH3Level);
    const std::optional<double> radius = NumberAt(a, 2, row, 0);
    if (polygon == nullptr || !level || !radius || *radius < 0) return out.Null();
    std::unique_ptr<S2Polygon> larger;
    if (*radius > 0) larger = Buffered(*polygon, *radius);
    if (*radius > 0 && !larger) return out.Null();
    std::set<H3Cell> cells;
    for (const GeoRings& rings : RingsOf(larger ? *larger : *polygon)) {
      if (!AddCells(a, rings, *level, cells)) return out.Null();
    }
    JsonArray json;
    for (const H3Cell cell : cells) json.Add(QuoteJson(H3Text(cell)));
    out.Text(json.Text());
  });
}

}  // namespace

FunctionList GeoH3CoverFunctions() {
  return Declare(
      {{"geo_polygon_to_h3cells(polygon: bag, resolution: number?, radius: number?): "
        "dynamic",
        &PolygonToH3Cells}});
}

}  // namespace picket::kql
