#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/log_fields.h"
#include "base/text.h"

namespace picket {
namespace {

struct LogState {
  std::mutex mutex;
  LogLevel lowest = LogLevel::kWarn;
  LogFormat format = LogFormat::kText;
  bool journal = false;
  std::shared_ptr<spdlog::logger> logger;
};

LogState& State() {
  static LogState state;
  return state;
}

// systemd sets JOURNAL_STREAM to device:inode of the stderr that it reads (sd-daemon(3)).
bool StderrIsJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat info {};
  return stream != nullptr && ::fstat(2, &info) == 0 &&
         fmt::format("{}:{}", info.st_dev, info.st_ino) == stream;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
    case LogLevel::kNone:
      return "error";
  }
  return "error";
}

int SyslogPriority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return 7;
    case LogLevel::kInfo:
      return 6;
    case LogLevel::kWarn:
      return 4;
    case LogLevel::kError:
    case LogLevel::kNone:
      return 3;
  }
  return 3;
}

// One line, whatever the text.
std::string OneLine(std::string_view text) {
  std::string shown = EscapeTerminal(text);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return shown;
}

std::string ValueText(const LogField& field) {
  if (!MayLogField(field.name)) return "[redacted]";
  if (const auto* text = std::get_if<std::string>(&field.value)) return OneLine(*text);
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&field.value)) return fmt::format("{}", *real);
  return std::get<bool>(field.value) ? "true" : "false";
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string JsonLine(LogLevel level, std::string_view event, std::string_view message,
                     std::initializer_list<LogField> fields, Instant now) {
  std::string line =
      fmt::format(R"({{"ts":"{}","level":"{}","event":{},"msg":{})", FormatGraph(now),
                  LevelName(level), Quoted(event), Quoted(OneLine(message)));
  for (const LogField& field : fields) {
    const auto* real = std::get_if<double>(&field.value);
    const bool bare = !std::holds_alternative<std::string>(field.value) &&
                      MayLogField(field.name) && (real == nullptr || std::isfinite(*real));
    const std::string value = ValueText(field);
    line += fmt::format(",{}:{}", Quoted(field.name), bare ? value : Quoted(value));
  }
  return line + "}";
}

std::string TextLine(LogLevel level, std::string_view event, std::string_view message,
                     std::initializer_list<LogField> fields, Instant now, bool journal) {
  std::string line = journal ? fmt::format("<{}>", SyslogPriority(level))
                             : fmt::format("{} {:5} ", FormatGraph(now), LevelName(level));
  line += fmt::format("{} {}", event, OneLine(message));
  for (const LogField& field : fields) {
    const std::string value = ValueText(field);
    const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string::npos;
    line += fmt::format(" {}={}", field.name, plain ? value : Quoted(value));
  }
  return line;
}

}  // namespace

void ConfigureLog(LogLevel lowest, LogFormat format) {
  LogState& state = State();
  const std::lock_guard lock(state.mutex);
  state.lowest = lowest;
  state.format = format;
  state.journal = StderrIsJournal();
}

void Log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields) {
  LogState& state = State();
  const std::lock_guard lock(state.mutex);
  if (level < state.lowest) return;
  if (!state.logger) {
    state.logger = std::make_shared<spdlog::logger>(
        "picket", std::make_shared<spdlog::sinks::stderr_sink_st>());
    state.logger->set_pattern("%v");
    state.logger->set_level(spdlog::level::trace);
  }
  const Instant now = SystemClock().Now();
  const std::string line = state.format == LogFormat::kJson
                               ? JsonLine(level, event, message, fields, now)
                               : TextLine(level, event, message, fields, now, state.journal);
  state.logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  state.logger->flush();
}

void LogError(std::string_view event, const Error& error, std::initializer_list<LogField> fields) {
  std::string text = error.message;
  if (!error.hint.empty()) text += " (" + error.hint + ")";
  // Fields are a list of references to the caller's values; ours go into the message.
  Log(error.kind == ErrorKind::kCancelled ? LogLevel::kInfo : LogLevel::kError, event, text,
      fields);
}

}  // namespace picket
