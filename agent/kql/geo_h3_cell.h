#pragma once

#include <array>

#include "agent/kql/geo_h3.h"
#include "agent/kql/geo_h3_plane.h"

namespace picket::kql {

// Where H3's cells are on the planes of the icosahedron's faces. Used by geo_h3*.cc alone.

// One of the five faces around a pentagon: directions of its cells' digits are those on the face
// less `turn`.
struct Sector {
  int face = 0;
  int corner = 0;  // of the face: the pentagon's centre
  int turn = 0;
};
// The direction, as digits have it, from the pentagon to the face's centre: in the order of the
// faces, counter-clockwise. One is missing, a pentagon has no cell there.
inline constexpr std::array<int, 5> kSectorDirections = {3, 5, 0, 1, 2};
inline constexpr int kMissingDirection = 4;

bool IsPentagon(H3Cell cell);
std::array<Sector, 5> SectorsAround(H3Cell pentagon);

// A cell's hexagon on a face of its base cell, where it may be over a side.
struct CellPlace {
  FaceHex at;
  int turn = 0;    // from directions of digits to those on the face
  int sector = 0;  // of a base cell that is a pentagon
};
// `towards`: for a pentagon, the direction in which one looks from it.
CellPlace PlaceOfCell(H3Cell cell, int towards = -1);

}  // namespace picket::kql
