#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace picket {

// kNone is no line's level: with it as the lowest, nothing is logged.
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kNone };

// What may be logged is allowed by name: a field is printed only if its name is in the list of
// base/log_fields.cc, else as "[redacted]". There is no way to log a secret type.
struct LogField {
  std::string_view name;
  std::variant<std::string, std::int64_t, double, bool> value;
};

enum class LogFormat : std::uint8_t { kText, kJson };

// Once, before the first line. Writes to stderr; under systemd with <N> prefixes.
void ConfigureLog(LogLevel lowest, LogFormat format);

// `event` is a constant dotted name ("graph.throttled"), `message` a constant sentence; what varies
// are fields. Levels: info is what you asked for, warn is odd but nothing is lost, error needs the
// operator. Thread-safe.
void Log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields = {});
void LogError(std::string_view event, const Error& error,
              std::initializer_list<LogField> fields = {});

}  // namespace picket
