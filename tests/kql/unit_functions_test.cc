// Units, schemas and assertions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What the query prints: the second line of the table.
std::string Printed(const std::string& expression) {
  const std::string answer = Ask("print x = " + expression);
  const std::size_t bar = answer.find("x | ");
  return bar == 0 ? answer.substr(4) : answer;
}

TEST(Convert, AgreesWithWhatEverybodyKnows) {
  const char* const known[][2] = {
      {"convert_temperature(212, 'DegreeFahrenheit', 'DegreeCelsius')", "100"},
      {"convert_temperature(-40, 'DegreeCelsius', 'DegreeFahrenheit')", "-40"},
      {"convert_temperature(0, 'DegreeCelsius', 'Kelvin')", "273.15"},
      {"convert_temperature(100, 'DegreeCelsius', 'DegreeDelisle')", "0"},
      {"convert_temperature(80, 'DegreeReaumur', 'DegreeCelsius')", "100"},
      {"convert_temperature(60, 'DegreeRoemer', 'DegreeCelsius')", "100"},
      {"convert_length(1, 'Mile', 'Foot')", "5280"},
      {"convert_length(1, 'Yard', 'Inch')", "36"},
      {"convert_length(1, 'NauticalMile', 'Meter')", "1852"},
      {"convert_mass(1, 'Stone', 'Pound')", "14"},
      {"convert_mass(1, 'Tonne', 'Gram')", "1000000"},
      {"convert_volume(1, 'OilBarrel', 'UsGallon')", "42"},
      {"convert_volume(1, 'UsGallon', 'CubicInch')", "231"},
      {"convert_volume(1, 'UsTablespoon', 'UsTeaspoon')", "3"},
      {"convert_speed(36, 'KilometerPerHour', 'MeterPerSecond')", "10"},
      {"convert_speed(1, 'Knot', 'MeterPerHour')", "1852"},
      {"convert_energy(1, 'KilowattHour', 'Megajoule')", "3.6"},
      {"convert_energy(1, 'ThermEc', 'BritishThermalUnit')", "100000"},
      {"convert_force(1, 'KilogramForce', 'Newton')", "9.80665"},
      {"convert_force(1, 'PoundForce', 'OunceForce')", "16"},
      {"convert_angle(1, 'Revolution', 'Gradian')", "400"},
      {"convert_angle(180, 'Degree', 'Arcminute')", "10800"},
      {"convert_angle(0.5, 'Tilt', 'Degree')", "30"},
      {"convert_angle(30, 'Degree', 'Tilt')", "0.5"},
  };
  for (const auto& [expression, answer] : known) {
    // The last bits are those of the divisions.
    EXPECT_EQ(Printed("abs(" + std::string(expression) + " - " + answer + ") < 1e-9"), "True")
        << expression << " is " << Printed(expression);
  }
}

TEST(Convert, GivesNullForWhatIsNoUnit) {
  EXPECT_EQ(Printed("isnull(convert_length(1, 'meter', 'Foot'))"), "True")
      << "names are as written";
  EXPECT_EQ(Printed("isnull(convert_length(1, 'Meter', 'Pound'))"), "True");
  EXPECT_EQ(Printed("isnull(convert_length(real(null), 'Meter', 'Foot'))"), "True");
  EXPECT_THAT(Printed("convert_length('1', 'Meter', 'Foot')"), StartsWith("!KS"));
}

TEST(BuildSchema, TakesAllValues) {
  const auto schema = [](const std::string& values) {
    return Ask("datatable(v:dynamic)[" + values + "] | summarize buildschema(v)");
  };
  EXPECT_EQ(schema("dynamic({'a':1,'b':{'c':true}}), dynamic({'a':'x'})"),
            R"(schema_v | {"a":["long","string"],"b":{"c":"bool"}})");
  EXPECT_EQ(schema("dynamic({'a':[1,2.5,'x']}), dynamic({'a':3})"),
            R"(schema_v | {"a":[{"`indexer`":["double","long","string"]},"long"]})");
  EXPECT_EQ(schema("dynamic(1), dynamic(2)"), "schema_v | long");
  EXPECT_EQ(schema(""), "schema_v | ");
  EXPECT_EQ(schema("dynamic({'a':null})"), R"(schema_v | {"a":[]})");
}

TEST(Assert, IsSaidBeforeAnythingRuns) {
  EXPECT_EQ(Printed("assert(1 < 2, 'no')"), "True");
  EXPECT_THAT(Printed("assert(2 < 1, 'must be less')"), HasSubstr("must be less"));
  EXPECT_EQ(Ask("let f = (n:long, s:string) { assert(n > 0, 'n') and strlen(s) > n }; "
                "datatable(s:string)['123', '4567'] | where f(3, s)"),
            "s | 4567");
  EXPECT_THAT(Ask("datatable(n:long)[1] | where assert(n > 0, 'n')"), StartsWith("!PK104"));
}

TEST(Sketches, AreRefusedWithWhatToUseInstead) {
  const TestTables none;
  for (const char* query : {"print x=1 | summarize hll(x)", "print dcount_hll(dynamic([]))"}) {
    const CompileResult compiled = Compile(query, none);
    ASSERT_FALSE(compiled.query) << query;
    EXPECT_THAT(compiled.errors[0].hint, HasSubstr("dcount()")) << query;
  }
  const CompileResult digest = Compile("print x=1 | summarize tdigest(x)", none);
  ASSERT_FALSE(digest.query);
  EXPECT_THAT(digest.errors[0].hint, HasSubstr("percentile()"));
}

}  // namespace
}  // namespace picket::kql
