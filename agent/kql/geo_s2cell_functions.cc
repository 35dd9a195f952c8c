// Cells of the S2 hierarchy, by their tokens. What is no token gives null.

#include <s2/s2cap.h>
#include <s2/s2cell.h>
#include <s2/s2cell_id.h>
#include <s2/s2metrics.h>
#include <s2/s2shape_index_buffered_region.h>
#include <s2/s2shape_index_region.h>

#include <algorithm>

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/geo_combine.h"
#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

constexpr int kUsualLevel = 11;
constexpr std::size_t kMostToken = 16;      // characters
constexpr std::size_t kMostCells = 65'536;  // of a covering

std::string TokensJson(const std::vector<S2CellId>& cells) {
  JsonArray json;
  for (const S2CellId cell : cells) json.Add(QuoteJson(cell.ToToken()));
  return json.Text();
}

// geo_point_to_s2cell(longitude, latitude, level)
ColumnPtr PointToS2Cell(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> point = PointAt(a, 0, row);
    const std::optional<int> level = LevelAt(a, 2, row, kUsualLevel, 0, S2CellId::kMaxLevel);
    if (!point || !level) return out.Null();
    out.Text(S2CellId(PointOf(*point)).parent(*level).ToToken());
  });
}

// f(cell) → the JSON of the row.
template <class F>
ColumnPtr MapCells(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::string_view token = TextView(*a[0], row, buffer);
    if (token.empty() || token.size() > kMostToken) return out.Null();
    const S2CellId cell = S2CellId::FromToken({token.data(), token.size()});
    if (!cell.is_valid()) return out.Null();
    out.Text(f(cell));
  });
}

ColumnPtr S2CellToCentralPoint(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(a, rows, [](S2CellId cell) { return GeoPointJson(GeoPointOf(cell.ToPoint())); });
}

ColumnPtr S2CellToPolygon(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(a, rows, [](S2CellId id) {
    const S2Cell cell(id);
    GeoPath shell;
    for (int i = 0; i <= 4; ++i) shell.push_back(GeoPointOf(cell.GetVertex(i)));
    return GeoPolygonsJson({{shell}});
  });
}

// Of the same level, in the order in which the recorded engine has them.
ColumnPtr S2CellNeighbors(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(a, rows, [](S2CellId cell) {
    std::vector<S2CellId> around;
    cell.AppendAllNeighbors(cell.level(), &around);
    if (around.size() != 8) return TokensJson(around);
    std::vector<S2CellId> ordered;
    for (const std::size_t i : {7U, 5U, 4U, 2U, 6U, 1U, 3U, 0U}) ordered.push_back(around[i]);
    return TokensJson(ordered);
  });
}

// The region's cells of the level, in their order; none when there are too many, or when the run
// is stopped: a covering may take seconds.
class Covering {
 public:
  Covering(const S2Region& region, int level, const Arguments& call)
      : region_(region), level_(level), call_(call) {}

  std::optional<std::vector<S2CellId>> Find() {
    for (int face = 0; face < 6; ++face) {
      if (!Visit(S2CellId::FromFace(face))) return std::nullopt;
    }
    return std::move(cells_);
  }

 private:
  // False when there are too many, or at a stop.
  bool Visit(S2CellId id) {
    if (call_.Stopped()) return false;
    const S2Cell cell(id);
    if (!region_.MayIntersect(cell)) return true;
    if (id.level() < level_ && !region_.Contains(cell)) {
      for (S2CellId child = id.child_begin(); child != id.child_end(); child = child.next()) {
        if (!Visit(child)) return false;
      }
      return true;
    }
    if (level_ - id.level() > 8) return false;  // 4^8 are the most
    const S2CellId end = id.child_end(level_);
    for (S2CellId part = id.child_begin(level_); part != end; part = part.next()) {
      cells_.push_back(part);
    }
    return cells_.size() <= kMostCells;
  }

  const S2Region& region_;
  const int level_;
  const Arguments& call_;
  std::vector<S2CellId> cells_;
};

void Cover(const Arguments& call, ColumnBuilder& out, const S2Region& region, int level) {
  const std::optional<std::vector<S2CellId>> cells = Covering(region, level, call).Find();
  if (!cells) return out.Null();
  out.Text(TokensJson(*cells));
}

// What is to be covered. `area` (of the unit sphere): no more than the shape has.
struct Coverable {
  const S2ShapeIndex* index = nullptr;
  double area = 0;
};

// Level and radius from the second argument on; shape(row): a Coverable, without an index for none.
template <class F>
ColumnPtr MapCoverings(const Arguments& a, std::size_t rows, F shape) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<int> level = LevelAt(a, 1, row, kUsualLevel, 0, S2CellId::kMaxLevel);
    const std::optional<double> radius = NumberAt(a, 2, row, 0);
    const Coverable what = shape(row);
    if (what.index == nullptr || !level || !radius || *radius < 0) return out.Null();
    const S1Angle around = AngleOf(*radius);
    if (around > S1Angle::Degrees(180)) return out.Null();
    // Too many cells, which need not be visited to know it.
    const double area = std::max(what.area, S2Cap(S2Point(1, 0, 0), around).GetArea());
    if (area > static_cast<double>(kMostCells) * S2::kMaxArea.GetValue(*level)) return out.Null();
    if (*radius == 0) return Cover(a, out, MakeS2ShapeIndexRegion(what.index), *level);
    Cover(a, out, S2ShapeIndexBufferedRegion(what.index, S1ChordAngle(around)), *level);
  });
}

ColumnPtr PolygonToS2Cells(const EvalContext&, const Arguments& a, std::size_t rows) {
  PolygonColumn polygons(a[0]);
  return MapCoverings(a, rows, [&](std::size_t row) {
    const S2Polygon* polygon = polygons.At(row);
    return polygon == nullptr ? Coverable{} : Coverable{&polygon->index(), polygon->GetArea()};
  });
}

ColumnPtr LineToS2Cells(const EvalContext&, const Arguments& a, std::size_t rows) {
  LineColumn lines(a[0]);
  std::unique_ptr<MutableS2ShapeIndex> index;
  return MapCoverings(a, rows, [&](std::size_t row) {
    const LineShape* shape = lines.At(row);
    if (shape == nullptr) return Coverable{};
    index = IndexOf(*shape);
    return Coverable{index.get()};
  });
}

}  // namespace

FunctionList GeoS2CellFunctions() {
  return Declare({
      {"geo_line_to_s2cells(lineString: bag, level: number?, radius: number?): dynamic",
       &LineToS2Cells},
      {"geo_point_to_s2cell(longitude: number, latitude: number, level: number?): string",
       &PointToS2Cell},
      {"geo_polygon_to_s2cells(polygon: bag, level: number?, radius: number?): dynamic",
       &PolygonToS2Cells},
      {"geo_s2cell_neighbors(s2cell: string): dynamic", &S2CellNeighbors},
      {"geo_s2cell_to_central_point(s2cell: string): dynamic", &S2CellToCentralPoint},
      {"geo_s2cell_to_polygon(s2cell: string): dynamic", &S2CellToPolygon},
  });
}

}  // namespace picket::kql
