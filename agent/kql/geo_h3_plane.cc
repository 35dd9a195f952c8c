#include "agent/kql/geo_h3_plane.h"

#include <cmath>
#include <numbers>

namespace picket::kql {
namespace {

struct Vector {
  double x = 0;
  double y = 0;
  double z = 0;

  friend Vector operator+(const Vector& v, const Vector& w) {
    return {v.x + w.x, v.y + w.y, v.z + w.z};
  }
  friend Vector operator*(double factor, const Vector& v) {
    return {factor * v.x, factor * v.y, factor * v.z};
  }
};
double Dot(const Vector& v, const Vector& w) { return v.x * w.x + v.y * w.y + v.z * w.z; }

// Where the grid's icosahedron lies: the faces' centres and the azimuths of their planes' x axes,
// in radians (h3geo.org, "Coordinate systems").
struct FacePlace {
  double latitude;
  double longitude;
  double azimuth;
};
constexpr FacePlace kFacePlaces[kFaces] = {
    {0.803582649718989942, 1.248397419617396099, 5.619958268523939882},
    {1.307747883455638156, 2.536945009877921159, 5.760339081714187279},
    {1.054751253523952054, -1.347517358900396623, 0.780213654393430055},
    {0.600191595538186799, -0.450603909469755746, 0.430469363979999913},
    {0.491715428198773866, 0.401988202911306943, 6.130269123335111400},
    {0.172745327415618701, 1.678146885280433686, 2.692877706530642877},
    {0.605929321571350690, 2.953923329812411617, 2.982963003477243874},
    {0.427370518328979641, -1.888876200336285401, 3.532912002790141181},
    {-0.079066118549212831, -0.733429513380867741, 3.494305004259568154},
    {-0.230961644455383637, 0.506495587332349035, 3.003214169499538391},
    {0.079066118549212831, 2.408163140208925497, 5.930472956509811562},
    {0.230961644455383637, -2.635097066257444203, 0.138378484090254847},
    {-0.172745327415618701, -1.463445768309359553, 0.448714947059150361},
    {-0.605929321571350690, -0.187669323777381622, 0.158629650112549365},
    {-0.427370518328979641, 1.252716453253507838, 5.891865957979238535},
    {-0.600191595538186799, 2.690988744120037492, 2.711123289609793325},
    {-0.491715428198773866, -2.739604450678486295, 3.294508837434268316},
    {-0.803582649718989942, -1.893195233972397139, 3.804819692245439833},
    {-1.307747883455638156, -0.604647643711872080, 3.664438879055192436},
    {-1.054751253523952054, 1.794075294689396615, 2.361378999196363184},
};
// The gnomonic projection's length of one unit of level 0.
constexpr double kUnit = 0.38196601125010500003;
constexpr double kHeight = std::numbers::sqrt3 / 2;  // of ω

Vector VectorOf(double latitude, double longitude) {
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude),
          std::sin(latitude)};
}

// A face's centre and the axes of its plane.
struct Face {
  Vector center;
  Vector x;
  Vector y;
};

const std::array<Face, kFaces>& AllFaces() {
  static const std::array<Face, kFaces> faces = [] {
    std::array<Face, kFaces> made;
    for (std::size_t i = 0; i < kFaces; ++i) {
      const auto& [latitude, longitude, azimuth] = kFacePlaces[i];
      const Vector north{-std::sin(latitude) * std::cos(longitude),
                         -std::sin(latitude) * std::sin(longitude), std::cos(latitude)};
      const Vector east{-std::sin(longitude), std::cos(longitude), 0};
      const auto towards = [&](double direction) {
        return std::cos(direction) * north + std::sin(direction) * east;
      };
      made[i] = {VectorOf(latitude, longitude), towards(azimuth),
                 towards(azimuth - std::numbers::pi / 2)};
    }
    return made;
  }();
  return faces;
}

const Face& FaceOf(int face) { return AllFaces()[static_cast<std::size_t>(face)]; }

Vector Unprojected(const OnFace& at) {
  const Face& face = FaceOf(at.face);
  const Vector v = face.center + (kUnit * at.point.x) * face.x + (kUnit * at.point.y) * face.y;
  return (1 / std::sqrt(Dot(v, v))) * v;
}

PlanePoint Projected(const Vector& v, int face) {
  const Face& plane = FaceOf(face);
  const double scale = kUnit * Dot(v, plane.center);
  return {Dot(v, plane.x) / scale, Dot(v, plane.y) / scale};
}

// How much the level's grid is denser and turned, against level 0; together with an odd level's
// next step it is not turned, and 7^n.
Hex Density(int level) {
  static const std::array<Hex, 17> densities = [] {  // the levels, and the step after the last
    std::array<Hex, 17> made;
    made[0] = {1, 0};
    for (std::size_t i = 1; i < made.size(); ++i) {
      made[i] = made[i - 1] * StepTo(static_cast<int>(i));
    }
    return made;
  }();
  return densities[static_cast<std::size_t>(level)];
}

PlanePoint Times(PlanePoint p, PlanePoint q) {
  return {p.x * q.x - p.y * q.y, p.x * q.y + p.y * q.x};
}
PlanePoint Plain(Hex hex) {
  return {static_cast<double>(hex.a) - static_cast<double>(hex.b) / 2,
          kHeight * static_cast<double>(hex.b)};
}

// The level-0 hexagon at the point; it must be near one's centre.
Hex Corner(PlanePoint point) {
  const double b = point.y / kHeight;
  return {std::llround(point.x + b / 2), std::llround(b)};
}

// Found by the two corners that the faces share.
Crossing FindCrossing(int face, int side) {
  const Hex from = kCorners[static_cast<std::size_t>((side + 1) % 3)];
  const Hex to = kCorners[static_cast<std::size_t>((side + 2) % 3)];
  const Vector first = Unprojected({face, Plain(from)});
  const Vector second = Unprojected({face, Plain(to)});
  int best = -1;
  double nearest = -2;
  for (int other = 0; other < kFaces; ++other) {
    const double near = other == face ? -2 : Dot(first + second, FaceOf(other).center);
    if (near > nearest) best = other;
    if (near > nearest) nearest = near;
  }
  const Hex first_there = Corner(Projected(first, best));
  const Hex second_there = Corner(Projected(second, best));
  Crossing crossing{.face = best};
  while (Turned(to - from, crossing.sixths) != second_there - first_there && crossing.sixths < 6) {
    ++crossing.sixths;
  }
  crossing.shift = first_there - Turned(from, crossing.sixths);
  return crossing;
}

// How far a place is towards each side, and where the sides are, all in the same unit. For the
// corners 2, 2ω and 2ω² the place a + bω is b - 2a, a - 2b and a + b half steps away from them.
struct SideDistances {
  std::array<std::int64_t, 3> towards;
  std::int64_t of_sides;
};
SideDistances DistancesOf(Hex thirds, int level) {
  if (level % 2 == 1) {  // the next level's grid is not turned
    ++level;
    thirds = thirds * StepTo(level);
  }
  return {{thirds.b - 2 * thirds.a, thirds.a - 2 * thirds.b, thirds.a + thirds.b},
          Density(level).a * 3 * 2};
}

Hex Shifted(Hex hex, const Crossing& crossing, int level, std::int64_t scale) {
  return Turned(hex, crossing.sixths) + Scaled(crossing.shift * Density(level), scale);
}

}  // namespace

Hex ParentOf(Hex hex, int level) {
  const Hex step = StepTo(level);
  const Hex conjugate{step.a - step.b, -step.b};
  const Hex sevenfold = hex * conjugate;
  const auto nearest = [](std::int64_t value) {
    return std::llround(static_cast<double>(value) / 7);
  };
  return {nearest(sevenfold.a), nearest(sevenfold.b)};
}

PlanePoint PlanePointOf(Hex hex, int level) {
  const PlanePoint density = Plain(Density(level));
  const double squared = density.x * density.x + density.y * density.y;
  return Times(Plain(hex), {density.x / squared, -density.y / squared});
}

GeoPoint EarthPoint(const OnFace& point) {
  const Vector v = Unprojected(point);
  constexpr double kDegrees = 180 / std::numbers::pi;
  return {std::atan2(v.y, v.x) * kDegrees, std::atan2(v.z, std::hypot(v.x, v.y)) * kDegrees};
}

OnFace FacePoint(const GeoPoint& point) {
  constexpr double kRadians = std::numbers::pi / 180;
  const Vector v = VectorOf(point.latitude * kRadians, point.longitude * kRadians);
  int best = 0;
  for (int face = 1; face < kFaces; ++face) {
    if (Dot(v, FaceOf(face).center) > Dot(v, FaceOf(best).center)) best = face;
  }
  return {best, Projected(v, best)};
}

// By the rounded cube coordinates, the one that was rounded most following from the others.
Hex NearestHex(PlanePoint point, int level) {
  const PlanePoint at = Times(point, Plain(Density(level)));
  const double b = at.y / kHeight;
  const double a = at.x + b / 2;
  const double c = b - a;
  const double rounded_a = std::round(a);
  const double rounded_b = std::round(b);
  const double off_a = std::abs(rounded_a - a);
  const double off_b = std::abs(rounded_b - b);
  const double off_c = std::abs(std::round(c) - c);
  Hex hex{std::llround(a), std::llround(b)};
  if (off_a > off_b && off_a > off_c) {
    hex.a = std::llround(rounded_b - std::round(c));
  } else if (off_b > off_c) {
    hex.b = std::llround(rounded_a + std::round(c));
  }
  return hex;
}

const Crossing& CrossingOf(int face, int side) {
  static const std::array<std::array<Crossing, 3>, kFaces> all = [] {
    std::array<std::array<Crossing, 3>, kFaces> made;
    for (int i = 0; i < kFaces; ++i) {
      for (int j = 0; j < 3; ++j) {
        made[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = FindCrossing(i, j);
      }
    }
    return made;
  }();
  return all[static_cast<std::size_t>(face)][static_cast<std::size_t>(side)];
}

int SideBeyond(Hex thirds, int level) {
  const SideDistances distances = DistancesOf(thirds, level);
  int side = -1;
  for (std::size_t i = 0; i < 3; ++i) {
    if (distances.towards[i] <= distances.of_sides) continue;
    if (side < 0 || distances.towards[i] > distances.towards[static_cast<std::size_t>(side)]) {
      side = static_cast<int>(i);
    }
  }
  return side;
}

bool OnSide(Hex thirds, int level, int side) {
  const SideDistances distances = DistancesOf(thirds, level);
  return distances.towards[static_cast<std::size_t>(side)] == distances.of_sides;
}

FaceHex Crossed(FaceHex at, int side, int level) {
  const Crossing& crossing = CrossingOf(at.face, side);
  return {crossing.face, Shifted(at.hex, crossing, level, 1)};
}

FaceHex Settled(FaceHex at, int level) {
  const int side = SideBeyond(Scaled(at.hex, 3), level);
  return side < 0 ? at : Crossed(at, side, level);
}

FaceHex SettledThirds(FaceHex thirds, int level) {
  const int side = SideBeyond(thirds.hex, level);
  if (side < 0) return thirds;
  const Crossing& crossing = CrossingOf(thirds.face, side);
  return {crossing.face, Shifted(thirds.hex, crossing, level, 3)};
}

}  // namespace picket::kql
