#pragma once

namespace picket::kql {

// Whether this build has S2 and so the geospatial functions of lines, polygons and S2 cells.
bool HasGeoShapes();

}  // namespace picket::kql
