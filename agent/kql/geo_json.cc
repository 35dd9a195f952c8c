#include "agent/kql/geo_json.h"

#include <cmath>

#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

class Reader {
 public:
  explicit Reader(Longitudes longitudes) : longitudes_(longitudes) {}

  bool Point(std::string_view json, GeoPoint& point) {
    if (KindOf(json) != JsonKind::kArray || ++points_ > kMostGeoPoints) return false;
    double numbers[2] = {};
    std::size_t count = 0;  // an altitude may follow
    ForEachElement(json, [&](std::string_view element) {
      const std::optional<double> number = ElementNumber(element);
      if (!number) return false;
      numbers[count++] = *number;
      return count < 2;
    });
    point = {numbers[0], numbers[1]};
    if (count < 2 || !std::isfinite(point.longitude)) return false;
    if (longitudes_ == Longitudes::kAny) return IsOnEarth({0, point.latitude});
    return IsOnEarth(point);
  }
  bool Path(std::string_view json, GeoPath& path) {
    return Elements(json,
                    [&](std::string_view element) { return Point(element, path.emplace_back()); });
  }
  bool Rings(std::string_view json, GeoRings& rings) {
    return Elements(json,
                    [&](std::string_view element) { return Path(element, rings.emplace_back()); });
  }

  // Whether there are elements, and all of them can be read.
  template <class F>
  static bool Elements(std::string_view json, F read) {
    if (KindOf(json) != JsonKind::kArray) return false;
    bool any = false;
    bool good = true;
    ForEachElement(json, [&](std::string_view element) {
      any = true;
      good = read(element);
      return good;
    });
    return any && good;
  }

 private:
  Longitudes longitudes_;
  std::size_t points_ = 0;
};

// The shapes of {"type": T or MultiT, "coordinates": …}.
template <class Shape, class Read>
std::optional<std::vector<Shape>> ReadShapes(std::string_view json, const std::string& single,
                                             Read read) {
  if (KindOf(json) != JsonKind::kObject) return std::nullopt;
  const auto type = JsonMember(json, "type");
  const auto coordinates = JsonMember(json, "coordinates");
  if (!type || !coordinates || KindOf(*type) != JsonKind::kString) return std::nullopt;
  const std::string name = UnquoteJson(*type);
  std::vector<Shape> shapes;
  if (name == single) {
    if (!read(*coordinates, shapes.emplace_back())) return std::nullopt;
    return shapes;
  }
  const bool good =
      name == "Multi" + single && Reader::Elements(*coordinates, [&](std::string_view element) {
        return read(element, shapes.emplace_back());
      });
  if (!good) return std::nullopt;
  return shapes;
}

std::string Pair(const GeoPoint& point) {
  JsonArray json;
  json.Add(RealElement(point.longitude));
  json.Add(RealElement(point.latitude));
  return json.Text();
}
std::string Coordinates(const GeoPath& path) {
  JsonArray json;
  for (const GeoPoint& point : path) json.Add(Pair(point));
  return json.Text();
}
std::string Coordinates(const GeoRings& rings) {
  JsonArray json;
  for (const GeoPath& ring : rings) json.Add(Coordinates(ring));
  return json.Text();
}

std::string Typed(std::string_view type, std::string_view member, std::string_view value) {
  JsonBag bag;
  bag.Add("type", QuoteJson(type));
  bag.Add(member, value);
  return bag.Text();
}

template <class Shape>
std::string ShapesJson(const std::vector<Shape>& shapes, const std::string& single) {
  if (shapes.size() == 1) return Typed(single, "coordinates", Coordinates(shapes[0]));
  JsonArray json;
  for (const Shape& shape : shapes) json.Add(Coordinates(shape));
  return Typed("Multi" + single, "coordinates", json.Text());
}

}  // namespace

bool IsOnEarth(const GeoPoint& point) {
  return std::abs(point.longitude) <= 180 && std::abs(point.latitude) <= 90;
}

std::optional<std::vector<GeoPath>> ReadGeoLines(std::string_view json, Longitudes longitudes) {
  Reader reader(longitudes);
  return ReadShapes<GeoPath>(json, "LineString", [&](std::string_view coordinates, GeoPath& path) {
    return reader.Path(coordinates, path);
  });
}

std::optional<std::vector<GeoRings>> ReadGeoPolygons(std::string_view json, Longitudes longitudes) {
  Reader reader(longitudes);
  return ReadShapes<GeoRings>(json, "Polygon", [&](std::string_view coordinates, GeoRings& rings) {
    return reader.Rings(coordinates, rings);
  });
}

std::string GeoPointJson(const GeoPoint& point) {
  return Typed("Point", "coordinates", Pair(point));
}

std::string GeoLinesJson(const std::vector<GeoPath>& lines) {
  return ShapesJson(lines, "LineString");
}

std::string GeoPolygonsJson(const std::vector<GeoRings>& polygons) {
  return ShapesJson(polygons, "Polygon");
}

std::string GeoCollectionJson(const std::vector<std::string>& shapes) {
  JsonArray json;
  for (const std::string& shape : shapes) json.Add(shape);
  return Typed("GeometryCollection", "geometries", json.Text());
}

}  // namespace picket::kql
