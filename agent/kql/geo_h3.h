#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/geo_json.h"

namespace picket::kql {

// The cells of the H3 grid: hexagons, and twelve pentagons on each level, over an icosahedron (by
// its documentation at h3geo.org; cells are told by the same 64 bits). Ours is a small part of it.

using H3Cell = std::uint64_t;
inline constexpr int kMostH3Level = 15;

// nullopt for what is no cell's hexadecimal text.
std::optional<H3Cell> ParseH3Cell(std::string_view text);
std::string H3Text(H3Cell cell);

// These take valid cells and levels within 0 … kMostH3Level.
int H3Level(H3Cell cell);
H3Cell H3CellAt(const GeoPoint& point, int level);
GeoPoint H3Center(H3Cell cell);
// Counter-clockwise and without the first point again. More than six points where an edge of the
// icosahedron bends the cell.
GeoPath H3Boundary(H3Cell cell);

// `level` must be the cell's own or a coarser one, or for the children a finer one.
H3Cell H3Parent(H3Cell cell, int level);
std::vector<H3Cell> H3Children(H3Cell cell, int level);

// The cells at each distance from 0 to `distance`, in the order in which H3 walks around them
// where no pentagon is in the way.
std::vector<std::vector<H3Cell>> H3Rings(H3Cell cell, int distance);

}  // namespace picket::kql
