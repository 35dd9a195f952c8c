// Values that a query may stumble over, and tables of them.

#include <cmath>
#include <limits>

#include "tests/kql/oracle/generator.h"

namespace picket::kql::oracle {
namespace {

std::string RandomText(Dice& dice) {
  return dice.Of(std::array<const char*, 24>{
      "ann",         "Ann",        "bob",
      "BOB",         "",           "zoë",
      "ZOË",         "a-b c",      "a_b",
      "user@x.org",  "12",         "0",
      "-5",          "1.5",        "read",
      "Write write", "МИР привет", "мир",
      "日本 x",      "😀 smile",    "don't",
      "back\\slash", "tab\there",  "a text of some length, longer than the others are"});
}

std::int64_t RandomLong(Dice& dice) {
  return dice.Of(std::array<std::int64_t, 16>{0, 1, 2, 3, 4, 5, 2, 1, -1, -7, 10, 12, 100, 50126,
                                              std::numeric_limits<std::int64_t>::max(),
                                              std::numeric_limits<std::int64_t>::min()});
}

double RandomReal(Dice& dice) {
  return dice.Of(std::array<double, 13>{0.0, 0.5, -0.5, 1.0, 2.0, 2.5, -3.25, 10.0, 1e10, 0.1,
                                        std::numeric_limits<double>::quiet_NaN(),
                                        std::numeric_limits<double>::infinity(),
                                        -std::numeric_limits<double>::infinity()});
}

std::int64_t RandomTime(Dice& dice) {
  if (dice.Once(16)) return dice.Once(2) ? 0 : kLastTick;
  if (dice.Once(4))
    return 637'134'336'000'000'000 + kTicksOfDay * 30 * static_cast<std::int64_t>(dice.Below(24));
  return kNow.ticks - kMinute.ticks * static_cast<std::int64_t>(dice.Below(300));
}

std::int64_t RandomSpan(Dice& dice) {
  return dice.Of(std::array<std::int64_t, 9>{0, 1, kTicksOfSecond, 15'000'000, kMinute.ticks * 90,
                                             kHour.ticks, kDay.ticks, -kHour.ticks,
                                             kDay.ticks * 400 + 7});
}

Json RandomJson(Dice& dice) {
  return Json::parse(dice.Of(std::array<const char*, 18>{
      R"({"os":"mac","v":[1,2]})", R"({"os":"Win","v":[]})", R"({"os":"mac"})", R"({"n":5})", "{}",
      R"({"n":-1,"os":"","v":[3,2,1]})", R"({"os":null,"v":{"a":{"b":[10,20]}}})", "[]", "[1,2,3]",
      R"(["a","b","a"])", R"([1,"x",null,true])", R"([[1,2],[3]])", R"([{"k":1},{"k":2}])",
      R"("text")", "7", "2.5", "true", R"(["zoë","МИР"])"}));
}

}  // namespace

Datum RandomValue(Dice& dice, Type type) {
  if (type != Type::kString && dice.Once(7)) return Null(type);
  switch (type) {
    case Type::kBool:
      return Bool(dice.Once(2));
    case Type::kInt:
      return Whole(type,
                   dice.Of(std::array<std::int64_t, 7>{0, 1, 2, 5, -3, INT32_MAX, INT32_MIN}));
    case Type::kLong:
      return Long(RandomLong(dice));
    case Type::kReal:
      return Real(RandomReal(dice));
    case Type::kDateTime:
      return Whole(type, RandomTime(dice));
    case Type::kTimespan:
      return Whole(type, RandomSpan(dice));
    case Type::kDynamic:
      return Dynamic(RandomJson(dice));
    default:
      return Text(RandomText(dice));
  }
}

Table RandomTable(Dice& dice, const Columns& columns) {
  Table table{.columns = columns, .rows = {}, .ordered = true};
  const std::size_t rows = dice.Once(8) ? 0 : dice.Below(dice.Once(2) ? 6 : 21);
  for (std::size_t i = 0; i < rows; ++i) {
    Row row;
    for (const Column& column : columns) {
      row.push_back(RandomValue(dice, column.type));
      if (column.name == "TimeGenerated" && row.back().null) {  // an event's time is known
        row.back() = Whole(Type::kDateTime, kNow.ticks - kHour.ticks);
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Columns ColumnsOfT() {
  return {{"TimeGenerated", Type::kDateTime},
          {"user", Type::kString},
          {"what", Type::kString},
          {"n", Type::kLong},
          {"i", Type::kInt},
          {"r", Type::kReal},
          {"b", Type::kBool},
          {"span", Type::kTimespan},
          {"d", Type::kDynamic}};
}

Columns ColumnsOfU() {
  return {{"TimeGenerated", Type::kDateTime}, {"user", Type::kString}, {"n", Type::kLong},
          {"seen", Type::kDateTime},          {"tag", Type::kString},  {"e", Type::kDynamic}};
}

}  // namespace picket::kql::oracle
