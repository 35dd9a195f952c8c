#pragma once

#include <array>
#include <cstdint>

#include "agent/kql/geo_json.h"

namespace picket::kql {

// H3's geometry: the icosahedron, and on each of its faces a plane with a grid of hexagons. Used by
// geo_h3.cc alone.

// A hexagon of a plane by its centre a + b·ω, ω = exp(2πi/3) (an Eisenstein integer).
struct Hex {
  std::int64_t a = 0;
  std::int64_t b = 0;

  friend Hex operator+(Hex x, Hex y) { return {x.a + y.a, x.b + y.b}; }
  friend Hex operator-(Hex x, Hex y) { return {x.a - y.a, x.b - y.b}; }
  friend Hex operator*(Hex x, Hex y) {
    return {x.a * y.a - x.b * y.b, x.a * y.b + x.b * y.a - x.b * y.b};
  }
  friend bool operator==(const Hex&, const Hex&) = default;
};
inline Hex Scaled(Hex hex, std::int64_t factor) { return {hex.a * factor, hex.b * factor}; }

// The neighbours of 0 by sixths of a turn.
inline constexpr std::array<Hex, 6> kTurns = {{{1, 0}, {1, 1}, {0, 1}, {-1, 0}, {-1, -1}, {0, -1}}};
inline Hex Turned(Hex hex, int sixths) {
  return hex * kTurns[static_cast<std::size_t>(((sixths % 6) + 6) % 6)];
}

// A level's grid is the one before, times this: seven times as dense, and turned to one side and
// the other by turns.
inline Hex StepTo(int level) { return level % 2 == 1 ? Hex{2, -1} : Hex{3, 1}; }
// The hexagon of the level before that holds this one.
Hex ParentOf(Hex hex, int level);

struct PlanePoint {
  double x = 0;
  double y = 0;

  friend PlanePoint operator+(PlanePoint p, PlanePoint q) { return {p.x + q.x, p.y + q.y}; }
  friend PlanePoint operator-(PlanePoint p, PlanePoint q) { return {p.x - q.x, p.y - q.y}; }
};
// In the units of level 0, where the corners of the face are at distance 2 from its centre.
PlanePoint PlanePointOf(Hex hex, int level);

inline constexpr int kFaces = 20;
struct OnFace {
  int face = 0;
  PlanePoint point;
};
GeoPoint EarthPoint(const OnFace& point);
// On the nearest face.
OnFace FacePoint(const GeoPoint& point);
Hex NearestHex(PlanePoint point, int level);

// A face's three corners and sides: side i is opposite to corner i.
inline constexpr std::array<Hex, 3> kCorners = {{{2, 0}, {0, 2}, {-2, -2}}};

// The way over a side: the other face, and its plane's coordinates of what this plane has beyond:
// hex turned by `sixths`, plus `shift` (of level 0).
struct Crossing {
  int face = 0;
  int sixths = 0;
  Hex shift;
};
const Crossing& CrossingOf(int face, int side);

// The side beyond which the hexagon of a third of the level's grid is (thirds = 3 · hex), or -1
// when it is on the face; and whether it is on the side itself.
int SideBeyond(Hex thirds, int level);
bool OnSide(Hex thirds, int level, int side);

// The hexagon at its own face: over a side where it is beyond it.
struct FaceHex {
  int face = 0;
  Hex hex;
};
FaceHex Settled(FaceHex at, int level);
FaceHex Crossed(FaceHex at, int side, int level);
// The same of thirds.
FaceHex SettledThirds(FaceHex thirds, int level);

}  // namespace picket::kql
