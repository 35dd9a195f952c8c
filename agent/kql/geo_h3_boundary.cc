// Where H3's cells end: their corners, and where the icosahedron's edges bend them.

#include <cmath>
#include <numbers>

#include "agent/kql/geo_h3_cell.h"

namespace picket::kql {
namespace {

// A corner of a cell on the plane of one face, in thirds of the level's grid.
Hex CornerOf(Hex center, int direction) {
  return Scaled(center, 3) + Turned(kTurns[0] + kTurns[1], direction);
}

PlanePoint PointOfThirds(Hex thirds, int level) {
  const PlanePoint point = PlanePointOf(thirds, level);
  return {point.x / 3, point.y / 3};
}

// How far beyond a face's centre, towards the side; the side is at 1.
double Towards(int side, PlanePoint point) {
  const double angle = std::numbers::pi + side * 2 * std::numbers::pi / 3;
  return point.x * std::cos(angle) + point.y * std::sin(angle);
}

// Adds where the way from one corner to the other leaves or enters the face, if it does so between
// them. On levels that are not turned, cells bend only at their corners.
void AddBend(GeoPath& path, int face, Hex from, Hex to, int level) {
  if (level % 2 == 0) return;
  const int before = SideBeyond(from, level);
  const int after = SideBeyond(to, level);
  if (before == after) return;
  const int side = before >= 0 ? before : after;
  const PlanePoint a = PointOfThirds(from, level);
  const PlanePoint b = PointOfThirds(to, level);
  const double part = (1 - Towards(side, a)) / (Towards(side, b) - Towards(side, a));
  constexpr double kLittle = 1e-9;
  if (!(part > kLittle && part < 1 - kLittle)) return;
  const PlanePoint bend{a.x + part * (b.x - a.x), a.y + part * (b.y - a.y)};
  path.push_back(EarthPoint({face, bend}));
}

void AddCorner(GeoPath& path, int face, Hex corner, int level) {
  const FaceHex settled = SettledThirds({face, corner}, level);
  path.push_back(EarthPoint({settled.face, PointOfThirds(settled.hex, level)}));
}

GeoPath PentagonBoundary(H3Cell cell) {
  const int level = H3Level(cell);
  const std::array<Sector, 5> sectors = SectorsAround(cell);
  GeoPath path;
  // From the corner that H3 begins with: between the directions 0 and 1.
  for (std::size_t place = 3; place < 8; ++place) {
    const std::size_t i = place % sectors.size();
    const int direction = kSectorDirections[i];
    const CellPlace at = PlaceOfCell(cell, direction);
    const Hex from = CornerOf(at.at.hex, direction - 1 + at.turn);
    const Hex to = CornerOf(at.at.hex, direction + at.turn);
    AddCorner(path, sectors[i].face, from, level);
    AddBend(path, sectors[i].face, from, to, level);
  }
  return path;
}

// A cell whose centre is on an edge of the icosahedron begins at another corner by either face. H3
// has those around a pentagon on the face that it comes to last.
FaceHex FaceOfBoundary(const CellPlace& place, int level) {
  const Hex thirds = Scaled(place.at.hex, 3);
  for (int side = 0; side < 3 && place.sector >= 2; ++side) {
    if (OnSide(thirds, level, side)) return Crossed(place.at, side, level);
  }
  return Settled(place.at, level);
}

}  // namespace

GeoPath H3Boundary(H3Cell cell) {
  if (IsPentagon(cell)) return PentagonBoundary(cell);
  const int level = H3Level(cell);
  const FaceHex at = FaceOfBoundary(PlaceOfCell(cell), level);
  GeoPath path;
  for (int direction = 0; direction < 6; ++direction) {
    const Hex from = CornerOf(at.hex, direction);
    AddCorner(path, at.face, from, level);
    AddBend(path, at.face, from, CornerOf(at.hex, direction + 1), level);
  }
  return path;
}

}  // namespace picket::kql
