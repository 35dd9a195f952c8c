// Whether and where lines and polygons meet. What is neither gives null.

#include "agent/kql/geo_combine.h"
#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

// The lines of a column, as what S2 intersects.
class LineIndexes {
 public:
  explicit LineIndexes(const ColumnPtr& column) : lines_(column) {}
  const S2ShapeIndex* At(std::size_t row) {
    const LineShape* shape = lines_.At(row);
    if (shape == nullptr) return nullptr;
    index_ = IndexOf(*shape);
    return index_.get();
  }

 private:
  LineColumn lines_;
  std::unique_ptr<MutableS2ShapeIndex> index_;
};

class PolygonIndexes {
 public:
  explicit PolygonIndexes(const ColumnPtr& column) : polygons_(column) {}
  const S2ShapeIndex* At(std::size_t row) {
    const S2Polygon* polygon = polygons_.At(row);
    return polygon == nullptr ? nullptr : &polygon->index();
  }

 private:
  PolygonColumn polygons_;
};

// A row's two shapes to `write`; null where one of them is none.
template <class A, class B, class Write>
ColumnPtr MapShapes(Type type, const Arguments& a, std::size_t rows, const Write& write) {
  A first(a[0]);
  B second(a[1]);
  return MapRows(type, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const S2ShapeIndex* one = first.At(row);
    const S2ShapeIndex* other = second.At(row);
    if (one == nullptr || other == nullptr) return out.Null();
    write(*one, *other, out);
  });
}

template <class A, class B>
ColumnPtr Intersects(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapShapes<A, B>(Type::kBool, a, rows,
                         [](const S2ShapeIndex& one, const S2ShapeIndex& other,
                            ColumnBuilder& out) { out.Bool(Intersect(one, other)); });
}

template <class A, class B>
ColumnPtr IntersectionOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapShapes<A, B>(
      Type::kDynamic, a, rows,
      [](const S2ShapeIndex& one, const S2ShapeIndex& other, ColumnBuilder& out) {
        const std::optional<std::string> json = Intersection(one, other);
        if (!json) return out.Null();
        out.Text(*json);
      });
}

}  // namespace

FunctionList GeoIntersectionFunctions() {
  return Declare({
      {"geo_intersection_2lines(lineString1: bag, lineString2: bag): dynamic",
       &IntersectionOf<LineIndexes, LineIndexes>},
      {"geo_intersection_2polygons(polygon1: bag, polygon2: bag): dynamic",
       &IntersectionOf<PolygonIndexes, PolygonIndexes>},
      {"geo_intersection_line_with_polygon(lineString: bag, polygon: bag): dynamic",
       &IntersectionOf<LineIndexes, PolygonIndexes>},
      {"geo_intersects_2lines(lineString1: bag, lineString2: bag): bool",
       &Intersects<LineIndexes, LineIndexes>},
      {"geo_intersects_2polygons(polygon1: bag, polygon2: bag): bool",
       &Intersects<PolygonIndexes, PolygonIndexes>},
      {"geo_intersects_line_with_polygon(lineString: bag, polygon: bag): bool",
       &Intersects<LineIndexes, PolygonIndexes>},
  });
}

}  // namespace picket::kql
