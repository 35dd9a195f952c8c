// Geospatial functions of lines. What is no line gives null.

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/geo_combine.h"
#include "agent/kql/geo_earth.h"
#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

constexpr double kUsualTolerance = 10;  // metres

// The point of the lines that is nearest to the point.
S2Point Nearest(const LineShape& lines, const S2Point& to) {
  S2Point nearest;
  S1Angle distance = S1Angle::Infinity();
  for (const auto& line : lines) {
    int next = 0;
    const S2Point candidate = line->Project(to, &next);
    const S1Angle from(candidate, to);
    if (from >= distance) continue;
    distance = from;
    nearest = candidate;
  }
  return nearest;
}

// f(out, point, lines) for each row that has both.
template <class F>
ColumnPtr MapPointAndLines(Type type, const Arguments& a, std::size_t rows, F f) {
  LineColumn lines(a[2]);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> point = PointAt(a, 0, row);
    const LineShape* shape = lines.At(row);
    if (!point || shape == nullptr) return out.Null();
    f(out, PointOf(*point), *shape);
  });
}

ColumnPtr ClosestPointOnLine(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPointAndLines(Type::kDynamic, a, rows,
                          [](ColumnBuilder& out, const S2Point& point, const LineShape& lines) {
                            out.Text(GeoPointJson(GeoPointOf(Nearest(lines, point))));
                          });
}

ColumnPtr DistancePointToLine(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapPointAndLines(Type::kReal, a, rows,
                          [](ColumnBuilder& out, const S2Point& point, const LineShape& lines) {
                            out.Real(Metres(S1Angle(Nearest(lines, point), point)));
                          });
}

// f(out, lines, row) for each row that has lines; several are taken as their union.
template <class F>
ColumnPtr MapUnions(Type type, const Arguments& a, std::size_t rows, F f) {
  LineColumn lines(a[0]);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const LineShape* shape = lines.At(row);
    if (shape == nullptr) return out.Null();
    if (shape->size() == 1) return f(out, *shape, row);
    const std::optional<LineShape> together = UnionOf(*shape);
    if (!together) return out.Null();
    f(out, *together, row);
  });
}

ColumnPtr LineLength(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapUnions(Type::kReal, a, rows,
                   [](ColumnBuilder& out, const LineShape& lines, std::size_t) {
                     S1Angle length = S1Angle::Zero();
                     for (const auto& line : lines) length += line->GetLength();
                     out.Real(Metres(length));
                   });
}

ColumnPtr LineCentroid(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapUnions(Type::kDynamic, a, rows,
                   [](ColumnBuilder& out, const LineShape& lines, std::size_t) {
                     S2Point sum;
                     for (const auto& line : lines) sum += line->GetCentroid();
                     if (Same(sum, S2Point())) return out.Null();
                     out.Text(GeoPointJson(GeoPointOf(sum.Normalize())));
                   });
}

// geo_line_simplify(lines, metres)
ColumnPtr LineSimplify(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapUnions(
      Type::kDynamic, a, rows, [&](ColumnBuilder& out, const LineShape& lines, std::size_t row) {
        const std::optional<double> metres = NumberAt(a, 1, row, kUsualTolerance);
        if (!metres || *metres < 0 || AngleOf(*metres) > MostTolerance()) {
          return out.Null();
        }
        const std::optional<LineShape> simplified = Simplified(lines, AngleOf(*metres));
        if (!simplified || simplified->empty()) return out.Null();
        out.Text(LineShapeJson(*simplified));
      });
}

// The point at the fraction of the only line's length.
ColumnPtr LineInterpolatePoint(const EvalContext&, const Arguments& a, std::size_t rows) {
  LineColumn lines(a[0]);
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const LineShape* shape = lines.At(row);
    const std::optional<double> fraction = NumberAt(a, 1, row, 0);
    if (shape == nullptr || shape->size() != 1 || !fraction || *fraction < 0 || *fraction > 1) {
      return out.Null();
    }
    out.Text(GeoPointJson(GeoPointOf(shape->front()->Interpolate(*fraction))));
  });
}

// The fraction of the line's length up to its point `at`, which is on the edge before `next`.
double FractionOnSpheroid(const S2Polyline& line, const S2Point& at, int next) {
  const auto length = [](const S2Point& from, const S2Point& to) {
    return Distance(GeoPointOf(from), GeoPointOf(to), EarthModel::kSpheroid);
  };
  double before = length(line.vertex(next - 1), at);
  double whole = 0;
  for (int i = 1; i < line.num_vertices(); ++i) {
    const double edge = length(line.vertex(i - 1), line.vertex(i));
    whole += edge;
    if (i < next) before += edge;
  }
  return before / whole;
}

// geo_line_locate_point(line, longitude, latitude, use_spheroid): where the line is nearest.
ColumnPtr LineLocatePoint(const EvalContext&, const Arguments& a, std::size_t rows) {
  LineColumn lines(a[0]);
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const LineShape* shape = lines.At(row);
    const std::optional<GeoPoint> point = PointAt(a, 1, row);
    if (shape == nullptr || shape->size() != 1 || !point) return out.Null();
    const S2Polyline& line = *shape->front();
    int next = 0;
    const S2Point at = line.Project(PointOf(*point), &next);
    if (!FlagAt(a, 3, row)) return out.Real(line.UnInterpolate(at, next));
    out.Real(next >= line.num_vertices() ? 1 : FractionOnSpheroid(line, at, next));
  });
}

// geo_union_lines_array(array)
ColumnPtr UnionLinesArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    LineShape all;
    for (const std::string_view element : ElementsAt(*a[0], row)) {
      const std::shared_ptr<const LineShape> lines = ReadLineShape(element);
      if (!lines) return out.Null();
      for (const auto& line : *lines) all.emplace_back(line->Clone());
    }
    const std::optional<LineShape> together = all.empty() ? std::nullopt : UnionOf(all);
    if (!together) return out.Null();
    out.Text(LineShapeJson(*together));
  });
}

}  // namespace

FunctionList GeoLineFunctions() {
  return Declare({
      {"geo_closest_point_on_line(longitude: number, latitude: number, lineString: bag): dynamic",
       &ClosestPointOnLine},
      {"geo_distance_point_to_line(longitude: number, latitude: number, lineString: bag): real",
       &DistancePointToLine},
      {"geo_line_centroid(lineString: bag): dynamic", &LineCentroid},
      {"geo_line_interpolate_point(lineString: bag, fraction: number): dynamic",
       &LineInterpolatePoint},
      {"geo_line_length(lineString: bag): real", &LineLength},
      {"geo_line_locate_point(lineString: bag, longitude: number, latitude: number, use_spheroid: "
       "flag?): real",
       &LineLocatePoint},
      {"geo_line_simplify(lineString: bag, tolerance: number?): dynamic", &LineSimplify},
      {"geo_union_lines_array(lineStrings: array): dynamic", &UnionLinesArray},
  });
}

}  // namespace picket::kql
