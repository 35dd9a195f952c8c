// Geohashes: cells of a grid over longitude and latitude, each character 5 bits of where in the
// cell before; the bits of longitude and latitude take turns, longitude first.

#include <cmath>

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/geo_json.h"

namespace picket::kql {
namespace {

constexpr std::string_view kAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
constexpr std::size_t kMostCharacters = 18;
constexpr std::int64_t kUsualCharacters = 5;

struct Interval {
  double low = 0;
  double high = 0;

  [[nodiscard]] double Middle() const { return (low + high) / 2; }
  [[nodiscard]] double Width() const { return high - low; }
  void Take(bool upper) { (upper ? low : high) = Middle(); }
};

struct Cell {
  Interval longitude{-180, 180};
  Interval latitude{-90, 90};
};

std::string Geohash(const GeoPoint& point, std::size_t characters) {
  Cell cell;
  std::string hash;
  bool of_longitude = true;
  while (hash.size() < characters) {
    std::size_t code = 0;
    for (int bit = 0; bit < 5; ++bit, of_longitude = !of_longitude) {
      Interval& interval = of_longitude ? cell.longitude : cell.latitude;
      const bool upper = (of_longitude ? point.longitude : point.latitude) >= interval.Middle();
      interval.Take(upper);
      code = code * 2 + (upper ? 1 : 0);
    }
    hash += kAlphabet[code];
  }
  return hash;
}

std::optional<Cell> ParseGeohash(std::string_view hash) {
  if (hash.empty() || hash.size() > kMostCharacters) return std::nullopt;
  Cell cell;
  bool of_longitude = true;
  for (const char c : hash) {
    const std::size_t code = kAlphabet.find(c);
    if (code == std::string_view::npos) return std::nullopt;
    for (unsigned bit = 5; bit-- > 0; of_longitude = !of_longitude) {
      (of_longitude ? cell.longitude : cell.latitude).Take((code >> bit & 1U) != 0);
    }
  }
  return cell;
}

// geo_point_to_geohash(longitude, latitude, accuracy)
ColumnPtr PointToGeohash(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> longitude = ToReal(*a[0], row);
    const std::optional<double> latitude = ToReal(*a[1], row);
    const std::optional<std::int64_t> characters =
        a.size() > 2 ? ToLong(*a[2], row) : kUsualCharacters;
    if (!longitude || !latitude || !IsOnEarth({*longitude, *latitude})) return out.Null();
    if (!characters || *characters < 1 || *characters > std::int64_t{kMostCharacters}) {
      return out.Null();
    }
    out.Text(Geohash({*longitude, *latitude}, static_cast<std::size_t>(*characters)));
  });
}

// f(cell, hash) → the JSON of the row; null where the hash is none.
template <class F>
ColumnPtr MapCells(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::string_view hash = TextView(*a[0], row, buffer);
    const std::optional<Cell> cell = ParseGeohash(hash);
    if (!cell) return out.Null();
    out.Text(f(*cell, hash));
  });
}

ColumnPtr GeohashToCentralPoint(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(a, rows, [](const Cell& cell, std::string_view) {
    return GeoPointJson({cell.longitude.Middle(), cell.latitude.Middle()});
  });
}

ColumnPtr GeohashToPolygon(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapCells(a, rows, [](const Cell& cell, std::string_view) {
    const auto& [west, east] = cell.longitude;
    const auto& [south, north] = cell.latitude;
    const GeoPath shell{{west, south}, {east, south}, {east, north}, {west, north}, {west, south}};
    return GeoPolygonsJson({{shell}});
  });
}

// Those around, as the recorded engine orders them; beyond the poles there are none.
ColumnPtr GeohashNeighbors(const EvalContext&, const Arguments& a, std::size_t rows) {
  static constexpr int kSteps[8][2] = {{-1, 0}, {-1, -1}, {0, -1}, {1, -1},
                                       {1, 1},  {1, 0},   {0, 1},  {-1, 1}};
  return MapCells(a, rows, [](const Cell& cell, std::string_view hash) {
    JsonArray json;
    for (const auto& [east, north] : kSteps) {
      GeoPoint center{cell.longitude.Middle() + east * cell.longitude.Width(),
                      cell.latitude.Middle() + north * cell.latitude.Width()};
      if (std::abs(center.latitude) > 90) continue;
      if (center.longitude > 180) center.longitude -= 360;
      if (center.longitude < -180) center.longitude += 360;
      json.Add(QuoteJson(Geohash(center, hash.size())));
    }
    return json.Text();
  });
}

}  // namespace

FunctionList GeohashFunctions() {
  return Declare({
      {"geo_geohash_neighbors(geohash: string): dynamic", &GeohashNeighbors},
      {"geo_geohash_to_central_point(geohash: string): dynamic", &GeohashToCentralPoint},
      {"geo_geohash_to_polygon(geohash: string): dynamic", &GeohashToPolygon},
      {"geo_point_to_geohash(longitude: number, latitude: number, accuracy: number?): string",
       &PointToGeohash},
  });
}

}  // namespace picket::kql
