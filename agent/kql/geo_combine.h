#pragma once

#include <s2/mutable_s2shape_index.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/kql/geo_shape.h"

namespace picket::kql {

// Shapes brought together: boundaries belong to their shapes, and what has no area left is a line
// or a point. Everything gives nothing when S2 cannot do it within kMostShapeBytes.

std::unique_ptr<MutableS2ShapeIndex> IndexOf(const LineShape& lines);

bool Intersect(const S2ShapeIndex& a, const S2ShapeIndex& b);
// The intersection's GeoJSON: a shape, or a collection of several or of none.
std::optional<std::string> Intersection(const S2ShapeIndex& a, const S2ShapeIndex& b);

// As few lines as possible; what lines share is there once.
std::optional<LineShape> UnionOf(const LineShape& lines);
std::optional<LineShape> Simplified(const LineShape& lines, S1Angle tolerance);
// nullptr when nothing of the polygon is left.
std::unique_ptr<S2Polygon> Simplified(const S2Polygon& polygon, S1Angle tolerance);
// Each by itself, borders that they share alike; empty when one disappears.
std::vector<std::unique_ptr<S2Polygon>> Simplified(
    const std::vector<std::shared_ptr<const S2Polygon>>& polygons, S1Angle tolerance);

// The polygon and all within the radius, in metres.
std::unique_ptr<S2Polygon> Buffered(const S2Polygon& polygon, double radius);

// Snapping may move points by this at most: what S2 can do, and Kusto allows.
S1Angle MostTolerance();

}  // namespace picket::kql
