#include "base/time.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace picket {
namespace {

// Days since 0001-01-01 of a date of the proleptic Gregorian calendar.
std::int64_t DaysFromCivil(int year, int month, int day) {
  const std::chrono::sys_days days =
      std::chrono::year(year) / month / std::chrono::day(static_cast<unsigned>(day));
  constexpr std::int64_t kDaysToUnixEpoch = 719162;
  return days.time_since_epoch().count() + kDaysToUnixEpoch;
}

Error BadTime(std::string_view text) {
  return {.kind = ErrorKind::kUnexpectedReply,
          .message = fmt::format("no time: '{}'", EscapeTerminal(text.substr(0, 40)))};
}

// Reads fixed parts of a text from the left.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  bool Skip(std::string_view prefix) {
    if (rest_.substr(0, prefix.size()) != prefix) return false;
    rest_.remove_prefix(prefix.size());
    return true;
  }
  bool SkipAny(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` of them.
  std::optional<int> Number(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  // From one digit on, at most `most`.
  std::optional<std::int64_t> LongNumber(std::size_t most) {
    std::size_t digits = 0;
    std::int64_t value = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
      if (++digits > most) return std::nullopt;
      value = value * 10 + (rest_[digits - 1] - '0');
    }
    if (digits == 0) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }
  std::string_view Word() {
    std::size_t end = 0;
    while (end < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[end])) != 0) ++end;
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

 private:
  std::string_view rest_;
};

bool IsDate(int year, int month, int day) {
  return year >= 1 && year <= 9999 &&
         (std::chrono::year(year) / month / std::chrono::day(static_cast<unsigned>(day))).ok();
}

// "+hh:mm", "-hhmm", "Z" or nothing.
std::optional<Timespan> ReadZone(Cursor& cursor) {
  if (cursor.done() || cursor.SkipAny("Zz")) return Timespan{};
  const bool behind = cursor.Skip("-");
  if (!behind && !cursor.Skip("+")) return std::nullopt;
  const auto hours = cursor.Number(2);
  cursor.Skip(":");
  const auto minutes = cursor.Number(2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const Timespan offset = kHour * *hours + kMinute * *minutes;
  return behind ? offset * -1 : offset;
}

std::optional<std::int32_t> ReadFraction(Cursor& cursor) {
  std::int32_t ticks = 0;
  int digits = 0;
  while (const auto digit = cursor.Number(1)) {
    if (++digits > 9) return std::nullopt;
    if (digits <= 7) ticks = ticks * 10 + *digit;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 7; ++digits) ticks *= 10;
  return ticks;
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> MonthOf(std::string_view word) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (EqualsIgnoreCase(kMonths[i], word)) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

}  // namespace

CivilTime ToCivil(Instant t) {
  std::int64_t days = t.ticks / kDay.ticks;
  std::int64_t rest = t.ticks % kDay.ticks;
  if (rest < 0) {
    rest += kDay.ticks;
    --days;
  }
  constexpr std::int64_t kDaysToUnixEpoch = 719162;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(days - kDaysToUnixEpoch))};
  CivilTime civil;
  civil.year = static_cast<int>(date.year());
  civil.month = static_cast<int>(static_cast<unsigned>(date.month()));
  civil.day = static_cast<int>(static_cast<unsigned>(date.day()));
  civil.hour = static_cast<int>(rest / kHour.ticks);
  civil.minute = static_cast<int>(rest / kMinute.ticks % 60);
  civil.second = static_cast<int>(rest / kSecond.ticks % 60);
  civil.fraction = static_cast<std::int32_t>(rest % kSecond.ticks);
  return civil;
}

Instant FromCivil(const CivilTime& civil) {
  return Instant{DaysFromCivil(civil.year, civil.month, civil.day) * kDay.ticks +
                 civil.hour * kHour.ticks + civil.minute * kMinute.ticks +
                 civil.second * kSecond.ticks + civil.fraction};
}

Result<Instant> ParseRfc3339(std::string_view text) {
  Cursor cursor(text);
  CivilTime civil;
  const auto year = cursor.Number(4);
  const bool dash1 = cursor.Skip("-");
  const auto month = cursor.Number(2);
  const bool dash2 = cursor.Skip("-");
  const auto day = cursor.Number(2);
  if (!year || !dash1 || !month || !dash2 || !day || !IsDate(*year, *month, *day)) {
    return Fail(BadTime(text));
  }
  civil.year = *year;
  civil.month = *month;
  civil.day = *day;
  if (cursor.done()) return FromCivil(civil);

  if (!cursor.SkipAny("Tt ")) return Fail(BadTime(text));
  const auto hour = cursor.Number(2);
  const bool colon = cursor.Skip(":");
  const auto minute = cursor.Number(2);
  if (!hour || !colon || !minute || *hour > 23 || *minute > 59) return Fail(BadTime(text));
  civil.hour = *hour;
  civil.minute = *minute;
  if (cursor.Skip(":")) {
    const auto second = cursor.Number(2);
    if (!second || *second > 59) return Fail(BadTime(text));
    civil.second = *second;
    if (cursor.Skip(".")) {
      const auto fraction = ReadFraction(cursor);
      if (!fraction) return Fail(BadTime(text));
      civil.fraction = *fraction;
    }
  }
  const auto offset = ReadZone(cursor);
  if (!offset || !cursor.done()) return Fail(BadTime(text));
  const Instant t = FromCivil(civil) - *offset;
  if (t.ticks < 0 || t.ticks > Instant::kMaxTicks) return Fail(BadTime(text));
  return t;
}

std::string FormatRfc3339(Instant t) {
  const CivilTime c = ToCivil(t);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day,
                                 c.hour, c.minute, c.second);
  if (c.fraction != 0) {
    std::string fraction = fmt::format(".{:07}", c.fraction);
    while (fraction.back() == '0') fraction.pop_back();
    text += fraction;
  }
  return text + "Z";
}

std::string FormatKusto(Instant t) {
  const CivilTime c = ToCivil(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.fraction);
}

std::string FormatGraph(Instant t) {
  const CivilTime c = ToCivil(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.fraction / 10000);
}

Result<Instant> ParseHttpDate(std::string_view text) {
  const auto bad = [&] { return Fail(BadTime(text)); };
  Cursor cursor(Trim(text));
  CivilTime civil;
  if (cursor.Word().empty()) return bad();
  const auto clock = [&]() -> bool {
    const auto hour = cursor.Number(2);
    const bool colon1 = cursor.Skip(":");
    const auto minute = cursor.Number(2);
    const bool colon2 = cursor.Skip(":");
    const auto second = cursor.Number(2);
    if (!hour || !colon1 || !minute || !colon2 || !second) return false;
    if (*hour > 23 || *minute > 59 || *second > 60) return false;
    civil.hour = *hour;
    civil.minute = *minute;
    civil.second = *second;
    return true;
  };
  if (cursor.Skip(", ")) {  // IMF-fixdate, or RFC 850 with dashes and a two-digit year
    const auto day = cursor.Number(2);
    const bool rfc850 = cursor.Skip("-");
    if (!rfc850 && !cursor.Skip(" ")) return bad();
    const auto month = MonthOf(cursor.Word());
    if (!cursor.Skip(rfc850 ? "-" : " ")) return bad();
    auto year = cursor.Number(rfc850 ? 2 : 4);
    if (year && rfc850) *year += *year < 70 ? 2000 : 1900;
    if (!day || !month || !year || !cursor.Skip(" ") || !clock()) return bad();
    civil.year = *year;
    civil.month = *month;
    civil.day = *day;
    if (!cursor.Skip(" GMT") || !cursor.done()) return bad();
  } else {  // asctime: "Sun Nov  6 08:49:37 1994"
    if (!cursor.Skip(" ")) return bad();
    const auto month = MonthOf(cursor.Word());
    if (!cursor.Skip(" ")) return bad();
    const auto day = cursor.Skip(" ") ? cursor.Number(1) : cursor.Number(2);
    if (!month || !day || !cursor.Skip(" ") || !clock() || !cursor.Skip(" ")) return bad();
    const auto year = cursor.Number(4);
    if (!year || !cursor.done()) return bad();
    civil.year = *year;
    civil.month = *month;
    civil.day = *day;
  }
  if (!IsDate(civil.year, civil.month, civil.day)) return bad();
  return FromCivil(civil);
}

std::string FormatHttpDate(Instant t) {
  static constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                            "Fri", "Sat", "Sun"};
  const CivilTime c = ToCivil(t);
  const auto weekday = static_cast<std::size_t>(t.ticks / kDay.ticks % 7);  // day 0 was a Monday
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays.at(weekday), c.day,
                     kMonths.at(static_cast<std::size_t>(c.month - 1)), c.year, c.hour, c.minute,
                     c.second);
}

Result<Timespan> ParseTimespan(std::string_view text) {
  if (text == "0") return Timespan{};
  Cursor cursor(text);
  Timespan total{};
  const auto bad = [&] {
    return Fail(
        {.kind = ErrorKind::kInvalidConfig,
         .message = fmt::format("no span of time: '{}'", EscapeTerminal(text.substr(0, 40))),
         .hint = "Write a number and a unit of ms, s, m, h, d: \"90d\"."});
  };
  if (text.empty()) return bad();
  while (!cursor.done()) {
    const auto number = cursor.LongNumber(7);
    const std::string_view unit = cursor.Word();
    const std::optional<Timespan> size = unit == "ms"  ? std::optional(kMillisecond)
                                         : unit == "s" ? std::optional(kSecond)
                                         : unit == "m" ? std::optional(kMinute)
                                         : unit == "h" ? std::optional(kHour)
                                         : unit == "d" ? std::optional(kDay)
                                                       : std::nullopt;
    if (!number || !size || *number > kDay.ticks * 36500 / size->ticks) return bad();
    total = total + *size * *number;
    if (total > kDay * 36500) return bad();
  }
  return total;
}

std::string FormatTimespan(Timespan span) {
  if (span.ticks == 0) return "0";
  std::string text = span.ticks < 0 ? "-" : "";
  std::int64_t rest = span.ticks < 0 ? -span.ticks : span.ticks;
  static constexpr std::array<std::pair<Timespan, const char*>, 5> kUnits = {
      {{kDay, "d"}, {kHour, "h"}, {kMinute, "m"}, {kSecond, "s"}, {kMillisecond, "ms"}}};
  for (const auto& [size, unit] : kUnits) {
    if (rest >= size.ticks) text += fmt::format("{}{}", rest / size.ticks, unit);
    rest %= size.ticks;
  }
  return text.empty() || text == "-" ? "0" : text;
}

Result<Timespan> ParseIsoDuration(std::string_view text) {
  const auto bad = [&] {
    return Fail(
        {.kind = ErrorKind::kRefused,
         .message = fmt::format("no ISO 8601 duration: '{}'", EscapeTerminal(text.substr(0, 40)))});
  };
  Cursor cursor(text);
  if (!cursor.SkipAny("Pp") || cursor.done()) return bad();
  Timespan total{};
  bool in_time = false;
  while (!cursor.done()) {
    if (!in_time && cursor.SkipAny("Tt")) {
      in_time = true;
      if (cursor.done()) return bad();
      continue;
    }
    const auto number = cursor.LongNumber(5);
    if (!number) return bad();
    if (!in_time && cursor.SkipAny("Dd")) {
      total = total + kDay * *number;
    } else if (!in_time && cursor.SkipAny("Ww")) {
      total = total + kDay * 7 * *number;
    } else if (in_time && cursor.SkipAny("Hh")) {
      total = total + kHour * *number;
    } else if (in_time && cursor.SkipAny("Mm")) {
      total = total + kMinute * *number;
    } else if (in_time && cursor.SkipAny("Ss")) {
      total = total + kSecond * *number;
    } else {
      return bad();
    }
  }
  return total;
}

}  // namespace picket
