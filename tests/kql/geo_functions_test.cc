// Geospatial functions against what can be known without the engine: geometry that can be worked
// out by hand, and examples that the makers of geohash, S2 and H3 published.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/kql/geo_shapes.h"
#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

using ::testing::HasSubstr;

// The only value of `print`.
std::string Print(const std::string& expression) {
  const std::string answer = Ask("print v = " + expression);
  const std::string head = "v | ";
  return answer.starts_with(head) ? answer.substr(head.size()) : answer;
}
std::string IsNull(const std::string& expression) { return Print("isnull(" + expression + ")"); }

// An eighth of the sphere, its corners on the equator and at the pole.
constexpr const char* kOctant =
    "dynamic({'type':'Polygon','coordinates':[[[0,0],[90,0],[0,90],[0,0]]]})";
// Ten degrees of the equator.
constexpr const char* kEquator =
    "dynamic({'type':'LineString','coordinates':[[0,0],[6,0],[10,0]]})";

TEST(GeoPoints, AreMeasuredAlongGreatCircles) {
  // A quarter of a circle of the radius 6,371,010 m.
  EXPECT_EQ(Print("round(geo_distance_2points(0, 0, 90, 0), 3)"), "10007559.106");
  EXPECT_EQ(Print("round(geo_distance_2points(12, -90, 77, 90), 3)"), "20015118.212");
  EXPECT_EQ(Print("geo_distance_2points(5, 5, 5, 5)"), "0.0");
}

TEST(GeoPoints, AreMeasuredOnTheSpheroidWhenAsked) {
  // WGS84: a quarter of the equator, and the quadrant from the equator to the pole.
  EXPECT_EQ(Print("round(geo_distance_2points(0, 0, 90, 0, true), 2)"), "10018754.17");
  EXPECT_EQ(Print("round(geo_distance_2points(0, 0, 0, 90, true), 2)"), "10001965.73");
  EXPECT_EQ(Print("round(geo_distance_2points(179, 0, -179, 0, true), 2)"), "222638.98");
}

TEST(GeoPoints, HaveDirectionsClockwiseFromNorth) {
  EXPECT_EQ(Print("geo_azimuth(0, 0, 0, 10)"), "0.0");
  EXPECT_EQ(Print("round(degrees(geo_azimuth(0, 0, 10, 0)), 9)"), "90.0");
  EXPECT_EQ(Print("round(degrees(geo_azimuth(0, 0, -10, 0)), 9)"), "270.0");
  EXPECT_EQ(Print("round(degrees(geo_angle(0, 10, 0, 0, 10, 0)), 9)"), "90.0");
  EXPECT_EQ(IsNull("geo_azimuth(5, 10, 5, 10)"), "True");
  EXPECT_EQ(IsNull("geo_angle(0, 10, 0, 10, 3, -10)"), "True");
}

TEST(GeoPoints, AreNullOffTheEarth) {
  EXPECT_EQ(IsNull("geo_distance_2points(181, 0, 0, 0)"), "True");
  EXPECT_EQ(IsNull("geo_distance_2points(0, -91, 0, 0)"), "True");
  EXPECT_EQ(IsNull("geo_distance_2points(0, 0, real(nan), 0)"), "True");
  EXPECT_EQ(IsNull("geo_point_in_circle(0, 0, 0, 0, -1)"), "True");
  EXPECT_EQ(Print("geo_point_to_geohash(0, 91)"), "");
  EXPECT_EQ(Print("geo_point_to_h3cell(181, 0)"), "");
}

TEST(GeoPoints, AreInACircleUpToItsRadius) {
  // A degree of the equator is 111,195.1 m.
  EXPECT_EQ(Print("geo_point_in_circle(1, 0, 0, 0, 111196)"), "True");
  EXPECT_EQ(Print("geo_point_in_circle(1, 0, 0, 0, 111195)"), "False");
  EXPECT_EQ(Print("geo_point_in_circle(-179.5, 0, 179.5, 0, 111196)"), "True");
}

TEST(Geohashes, AreThoseThatItsMakerPublished) {
  EXPECT_EQ(Print("geo_point_to_geohash(-5.6, 42.6, 5)"), "ezs42");
  EXPECT_EQ(Print("geo_point_to_geohash(10.40744, 57.64911, 11)"), "u4pruydqqvj");
  EXPECT_EQ(Print("strlen(geo_point_to_geohash(10.40744, 57.64911))"), "5");
  EXPECT_EQ(Print("geo_geohash_to_central_point('s').coordinates"), "[22.5,22.5]");
  EXPECT_EQ(Print("geo_geohash_to_polygon('s').coordinates"),
            "[[[0.0,0.0],[45.0,0.0],[45.0,45.0],[0.0,45.0],[0.0,0.0]]]");
  EXPECT_EQ(IsNull("geo_geohash_to_polygon('a')"), "True");
  EXPECT_EQ(IsNull("geo_geohash_to_polygon('')"), "True");
  EXPECT_EQ(Print("geo_point_to_geohash(1, 1, 19)"), "");
}

TEST(Geohashes, HaveNeighborsAroundTheWorldButNotBeyondThePoles) {
  EXPECT_EQ(Print("array_sort_asc(geo_geohash_neighbors('s'))"),
            R"(["7","e","g","k","m","t","u","v"])");
  EXPECT_EQ(Print("array_sort_asc(geo_geohash_neighbors('8'))"),
            R"(["2","3","9","b","c","r","x","z"])");
  EXPECT_EQ(Print("array_length(geo_geohash_neighbors('z'))"), "5");
}

TEST(H3Cells, AreThoseThatItsMakersPublished) {
  EXPECT_EQ(Print("geo_point_to_h3cell(-74.044444, 40.689167, 10)"), "8a2a1072b59ffff");
  EXPECT_EQ(Print("geo_point_to_h3cell(-122.41795063018799, 37.775938728915946, 9)"),
            "8928308280fffff");
  EXPECT_EQ(Print("array_sort_asc(geo_h3cell_neighbors('8a2a1072b59ffff'))"),
            R"(["8a2a1070c96ffff","8a2a1072b4a7fff","8a2a1072b4b7fff","8a2a1072b587fff",)"
            R"("8a2a1072b58ffff","8a2a1072b597fff"])");
  EXPECT_EQ(Print("geo_h3cell_level('8a2a1072b59ffff')"), "10");
  EXPECT_EQ(Print("geo_h3cell_parent('8a2a1072b59ffff', 6)"), "862a1072fffffff");
}

TEST(H3Cells, HaveNoNamesThatAreNone) {
  EXPECT_EQ(IsNull("geo_h3cell_level('abc')"), "True");
  EXPECT_EQ(IsNull("geo_h3cell_level('')"), "True");
  EXPECT_EQ(IsNull("geo_h3cell_level('8a2a1072b59ffff0')"), "True");
  EXPECT_EQ(IsNull("geo_h3cell_level('80f5fffffffffff')"), "True");  // there are 122 base cells
  EXPECT_EQ(IsNull("geo_h3cell_level('8109bffffffffff')"), "False");
  EXPECT_EQ(IsNull("geo_h3cell_level('81087ffffffffff')"), "True");  // a pentagon lacks that child
  EXPECT_EQ(Print("geo_h3cell_parent('862a1072fffffff', 7)"), "");
  EXPECT_EQ(IsNull("geo_h3cell_children('862a1072fffffff', 12)"), "True");
}

TEST(H3Cells, AreWhereTheirCentersAreAndDivideIntoSeven) {
  EXPECT_EQ(Print("array_length(geo_h3cell_children('862a1072fffffff', 9))"), "343");
  EXPECT_EQ(Print("array_length(geo_h3cell_children('8009fffffffffff', 2))"), "41");  // 1 + 5 + 5·7
  EXPECT_EQ(
      Ask("print c = geo_h3cell_children('8009fffffffffff', 4) | mv-expand c to typeof(string)"
          " | extend p = geo_h3cell_to_central_point(c).coordinates"
          " | where geo_point_to_h3cell(todouble(p[0]), todouble(p[1]), 4) != c | count"),
      "Count | 0");
  EXPECT_EQ(Ask("print c = geo_h3cell_rings('842a107ffffffff', 20) | mv-expand c"
                " | mv-expand c to typeof(string) | summarize count(), dcount(c),"
                " countif(geo_h3cell_level(c) == 4)"),
            "count_,dcount_c,countif_ | 1261,1261,1261");  // 1 + 3·20·21
}

TEST(H3Cells, GoAroundPentagons) {
  EXPECT_EQ(Print("array_length(geo_h3cell_neighbors('8009fffffffffff'))"), "5");
  EXPECT_EQ(Print("array_length(geo_h3cell_rings('8009fffffffffff', 2)[2])"), "10");
  EXPECT_EQ(Print("array_length(geo_h3cell_to_polygon('8009fffffffffff').coordinates[0])"), "6");
  // On odd levels each of its sides is bent by an edge of the icosahedron.
  EXPECT_EQ(Print("array_length(geo_h3cell_to_polygon('81083ffffffffff').coordinates[0])"), "11");
}

TEST(WellKnownText, BecomesGeoJson) {
  EXPECT_EQ(Print("geo_from_wkt('POINT (1 2)')"), R"({"type":"Point","coordinates":[1.0,2.0]})");
  EXPECT_EQ(Print("geo_from_wkt('linestring(1 2,-3.5 4e1)')"),
            R"({"type":"LineString","coordinates":[[1.0,2.0],[-3.5,40.0]]})");
  EXPECT_EQ(Print("geo_from_wkt('MULTIPOINT ((1 1), (2 2))')"),
            R"({"type":"MultiPoint","coordinates":[[1.0,1.0],[2.0,2.0]]})");
  EXPECT_THAT(Print("geo_from_wkt('GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (2 2, 3 3))')"),
              HasSubstr(R"("geometries":[{"type":"Point")"));
  for (const char* wrong : {"", "POINT", "POINT (1)", "POINT (1 nan)", "POINT (1 2) x",
                            "CIRCLE (1 2)", "LINESTRING (1 2, )", "POLYGON (0 0, 1 1)"}) {
    EXPECT_EQ(IsNull("geo_from_wkt('" + std::string(wrong) + "')"), "True") << wrong;
  }
}

// Functions that need S2.
class GeoShapes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasGeoShapes()) GTEST_SKIP() << "this build has no S2 (libs2-dev)";
  }
};

TEST_F(GeoShapes, HaveTheMeasuresOfAnOctant) {
  // 4πR²/8, three quarter circles, and the point of equal coordinates.
  EXPECT_EQ(Print(std::string("round(geo_polygon_area(") + kOctant + ") / 1e6, 3)"), "63758259.14");
  EXPECT_EQ(Print(std::string("round(geo_polygon_perimeter(") + kOctant + "), 2)"), "30022677.32");
  EXPECT_EQ(
      Ask(std::string("print c = geo_polygon_centroid(") + kOctant +
          ").coordinates | project x = round(todouble(c[0]), 9), y = round(todouble(c[1]), 9)"),
      "x,y | 45.0,35.264389683");
  EXPECT_EQ(Print(std::string("geo_point_in_polygon(45, 45, ") + kOctant + ")"), "True");
  EXPECT_EQ(Print(std::string("geo_point_in_polygon(-45, 45, ") + kOctant + ")"), "False");
  EXPECT_EQ(Print(std::string("geo_distance_point_to_polygon(45, 45, ") + kOctant + ")"), "0.0");
  EXPECT_EQ(Print(std::string("round(geo_distance_point_to_polygon(45, -1, ") + kOctant + "))"),
            "111195.0");
}

TEST_F(GeoShapes, AreTheSmallerAreaWhicheverWayTheyGo) {
  const std::string clockwise =
      "dynamic({'type':'Polygon','coordinates':[[[0,0],[0,90],[90,0],[0,0]]]})";
  EXPECT_EQ(Print("round(geo_polygon_area(" + clockwise + ") / 1e6, 3)"), "63758259.14");
  const std::string across =
      "dynamic({'type':'Polygon','coordinates':[[[179,-1],[-179,-1],[-179,1],[179,1],[179,-1]]]})";
  EXPECT_EQ(Print("geo_point_in_polygon(180, 0, " + across + ")"), "True");
  EXPECT_EQ(Print("geo_point_in_polygon(0, 0, " + across + ")"), "False");
}

TEST_F(GeoShapes, AreNoneWhenTheyAreWrong) {
  for (const char* wrong :
       {"{'type':'Polygon'}", "{'type':'Polygon','coordinates':[]}",
        "{'type':'Polygon','coordinates':7}",
        "{'type':'Polygon','coordinates':[[[0,0],[10,10],[10,10],[0,0]]]}",
        "{'type':'Polygon','coordinates':[[[0,0],[10,0],[10,10],[0,10]]]}",        // open
        "{'type':'Polygon','coordinates':[[[0,0],[10,10],[10,0],[0,10],[0,0]]]}",  // crosses
        "{'type':'Polygon','coordinates':[[[0,0],[10,0],[10,91],[0,0]]]}",
        "{'type':'Polygon','coordinates':[[['a',0],[10,0],[10,10],[0,0]]]}",
        "{'type':'LineString','coordinates':[[0,0],[1,1]]}", "[]", "null"}) {
    EXPECT_EQ(IsNull("geo_polygon_area(dynamic(" + std::string(wrong) + "))"), "True") << wrong;
  }
  for (const char* wrong : {"{'type':'LineString','coordinates':[[1,1]]}",
                            "{'type':'LineString','coordinates':[[1,1],[1,1]]}",
                            "{'type':'LineString','coordinates':[[[0,0],[1,1]]]}"}) {
    EXPECT_EQ(IsNull("geo_line_length(dynamic(" + std::string(wrong) + "))"), "True") << wrong;
  }
}

TEST_F(GeoShapes, MeasureLines) {
  const std::string line = kEquator;
  EXPECT_EQ(Print("round(geo_line_length(" + line + "), 2)"), "1111951.01");
  EXPECT_EQ(Print("round(geo_distance_point_to_line(5, 1, " + line + "), 2)"), "111195.1");
  EXPECT_EQ(
      Print("round(todouble(geo_closest_point_on_line(5, 1, " + line + ").coordinates[0]), 9)"),
      "5.0");
  EXPECT_EQ(Print("round(todouble(geo_line_centroid(" + line + ").coordinates[0]), 9)"), "5.0");
  EXPECT_EQ(
      Print("round(todouble(geo_line_interpolate_point(" + line + ", 0.75).coordinates[0]), 9)"),
      "7.5");
  EXPECT_EQ(Print("round(geo_line_locate_point(" + line + ", 2.5, 1), 9)"), "0.25");
  EXPECT_EQ(Print("round(geo_line_locate_point(" + line + ", 2.5, 1, true), 9)"), "0.25");
  EXPECT_EQ(IsNull("geo_line_interpolate_point(" + line + ", 1.5)"), "True");
}

TEST_F(GeoShapes, CountWhatLinesShareOnce) {
  const std::string lines =
      "dynamic({'type':'MultiLineString','coordinates':[[[0,0],[1,0]],[[1,0],[0,0]]]})";
  EXPECT_EQ(Print("round(geo_line_length(" + lines + "), 2)"), "111195.1");
}

TEST_F(GeoShapes, MeetWhereTheyCross) {
  const std::string across = "dynamic({'type':'LineString','coordinates':[[-10,0],[10,0]]})";
  const std::string up = "dynamic({'type':'LineString','coordinates':[[0,-10],[0,10]]})";
  const std::string away = "dynamic({'type':'LineString','coordinates':[[0,5],[0,10]]})";
  EXPECT_EQ(Print("geo_intersects_2lines(" + across + ", " + up + ")"), "True");
  EXPECT_EQ(Print("geo_intersects_2lines(" + across + ", " + away + ")"), "False");
  EXPECT_EQ(Print("geo_intersection_2lines(" + across + ", " + up + ").type"), "Point");
  EXPECT_EQ(Print("geo_intersection_2lines(" + across + ", " + away + ")"),
            R"({"type":"GeometryCollection","geometries":[]})");
  // Ten of twenty degrees of a meridian are within the octant.
  const std::string meridian = "dynamic({'type':'LineString','coordinates':[[45,-10],[45,10]]})";
  EXPECT_EQ(Print("round(geo_line_length(geo_intersection_line_with_polygon(" + meridian + ", " +
                  kOctant + ")), 2)"),
            "1111951.01");
  const std::string half =
      "dynamic({'type':'Polygon','coordinates':[[[0,0],[45,0],[0,90],[0,0]]]})";
  EXPECT_EQ(Print("round(geo_polygon_area(geo_intersection_2polygons(" + half + ", " + kOctant +
                  ")) / 1e6, 3)"),
            "31879129.57");
  EXPECT_EQ(Print("round(geo_polygon_area(geo_union_polygons_array(pack_array(" + half + ", " +
                  kOctant + "))) / 1e6, 3)"),
            "63758259.14");
  EXPECT_EQ(IsNull("geo_union_polygons_array(pack_array(" + half + ", 1))"), "True");
  EXPECT_EQ(IsNull("geo_union_lines_array(dynamic([]))"), "True");
}

TEST_F(GeoShapes, GrowByARadius) {
  // π(1 km)², to within the tolerance.
  EXPECT_EQ(Print("round(geo_polygon_area(geo_point_buffer(10, 50, 1000, 0.01)) / 1e6, 2)"),
            "3.14");
  EXPECT_EQ(Ask("print p = geo_point_buffer(10, 50, 1000, 1).coordinates[0]"
                " | mv-expand p | summarize m = max(abs(1000 - geo_distance_2points(10, 50,"
                " todouble(p[0]), todouble(p[1])))) | project m < 1"),
            "Column1 | True");
  EXPECT_EQ(
      Print(std::string("geo_point_in_polygon(10.5, 0, geo_line_buffer(") + kEquator + ", 60000))"),
      "True");
  EXPECT_EQ(Print(std::string("geo_point_in_polygon(45, -0.5, geo_polygon_buffer(") + kOctant +
                  ", 60000))"),
            "True");
  EXPECT_EQ(IsNull("geo_point_buffer(10, 50, 0)"), "True");
  EXPECT_EQ(IsNull("geo_point_buffer(10, 50, 1000, -1)"), "True");
}

TEST_F(GeoShapes, FollowTheParallelWhenDensified) {
  // Halfway between two places of 50° north the shorter way is far from the parallel.
  const std::string line = "dynamic({'type':'LineString','coordinates':[[0,50],[40,50]]})";
  EXPECT_EQ(Print("geo_distance_point_to_line(20, 50, " + line + ") > 100000"), "True");
  EXPECT_EQ(Print("geo_distance_point_to_line(20, 50, geo_line_densify(" + line + ", 5)) < 5"),
            "True");
  EXPECT_EQ(Print("geo_line_densify(dynamic({'type':'LineString','coordinates':[[170,0],[190,0]]}),"
                  " 10).type"),
            "MultiLineString");
  EXPECT_EQ(Print("geo_line_densify(dynamic({'type':'LineString','coordinates':[[170,0],[190,0]]}),"
                  " 10, true).type"),
            "LineString");
  const std::string box =
      "dynamic({'type':'Polygon','coordinates':[[[170,0],[190,0],[190,10],[170,10],[170,0]]]})";
  EXPECT_EQ(Print("array_length(geo_polygon_densify(" + box + ").coordinates)"), "2");
  EXPECT_EQ(Print("round(geo_polygon_area(geo_polygon_densify(" + box +
                  ", 0.1)) / 1e9, 3) =="
                  " round(geo_polygon_area(geo_polygon_densify(" +
                  box + ", 0.1, true)) / 1e9, 3)"),
            "True");
  EXPECT_EQ(IsNull("geo_line_densify(" + line + ", 0)"), "True");
}

TEST_F(GeoShapes, LoseSmallTurnsWhenSimplified) {
  const std::string line =
      "dynamic({'type':'LineString','coordinates':[[0,0],[1,0.00001],[2,-0.00001],[3,0]]})";
  EXPECT_EQ(Print("array_length(geo_line_simplify(" + line + ", 10).coordinates)"), "2");
  EXPECT_EQ(Print("array_length(geo_line_simplify(" + line + ", 0.1).coordinates)"), "4");
  EXPECT_EQ(IsNull("geo_line_simplify(" + line + ", 5000000)"), "True");  // nothing is left
  EXPECT_EQ(IsNull("geo_line_simplify(" + line + ", -1)"), "True");
  const std::string square =
      "dynamic({'type':'Polygon','coordinates':[[[0,0],[1,0],[2,0],[2,2],[0,2],[0,0]]]})";
  EXPECT_EQ(Print("array_length(geo_polygon_simplify(" + square + ", 1000).coordinates[0])"), "5");
  EXPECT_EQ(IsNull("geo_simplify_polygons_array(pack_array(" + square + "), 5000000)"), "True");
}

TEST_F(GeoShapes, AreCoveredByTheS2CellsOfThePointsWithin) {
  // The six faces, and the first cell of the curve, from S2's definition.
  EXPECT_EQ(Print("geo_point_to_s2cell(0, 0, 0)"), "1");
  EXPECT_EQ(Print("geo_point_to_s2cell(90, 0, 0)"), "3");
  EXPECT_EQ(Print("geo_point_to_s2cell(0, 90, 0)"), "5");
  EXPECT_EQ(Print("geo_point_to_s2cell(0, -90, 0)"), "b");
  EXPECT_EQ(Print("strlen(geo_point_to_s2cell(1, 1, 30))"), "16");
  EXPECT_EQ(IsNull("geo_s2cell_to_polygon('a')"), "True");
  EXPECT_EQ(IsNull("geo_s2cell_to_polygon('')"), "True");
  EXPECT_EQ(Print("round(geo_polygon_area(geo_s2cell_to_polygon('1')) / 1e6, 1)"), "85011012.2");
  EXPECT_EQ(Print(std::string("array_index_of(geo_polygon_to_s2cells(") + kOctant +
                  ", 5), geo_point_to_s2cell(45, 45, 5)) >= 0"),
            "True");
  EXPECT_EQ(Print(std::string("array_length(geo_polygon_to_s2cells(") + kOctant + ", 0))"), "3");
  EXPECT_EQ(IsNull(std::string("geo_polygon_to_s2cells(") + kOctant + ", 30)"), "True");
  EXPECT_EQ(Print(std::string("array_length(geo_line_to_s2cells(") + kEquator +
                  ", 9, 20000)) > "
                  "array_length(geo_line_to_s2cells(" +
                  kEquator + ", 9))"),
            "True");
  EXPECT_EQ(Print("array_length(geo_s2cell_neighbors('89c259'))"), "8");
}

TEST_F(GeoShapes, AreCoveredByTheH3CellsWhoseCentersAreWithin) {
  const std::string box =
      "dynamic({'type':'Polygon','coordinates':[[[10,40],[11,40],[11,41],[10,41],[10,40]]]})";
  // Of all cells around its middle, those with such centres, and no others.
  EXPECT_EQ(Ask("let covering = geo_polygon_to_h3cells(" + box +
                ", 5); print c = geo_h3cell_rings(geo_point_to_h3cell(10.5, 40.5, 5), 15)"
                " | mv-expand c | mv-expand c to typeof(string)"
                " | extend p = geo_h3cell_to_central_point(c).coordinates"
                " | extend x = todouble(p[0]), y = todouble(p[1])"
                " | where x > 10 and x < 11 and y > 40 and y < 41"
                " | summarize all = count(), covered = countif(array_index_of(covering, c) >= 0),"
                " covering = take_any(array_length(covering))"
                " | project all > 20, all == covered, all == covering"),
            "Column1,Column2,Column3 | True,True,True");
  const std::string across =
      "dynamic({'type':'Polygon','coordinates':[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]})";
  EXPECT_EQ(Print("array_index_of(geo_polygon_to_h3cells(" + across +
                  ", 4), geo_point_to_h3cell(180, 0.5, 4)) >= 0"),
            "True");
  EXPECT_EQ(Print("array_length(geo_polygon_to_h3cells(" + box +
                  ", 5, 20000)) > "
                  "array_length(geo_polygon_to_h3cells(" +
                  box + ", 5))"),
            "True");
  EXPECT_EQ(IsNull("geo_polygon_to_h3cells(" + box + ", 10)"), "True");  // too many
  EXPECT_EQ(IsNull("geo_polygon_to_h3cells(" + box + ", 16)"), "True");
}

TEST_F(GeoShapes, AreLookedUpByPoints) {
  const std::string start =
      "let shapes = datatable(name:string, shape:dynamic)["
      "'west', dynamic({'type':'Polygon','coordinates':[[[0,0],[10,0],[10,10],[0,10],[0,0]]]}),"
      "'both', dynamic({'type':'Polygon','coordinates':[[[5,0],[20,0],[20,10],[5,10],[5,0]]]}),"
      "'none', dynamic({'type':'Polygon'})];"
      "datatable(id:long, x:real, y:real)[1, 2, 5, 2, 7, 5, 3, -1, 5, 4, 100, 5, 5, real(null), 5]"
      " | evaluate geo_polygon_lookup(shapes, shape, x, y";
  EXPECT_EQ(Ask(start + ") | project id, name"), "id,name | 1,west | 2,west | 2,both");
  EXPECT_EQ(Ask(start + ", radius = 120000) | project id, name"),
            "id,name | 1,west | 2,west | 2,both | 3,west");
  EXPECT_EQ(Ask(start + ", return_unmatched = true) | where id > 2 | project id, name"),
            "id,name | 3, | 4, | 5,");
  EXPECT_EQ(Ask(start + ") | take 0"), "id,x,y,name");
  EXPECT_EQ(Ask(start + ", return_lookup_key = true) | take 0"), "id,x,y,name,shape");
  EXPECT_THAT(Ask(start + ", radius = -1)"), HasSubstr("!PK104"));
}

TEST_F(GeoShapes, AreLookedUpAlongLines) {
  const std::string start =
      "let roads = datatable(road:string, line:dynamic)["
      "'equator', dynamic({'type':'LineString','coordinates':[[0,0],[10,0]]}),"
      "'grid', dynamic({'type':'MultiLineString','coordinates':[[[0,1],[10,1]],[[0,3],[10,3]]]})];"
      "datatable(id:long, x:real, y:real)[1, 5, 0.4, 2, 5, 2.9, 3, 5, 2]"
      " | evaluate geo_line_lookup(roads, line, x, y";
  EXPECT_EQ(Ask(start + ", 50000) | project id, road"), "id,road | 1,equator | 2,grid");
  EXPECT_EQ(Ask(start + ", 120000) | project id, road"),
            "id,road | 1,equator | 1,grid | 2,grid | 3,grid");
  EXPECT_THAT(Ask(start + ")"), HasSubstr("!KS119"));
}

}  // namespace
}  // namespace picket::kql
