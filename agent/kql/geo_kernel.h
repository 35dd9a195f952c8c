#pragma once

#include <optional>

#include "agent/kql/geo_json.h"
#include "agent/kql/kernel.h"

namespace picket::kql {

// What the files of geospatial functions share.

// The longitude and latitude in two columns; nullopt where one is null or they are not on Earth.
inline std::optional<GeoPoint> PointAt(const Arguments& a, std::size_t first, std::size_t row) {
  const std::optional<double> longitude = ToReal(*a[first], row);
  const std::optional<double> latitude = ToReal(*a[first + 1], row);
  if (!longitude || !latitude) return std::nullopt;
  const GeoPoint point{*longitude, *latitude};
  if (!IsOnEarth(point)) return std::nullopt;  // nor is NaN
  return point;
}

// An argument that may be left out; nullopt where it is null or NaN.
inline std::optional<double> NumberAt(const Arguments& a, std::size_t place, std::size_t row,
                                      double otherwise) {
  if (place >= a.size()) return otherwise;
  const std::optional<double> number = ToReal(*a[place], row);
  return number && *number == *number ? number : std::nullopt;
}

// A whole number within the bounds; nullopt where it is another or null.
inline std::optional<int> LevelAt(const Arguments& a, std::size_t place, std::size_t row,
                                  int otherwise, int least, int most) {
  const std::optional<double> number = NumberAt(a, place, row, otherwise);
  if (!number || *number < least || *number > most) return std::nullopt;
  return static_cast<int>(*number);
}

// An argument that may be left out, a bool or a number.
inline bool FlagAt(const Arguments& a, std::size_t place, std::size_t row) {
  return place < a.size() && !a[place]->IsNull(row) && a[place]->AsReal(row) != 0;
}

}  // namespace picket::kql
