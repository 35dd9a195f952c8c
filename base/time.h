#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace picket {

// A span of time in 100 ns ticks, as Kusto counts it.
struct Timespan {
  std::int64_t ticks = 0;
  auto operator<=>(const Timespan&) const = default;
};

// A point in time: 100 ns ticks since 0001-01-01T00:00:00Z, as Kusto and .NET count it (the Unix
// epoch is 621355968000000000). All times of the data are these: events, windows, ticks of rules.
struct Instant {
  std::int64_t ticks = 0;
  auto operator<=>(const Instant&) const = default;

  static constexpr std::int64_t kUnixEpochTicks = 621355968000000000;
  static constexpr std::int64_t kMaxTicks = 3155378975999999999;  // 9999-12-31T23:59:59.9999999Z
  static Instant FromUnixMillis(std::int64_t ms) { return {kUnixEpochTicks + ms * 10000}; }
  [[nodiscard]] std::int64_t UnixMillis() const { return (ticks - kUnixEpochTicks) / 10000; }
};

inline constexpr Timespan kTick{1};
inline constexpr Timespan kMillisecond{10'000};
inline constexpr Timespan kSecond{10'000'000};
inline constexpr Timespan kMinute{kSecond.ticks * 60};
inline constexpr Timespan kHour{kMinute.ticks * 60};
inline constexpr Timespan kDay{kHour.ticks * 24};

constexpr Timespan operator*(Timespan span, std::int64_t n) { return {span.ticks * n}; }
constexpr Timespan operator*(std::int64_t n, Timespan span) { return {span.ticks * n}; }
constexpr Timespan operator+(Timespan a, Timespan b) { return {a.ticks + b.ticks}; }
constexpr Timespan operator-(Timespan a, Timespan b) { return {a.ticks - b.ticks}; }
constexpr Instant operator+(Instant t, Timespan span) { return {t.ticks + span.ticks}; }
constexpr Instant operator-(Instant t, Timespan span) { return {t.ticks - span.ticks}; }
constexpr Timespan operator-(Instant a, Instant b) { return {a.ticks - b.ticks}; }

inline std::chrono::milliseconds ToMillis(Timespan span) {
  return std::chrono::milliseconds(span.ticks / 10000);
}

// RFC 3339 with 0 to 9 fractional digits (beyond 7 are cut), `Z` or an offset, as Graph sends it;
// also a date alone and a time without a zone (UTC). Refuses what is no date of the calendar.
Result<Instant> ParseRfc3339(std::string_view text);

// "2026-11-24T10:00:00.1234567Z", fraction cut to what is needed (none for whole seconds).
std::string FormatRfc3339(Instant t);
// Always seven digits, as Kusto prints: "2026-11-24T10:00:00.0000000Z".
std::string FormatKusto(Instant t);
// For Graph filters: UTC, milliseconds, "Z".
std::string FormatGraph(Instant t);

// An HTTP date (RFC 9110, IMF-fixdate, and the two obsolete forms).
Result<Instant> ParseHttpDate(std::string_view text);
std::string FormatHttpDate(Instant t);

// "90d", "15m", "5s", "1h30m", "0", as the config writes spans (units ms s m h d).
Result<Timespan> ParseTimespan(std::string_view text);
// The shortest such text: "90d", "1h30m".
std::string FormatTimespan(Timespan span);
// ISO 8601 durations of Sentinel rules: "PT1H", "P14D", "P1DT12H".
Result<Timespan> ParseIsoDuration(std::string_view text);

struct CivilTime {
  int year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::int32_t fraction = 0;  // 100 ns ticks within the second
};
CivilTime ToCivil(Instant t);
// The caller checks the ranges; ParseRfc3339 does.
Instant FromCivil(const CivilTime& civil);

}  // namespace picket
