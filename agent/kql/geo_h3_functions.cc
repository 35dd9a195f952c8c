// Cells of the H3 grid, by their tokens. What is no token gives null.

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/geo_h3.h"
#include "agent/kql/geo_kernel.h"

namespace picket::kql {
namespace {

constexpr int kUsualLevel = 6;
constexpr int kMostDistance = 142;  // of rings
constexpr int kMostLevelsOfChildren = 5;

std::string TokensJson(const std::vector<H3Cell>& cells) {
  JsonArray json;
  for (const H3Cell cell : cells) json.Add(QuoteJson(H3Text(cell)));
  return json.Text();
}

// geo_point_to_h3cell(longitude, latitude, resolution)
ColumnPtr PointToH3Cell(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> point = PointAt(a, 0, row);
    const std::optional<int> level = LevelAt(a, 2, row, kUsualLevel, 0, kMostH3Level);
    if (!point || !level) return out.Null();
    out.Text(H3Text(H3CellAt(*point, *level)));
  });
}

// f(out, cell, row) for each row that has one.
template <class F>
ColumnPtr MapCells(Type type, const Arguments& a, std::size_t rows, F f) {
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::optional<H3Cell> cell = ParseH3Cell(TextView(*a[0], row, buffer));
    if (!cell) return out.Null();
    f(out, *cell, row);
  });
}

ColumnPtr H3CellToCentralPoint(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kDynamic, a, rows, [](ColumnBuilder& out, H3Cell cell, std::size_t) {
    out.Text(GeoPointJson(H3Center(cell)));
  });
}

ColumnPtr H3CellToPolygon(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kDynamic, a, rows, [](ColumnBuilder& out, H3Cell cell, std::size_t) {
    GeoPath shell = H3Boundary(cell);
    shell.push_back(shell.front());
    out.Text(GeoPolygonsJson({{shell}}));
  });
}

ColumnPtr H3CellLevel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kInt, a, rows,
                  [](ColumnBuilder& out, H3Cell cell, std::size_t) { out.Number(H3Level(cell)); });
}

// geo_h3cell_parent(h3cell, resolution)
ColumnPtr H3CellParent(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kString, a, rows, [&](ColumnBuilder& out, H3Cell cell, std::size_t row) {
    const int own = H3Level(cell);
    const std::optional<int> level = LevelAt(a, 1, row, own - 1, 0, own);
    if (!level) return out.Null();
    out.Text(H3Text(H3Parent(cell, *level)));
  });
}

// geo_h3cell_children(h3cell, resolution)
ColumnPtr H3CellChildren(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kDynamic, a, rows, [&](ColumnBuilder& out, H3Cell cell, std::size_t row) {
    const int own = H3Level(cell);
    const int most = std::min(kMostH3Level, own + kMostLevelsOfChildren);
    const std::optional<int> level = LevelAt(a, 1, row, own + 1, own, most);
    if (!level) return out.Null();
    out.Text(TokensJson(H3Children(cell, *level)));
  });
}

// In the order in which the recorded engine has a hexagon's.
ColumnPtr H3CellNeighbors(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kDynamic, a, rows, [](ColumnBuilder& out, H3Cell cell, std::size_t) {
    std::vector<H3Cell> ring = H3Rings(cell, 1)[1];
    if (ring.size() == 6) {
      ring = {ring[3], ring[5], ring[4], ring[2], ring[1], ring[0]};
    }
    out.Text(TokensJson(ring));
  });
}

// geo_h3cell_rings(h3cell, distance)
ColumnPtr H3CellRings(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(Type::kDynamic, a, rows, [&](ColumnBuilder& out, H3Cell cell, std::size_t row) {
    const std::optional<int> distance = LevelAt(a, 1, row, 0, 0, kMostDistance);
    if (!distance) return out.Null();
    JsonArray json;
    for (const std::vector<H3Cell>& ring : H3Rings(cell, *distance)) json.Add(TokensJson(ring));
    out.Text(json.Text());
  });
}

}  // namespace

FunctionList GeoH3Functions() {
  return Declare({
      {"geo_h3cell_children(h3cell: string, resolution: number?): dynamic", &H3CellChildren},
      {"geo_h3cell_level(h3cell: string): int", &H3CellLevel},
      {"geo_h3cell_neighbors(h3cell: string): dynamic", &H3CellNeighbors},
      {"geo_h3cell_parent(h3cell: string, resolution: number?): string", &H3CellParent},
      {"geo_h3cell_rings(h3cell: string, distance: number): dynamic", &H3CellRings},
      {"geo_h3cell_to_central_point(h3cell: string): dynamic", &H3CellToCentralPoint},
      {"geo_h3cell_to_polygon(h3cell: string): dynamic", &H3CellToPolygon},
      {"geo_point_to_h3cell(longitude: number, latitude: number, resolution: number?): string",
       &PointToH3Cell},
  });
}

}  // namespace picket::kql
