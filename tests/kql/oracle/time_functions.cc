// Functions of times. A null gives null.

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

constexpr std::int64_t kTicksOfHour = kTicksOfSecond * 3600;

// The calendar's parts that start…() cuts to.
std::optional<std::int64_t> StartDay(const std::string& op, std::int64_t days) {
  const Date date = DateOf(days);
  if (op == "startofday") return days;
  // 0001-01-01 was a Monday; weeks begin with Sunday.
  if (op == "startofweek") return days - (days + 1) % 7;
  if (op == "startofmonth") return DaysOf({date.year, date.month, 1});
  if (op == "startofyear") return DaysOf({date.year, 1, 1});
  return std::nullopt;
}

std::optional<std::int64_t> Part(const std::string& op, std::int64_t ticks) {
  const std::int64_t days = ticks / kTicksOfDay;
  const Date date = DateOf(days);
  if (op == "getyear") return date.year;
  if (op == "monthofyear") return date.month;
  if (op == "dayofmonth") return date.day;
  if (op == "dayofyear") return days - DaysOf({date.year, 1, 1}) + 1;
  if (op == "hourofday") return ticks % kTicksOfDay / kTicksOfHour;
  return std::nullopt;
}

// How many borders of the part lie between the two.
std::int64_t Difference(const std::string& part, std::int64_t a, std::int64_t b) {
  const Date x = DateOf(a / kTicksOfDay);
  const Date y = DateOf(b / kTicksOfDay);
  if (part == "year") return x.year - y.year;
  if (part == "month") return (x.year - y.year) * 12 + x.month - y.month;
  if (part == "day") return a / kTicksOfDay - b / kTicksOfDay;
  if (part == "hour") return a / kTicksOfHour - b / kTicksOfHour;
  if (part == "minute") return a / (kTicksOfSecond * 60) - b / (kTicksOfSecond * 60);
  if (part == "second") return a / kTicksOfSecond - b / kTicksOfSecond;
  throw Unspecified{"the part " + part};
}

}  // namespace

std::optional<Datum> TimeFunctionOf(const std::string& op, const Values& args) {
  if (op == "datetime_diff") {
    if (args[1].null || args[2].null) return Null(Type::kLong);
    return Long(Difference(args[0].text, args[1].number, args[2].number));
  }
  if (args.size() != 1) return std::nullopt;
  const std::int64_t ticks = args[0].number;
  if (op == "dayofweek") {
    // Of the last days, whose week does not end, the real engine answers null.
    const std::int64_t week_ends = ticks / kTicksOfDay - (ticks / kTicksOfDay + 1) % 7 + 7;
    if (args[0].null || week_ends * kTicksOfDay - 1 > kLastTick) return Null(Type::kTimespan);
    return Whole(Type::kTimespan, (ticks / kTicksOfDay + 1) % 7 * kTicksOfDay);
  }
  if (const auto day = StartDay(op, ticks / kTicksOfDay)) {
    if (args[0].null) return Null(Type::kDateTime);
    if (*day < 0) throw Unspecified{"a week that begins before time does"};
    return Whole(Type::kDateTime, *day * kTicksOfDay);
  }
  if (const auto part = Part(op, ticks)) {
    return args[0].null ? Null(Type::kLong) : Long(*part);
  }
  return std::nullopt;
}

}  // namespace picket::kql::oracle
