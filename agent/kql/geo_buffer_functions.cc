// What lies within a distance of points, lines and polygons, as polygons.

#include <s2/s2buffer_operation.h>
#include <s2/s2builderutil_s2polygon_layer.h>
#include <s2/s2error.h>
#include <s2/s2memory_tracker.h>

#include <algorithm>

#include "agent/kql/geo_combine.h"
#include "agent/kql/geo_kernel.h"
#include "agent/kql/geo_shape.h"

namespace picket::kql {
namespace {

constexpr double kUsualTolerance = 10;  // metres

// What add(operation) adds and all within the radius, in metres, its boundary off by the tolerance
// at most; nullptr when that is not possible.
template <class F>
std::unique_ptr<S2Polygon> Grown(double radius, double tolerance, F add) {
  if (!(radius > 0) || !(tolerance > 0)) return nullptr;
  const double fraction = tolerance / radius;
  const bool possible = fraction >= S2BufferOperation::Options::kMinErrorFraction &&
                        AngleOf(radius) <= S1Angle::Degrees(180);
  if (!possible) return nullptr;
  S2MemoryTracker tracker;
  tracker.set_limit_bytes(kMostShapeBytes);
  S2BufferOperation::Options options(AngleOf(radius));
  options.set_error_fraction(std::min(fraction, 1.0));
  options.set_memory_tracker(&tracker);
  auto polygon = std::make_unique<S2Polygon>();
  S2BufferOperation operation(std::make_unique<s2builderutil::S2PolygonLayer>(polygon.get()),
                              options);
  add(operation);
  S2Error error;
  return operation.Build(&error) ? std::move(polygon) : nullptr;
}

// Radius and tolerance from the argument `place` on.
template <class F>
void Buffer(ColumnBuilder& out, const Arguments& a, std::size_t place, std::size_t row, F add) {
  const std::optional<double> radius = NumberAt(a, place, row, 0);
  const std::optional<double> tolerance = NumberAt(a, place + 1, row, kUsualTolerance);
  if (!radius || !tolerance) return out.Null();
  const std::unique_ptr<S2Polygon> polygon = Grown(*radius, *tolerance, add);
  if (!polygon) return out.Null();
  out.Text(PolygonShapeJson(*polygon));
}

// geo_point_buffer(longitude, latitude, radius, tolerance)
ColumnPtr PointBuffer(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<GeoPoint> point = PointAt(a, 0, row);
    if (!point) return out.Null();
    Buffer(out, a, 2, row,
           [&](S2BufferOperation& operation) { operation.AddPoint(PointOf(*point)); });
  });
}

// geo_line_buffer(line, radius, tolerance)
ColumnPtr LineBuffer(const EvalContext&, const Arguments& a, std::size_t rows) {
  LineColumn lines(a[0]);
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const LineShape* shape = lines.At(row);
    if (shape == nullptr) return out.Null();
    Buffer(out, a, 1, row, [&](S2BufferOperation& operation) {
      for (const auto& line : *shape) operation.AddPolyline(line->vertices_span());
    });
  });
}

// geo_polygon_buffer(polygon, radius, tolerance)
ColumnPtr PolygonBuffer(const EvalContext&, const Arguments& a, std::size_t rows) {
  PolygonColumn polygons(a[0]);
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const S2Polygon* polygon = polygons.At(row);
    if (polygon == nullptr) return out.Null();
    Buffer(out, a, 1, row,
           [&](S2BufferOperation& operation) { operation.AddShapeIndex(polygon->index()); });
  });
}

}  // namespace

std::unique_ptr<S2Polygon> Buffered(const S2Polygon& polygon, double radius) {
  return Grown(radius, std::max(kUsualTolerance, radius / 1000),
               [&](S2BufferOperation& operation) { operation.AddShapeIndex(polygon.index()); });
}

FunctionList GeoBufferFunctions() {
  return Declare({
      {"geo_line_buffer(lineString: bag, radius: number, tolerance: number?): dynamic",
       &LineBuffer},
      {"geo_point_buffer(longitude: number, latitude: number, radius: number, tolerance: number?): "
       "dynamic",
       &PointBuffer},
      {"geo_polygon_buffer(polygon: bag, radius: number, tolerance: number?): dynamic",
       &PolygonBuffer},
  });
}

}  // namespace picket::kql
