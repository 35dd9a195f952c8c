#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace picket::kql {

// Shapes as GeoJSON (RFC 7946) has them: degrees, longitude before latitude.

struct GeoPoint {
  double longitude = 0;
  double latitude = 0;
};
using GeoPath = std::vector<GeoPoint>;
using GeoRings = std::vector<GeoPath>;  // a polygon: its shell, then its holes

// Points that one shape may have; a larger shape is none.
inline constexpr std::size_t kMostGeoPoints = 1'000'000;

// Longitude within 180 degrees, latitude within 90.
bool IsOnEarth(const GeoPoint& point);

enum class Longitudes { kOnEarth, kAny };
// The lines of a LineString or MultiLineString, the polygons of a Polygon or MultiPolygon; nullopt
// for everything else, for shapes without points and for points that are not on Earth.
std::optional<std::vector<GeoPath>> ReadGeoLines(std::string_view json,
                                                 Longitudes longitudes = Longitudes::kOnEarth);
std::optional<std::vector<GeoRings>> ReadGeoPolygons(std::string_view json,
                                                     Longitudes longitudes = Longitudes::kOnEarth);

std::string GeoPointJson(const GeoPoint& point);
// One is a LineString, several are a MultiLineString; the same for polygons.
std::string GeoLinesJson(const std::vector<GeoPath>& lines);
std::string GeoPolygonsJson(const std::vector<GeoRings>& polygons);
// A GeometryCollection of shapes that are JSON already.
std::string GeoCollectionJson(const std::vector<std::string>& shapes);

}  // namespace picket::kql
