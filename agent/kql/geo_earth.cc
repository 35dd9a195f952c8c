#include "agent/kql/geo_earth.h"

#include <cmath>
#include <numbers>

namespace picket::kql {
namespace {

constexpr double kRadius = 6371010;  // metres; S2Earth's, which Kusto's answers show
// WGS84.
constexpr double kSemiMajor = 6378137;
constexpr double kFlattening = 1 / 298.257223563;

double Radians(double degrees) { return degrees * (std::numbers::pi / 180); }

// By the vectors, which is exact for near and for opposite points alike.
double OnSphere(const GeoPoint& from, const GeoPoint& to) {
  struct Vector {
    double x, y, z;
  };
  const auto vector = [](const GeoPoint& point) {
    const double latitude = Radians(point.latitude);
    const double longitude = Radians(point.longitude);
    return Vector{std::cos(longitude) * std::cos(latitude),
                  std::sin(longitude) * std::cos(latitude), std::sin(latitude)};
  };
  const Vector a = vector(from);
  const Vector b = vector(to);
  const double cross =
      std::hypot(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
  return kRadius * std::atan2(cross, a.x * b.x + a.y * b.y + a.z * b.z);
}

// T. Vincenty, Direct and Inverse Solutions of Geodesics on the Ellipsoid (1975).
std::optional<double> OnSpheroid(const GeoPoint& from, const GeoPoint& to) {
  constexpr double kSemiMinor = kSemiMajor * (1 - kFlattening);
  const double difference = Radians(to.longitude - from.longitude);
  const double u1 = std::atan((1 - kFlattening) * std::tan(Radians(from.latitude)));
  const double u2 = std::atan((1 - kFlattening) * std::tan(Radians(to.latitude)));
  const double sin1 = std::sin(u1);
  const double cos1 = std::cos(u1);
  const double sin2 = std::sin(u2);
  const double cos2 = std::cos(u2);
  double lambda = difference;
  for (int round = 0; round < 200; ++round) {
    const double along = cos1 * sin2 - sin1 * cos2 * std::cos(lambda);
    const double sin_sigma = std::hypot(cos2 * std::sin(lambda), along);
    if (sin_sigma == 0) return 0;
    const double cos_sigma = sin1 * sin2 + cos1 * cos2 * std::cos(lambda);
    const double sigma = std::atan2(sin_sigma, cos_sigma);
    const double sin_alpha = cos1 * cos2 * std::sin(lambda) / sin_sigma;
    const double cos2_alpha = 1 - sin_alpha * sin_alpha;
    const double middle = cos2_alpha == 0 ? 0 : cos_sigma - 2 * sin1 * sin2 / cos2_alpha;
    const double c = kFlattening / 16 * cos2_alpha * (4 + kFlattening * (4 - 3 * cos2_alpha));
    const double before = lambda;
    lambda = difference +
             (1 - c) * kFlattening * sin_alpha *
                 (sigma + c * sin_sigma * (middle + c * cos_sigma * (2 * middle * middle - 1)));
    if (std::abs(lambda) > std::numbers::pi) return std::nullopt;
    if (std::abs(lambda - before) > 1e-12) continue;
    const double squared = cos2_alpha * (kSemiMajor * kSemiMajor - kSemiMinor * kSemiMinor) /
                           (kSemiMinor * kSemiMinor);
    const double a =
        1 + squared / 16384 * (4096 + squared * (-768 + squared * (320 - 175 * squared)));
    const double b = squared / 1024 * (256 + squared * (-128 + squared * (74 - 47 * squared)));
    const double twice = middle * middle;
    const double correction =
        b * sin_sigma *
        (middle + b / 4 *
                      (cos_sigma * (2 * twice - 1) -
                       b / 6 * middle * (4 * sin_sigma * sin_sigma - 3) * (4 * twice - 3)));
    return kSemiMinor * a * (sigma - correction);
  }
  return std::nullopt;
}

}  // namespace

double Distance(const GeoPoint& from, const GeoPoint& to, EarthModel model) {
  if (model == EarthModel::kSphere) return OnSphere(from, to);
  GeoPoint near = to;  // the shorter way round
  while (near.longitude - from.longitude > 180) near.longitude -= 360;
  while (near.longitude - from.longitude < -180) near.longitude += 360;
  return OnSpheroid(from, near).value_or(OnSphere(from, to));
}

std::optional<double> Azimuth(const GeoPoint& from, const GeoPoint& to) {
  if (OnSphere(from, to) == 0) return std::nullopt;
  const double difference = Radians(to.longitude - from.longitude);
  const double here = Radians(from.latitude);
  const double there = Radians(to.latitude);
  const double azimuth = std::atan2(
      std::sin(difference) * std::cos(there),
      std::cos(here) * std::sin(there) - std::sin(here) * std::cos(there) * std::cos(difference));
  return azimuth < 0 ? azimuth + 2 * std::numbers::pi : azimuth;
}

}  // namespace picket::kql
