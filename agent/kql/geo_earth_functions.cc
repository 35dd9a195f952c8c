// Geospatial functions of points alone.

#include <numbers>

#include "agent/kql/geo_earth.h"
#include "agent/kql/geo_kernel.h"

namespace picket::kql {
namespace {

EarthModel ModelAt(const Arguments& a, std::size_t place, std::size_t row) {
  return FlagAt(a, place, row) ? EarthModel::kSpheroid : EarthModel::kSphere;
}

ColumnPtr Distance2Points(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> from = PointAt(a, 0, row);
    const std::optional<GeoPoint> to = PointAt(a, 2, row);
    if (!from || !to) return out.Null();
    out.Real(Distance(*from, *to, ModelAt(a, 4, row)));
  });
}

ColumnPtr AzimuthOfPoints(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> from = PointAt(a, 0, row);
    const std::optional<GeoPoint> to = PointAt(a, 2, row);
    const std::optional<double> azimuth = from && to ? Azimuth(*from, *to) : std::nullopt;
    if (!azimuth) return out.Null();
    out.Real(*azimuth);
  });
}

// Between the ways from the second point to the first and to the third, clockwise.
ColumnPtr AngleOfPoints(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> first = PointAt(a, 0, row);
    const std::optional<GeoPoint> second = PointAt(a, 2, row);
    const std::optional<GeoPoint> third = PointAt(a, 4, row);
    if (!first || !second || !third) return out.Null();
    const std::optional<double> from = Azimuth(*second, *first);
    const std::optional<double> to = Azimuth(*second, *third);
    if (!from || !to) return out.Null();
    const double angle = *to - *from;
    out.Real(angle < 0 ? angle + 2 * std::numbers::pi : angle);
  });
}

ColumnPtr PointInCircle(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> point = PointAt(a, 0, row);
    const std::optional<GeoPoint> center = PointAt(a, 2, row);
    const std::optional<double> radius = NumberAt(a, 4, row, 0);
    if (!point || !center || !radius || *radius < 0) return out.Null();
    out.Bool(Distance(*point, *center) <= *radius);
  });
}

}  // namespace

FunctionList GeoEarthFunctions() {
  return Declare({
      {"geo_angle(p1_longitude: number, p1_latitude: number, p2_longitude: number, p2_latitude: "
       "number, p3_longitude: number, p3_latitude: number): real",
       &AngleOfPoints},
      {"geo_azimuth(p1_longitude: number, p1_latitude: number, p2_longitude: number, p2_latitude: "
       "number): real",
       &AzimuthOfPoints},
      {"geo_distance_2points(p1_longitude: number, p1_latitude: number, p2_longitude: number, "
       "p2_latitude: number, use_spheroid: flag?): real",
       &Distance2Points},
      {"geo_point_in_circle(p_longitude: number, p_latitude: number, pc_longitude: number, "
       "pc_latitude: number, c_radius: number): bool",
       &PointInCircle},
  });
}

}  // namespace picket::kql
