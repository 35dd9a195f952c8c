#pragma once

#include <optional>

#include "agent/kql/geo_json.h"

namespace picket::kql {

// Distances and directions between points, as Kusto's geospatial functions measure them.

enum class EarthModel { kSphere, kSpheroid };

// Metres along the shortest way: on the sphere of radius 6,371,010 m, or on WGS84's spheroid
// (Vincenty's inverse formula; between nearly opposite points, where it does not converge, the
// sphere's).
double Distance(const GeoPoint& from, const GeoPoint& to, EarthModel model = EarthModel::kSphere);

// Where one sets off from `from` towards `to`, in radians clockwise from north, within [0, 2π);
// nullopt when they are the same point.
std::optional<double> Azimuth(const GeoPoint& from, const GeoPoint& to);

}  // namespace picket::kql
