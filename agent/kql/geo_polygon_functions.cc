// Geospatial functions of polygons. What is no polygon gives null; several are taken as their
// union.

#include <s2/s2contains_point_query.h>
#include <s2/s2loop_measures.h>

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/geo_combine.h"
#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

constexpr double kUsualTolerance = 10;  // metres

// A polygon holds its vertices.
bool Holds(const S2Polygon& polygon, const S2Point& point) {
  S2ContainsPointQueryOptions options(S2VertexModel::CLOSED);
  return MakeS2ContainsPointQuery(&polygon.index(), options).Contains(point);
}

// f(out, point, polygon) for each row that has both.
template <class F>
ColumnPtr MapPointAndPolygon(Type type, const Arguments& a, std::size_t rows, F f) {
  PolygonColumn polygons(a[2]);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> point = PointAt(a, 0, row);
    const S2Polygon* polygon = polygons.At(row);
    if (!point || polygon == nullptr) return out.Null();
    f(out, PointOf(*point), *polygon);
  });
}

ColumnPtr PointInPolygon(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPointAndPolygon(Type::kBool, a, rows,
                            [](ColumnBuilder& out, const S2Point& point, const S2Polygon& polygon) {
                              out.Bool(Holds(polygon, point));
                            });
}

ColumnPtr ClosestPointOnPolygon(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPointAndPolygon(Type::kDynamic, a, rows,
                            [](ColumnBuilder& out, const S2Point& point, const S2Polygon& polygon) {
                              out.Text(GeoPointJson(GeoPointOf(polygon.Project(point))));
                            });
}

ColumnPtr DistancePointToPolygon(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPointAndPolygon(Type::kReal, a, rows,
                            [](ColumnBuilder& out, const S2Point& point, const S2Polygon& polygon) {
                              out.Real(Metres(S1Angle(polygon.Project(point), point)));
                            });
}

// f(out, polygon, row) for each row that has one.
template <class F>
ColumnPtr MapPolygons(Type type, const Arguments& a, std::size_t rows, F f) {
  PolygonColumn polygons(a[0]);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const S2Polygon* polygon = polygons.At(row);
    if (polygon == nullptr) return out.Null();
    f(out, *polygon, row);
  });
}

ColumnPtr PolygonArea(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPolygons(Type::kReal, a, rows,
                     [](ColumnBuilder& out, const S2Polygon& polygon, std::size_t) {
                       out.Real(polygon.GetArea() * kEarthRadius * kEarthRadius);
                     });
}

ColumnPtr PolygonPerimeter(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPolygons(Type::kReal, a, rows,
                     [](ColumnBuilder& out, const S2Polygon& polygon, std::size_t) {
                       S1Angle length = S1Angle::Zero();
                       for (int i = 0; i < polygon.num_loops(); ++i) {
                         length += S2::GetPerimeter(polygon.loop(i)->vertices_span());
                       }
                       out.Real(Metres(length));
                     });
}

ColumnPtr PolygonCentroid(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPolygons(Type::kDynamic, a, rows,
                     [](ColumnBuilder& out, const S2Polygon& polygon, std::size_t) {
                       const S2Point sum = polygon.GetCentroid();
                       if (Same(sum, S2Point())) return out.Null();
                       out.Text(GeoPointJson(GeoPointOf(sum.Normalize())));
                     });
}

// Metres by which simplifying may move points; nullopt when they are not possible.
std::optional<S1Angle> ToleranceAt(const Arguments& a, std::size_t row) {
  const std::optional<double> metres = NumberAt(a, 1, row, kUsualTolerance);
  if (!metres || *metres < 0 || AngleOf(*metres) > MostTolerance()) return std::nullopt;
  return AngleOf(*metres);
}

// geo_polygon_simplify(polygon, metres)
ColumnPtr PolygonSimplify(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPolygons(Type::kDynamic, a, rows,
                     [&](ColumnBuilder& out, const S2Polygon& polygon, std::size_t row) {
                       const std::optional<S1Angle> tolerance = ToleranceAt(a, row);
                       if (!tolerance) return out.Null();
                       const auto simplified = Simplified(polygon, *tolerance);
                       if (!simplified) return out.Null();
                       out.Text(PolygonShapeJson(*simplified));
                     });
}

// The polygons of an array; none when one of its elements is no polygon.
std::vector<std::shared_ptr<const S2Polygon>> PolygonsAt(const Column& column, std::size_t row) {
  std::vector<std::shared_ptr<const S2Polygon>> polygons;
  for (const std::string_view element : ElementsAt(column, row)) {
    polygons.push_back(ReadPolygonShape(element));
    if (!polygons.back()) return {};
  }
  return polygons;
}

// geo_simplify_polygons_array(array, metres)
ColumnPtr SimplifyPolygonsArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<S1Angle> tolerance = ToleranceAt(a, row);
    const auto polygons = PolygonsAt(*a[0], row);
    if (!tolerance || polygons.empty()) return out.Null();
    std::vector<GeoRings> rings;
    for (const auto& polygon : Simplified(polygons, *tolerance)) {
      for (GeoRings& one : RingsOf(*polygon)) rings.push_back(std::move(one));
    }
    if (rings.empty()) return out.Null();
    out.Text(GeoPolygonsJson(rings));
  });
}

// geo_union_polygons_array(array)
ColumnPtr UnionPolygonsArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::vector<std::unique_ptr<S2Polygon>> copies;
    for (const auto& polygon : PolygonsAt(*a[0], row)) copies.emplace_back(polygon->Clone());
    if (copies.empty()) return out.Null();
    out.Text(PolygonShapeJson(*S2Polygon::DestructiveUnion(std::move(copies))));
  });
}

}  // namespace

FunctionList GeoPolygonFunctions() {
  return Declare({
      {"geo_closest_point_on_polygon(longitude: number, latitude: number, polygon: bag): dynamic",
       &ClosestPointOnPolygon},
      {"geo_distance_point_to_polygon(longitude: number, latitude: number, polygon: bag): real",
       &DistancePointToPolygon},
      {"geo_point_in_polygon(longitude: number, latitude: number, polygon: bag): bool",
       &PointInPolygon},
      {"geo_polygon_area(polygon: bag): real", &PolygonArea},
      {"geo_polygon_centroid(polygon: bag): dynamic", &PolygonCentroid},
      {"geo_polygon_perimeter(polygon: bag): real", &PolygonPerimeter},
      {"geo_polygon_simplify(polygon: bag, tolerance: number?): dynamic", &PolygonSimplify},
      {"geo_simplify_polygons_array(polygons: array, tolerance: number?): dynamic",
       &SimplifyPolygonsArray},
      {"geo_union_polygons_array(polygons: array): dynamic", &UnionPolygonsArray},
  });
}

}  // namespace picket::kql
