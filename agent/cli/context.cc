#include "agent/cli/context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "agent/cli/usage.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

namespace picket::cli {

void AddConfigOption(CLI::App& verb, Context& context) {
  verb.add_option("--config", context.config, "The config file")->capture_default_str();
}

void AddFormatOption(CLI::App& verb, Context& context, std::vector<std::string> formats) {
  verb.add_option_function<std::string>(
          "--format",
          [&context](const std::string& name) {
            context.format = name == "json"         ? Format::kJson
                             : name == "csv"        ? Format::kCsv
                             : name == "prometheus" ? Format::kPrometheus
                                                    : Format::kTable;
          },
          "How to print")
      ->default_str("table");
  Choices(verb, "--format", std::move(formats));
}

namespace {

// At a terminal a command says itself what is wrong; log lines would say it twice.
LogLevel LevelOf(const Context& context, std::string_view configured) {
  if (context.quiet) return LogLevel::kError;
  if (context.verbose > 0) return context.verbose > 1 ? LogLevel::kDebug : LogLevel::kInfo;
  if (configured == "debug") return LogLevel::kDebug;
  if (configured == "info") return LogLevel::kInfo;
  if (configured == "error") return LogLevel::kError;
  if (configured.empty() && ::isatty(STDERR_FILENO) == 1) return LogLevel::kNone;
  return LogLevel::kWarn;
}

}  // namespace

std::optional<config::LoadedConfig> LoadConfig(Context& context) {
  config::LoadedConfig loaded = config::Load(context.config);
  if (!loaded.problems.empty()) {
    for (const config::Problem& problem : loaded.problems) {
      PrintError({.kind = ErrorKind::kInvalidConfig, .message = config::ToString(problem)});
    }
    context.exit_code = 78;
    return std::nullopt;
  }
  ConfigureLog(LevelOf(context, loaded.log_level),
               loaded.log_format == "json" ? LogFormat::kJson : LogFormat::kText);
  return loaded;
}

std::optional<run::Settings> LoadSettings(Context& context) {
  std::optional<config::LoadedConfig> loaded = LoadConfig(context);
  if (!loaded) return std::nullopt;
  return std::move(loaded->settings);
}

int Failed(Context& context, const Error& error) {
  PrintError(error);
  context.exit_code = error.remote_code == "locked"        ? 75
                      : error.remote_code == kCannotCreate ? 73
                                                           : ExitCodeFor(error.kind);
  return context.exit_code;
}

void SayTightened(const std::vector<std::filesystem::path>& parts) {
  if (parts.empty()) return;
  Say(fmt::format("note: other users could read {}{}; {} for the owner alone now",
                  EscapeTerminal(parts.front().string()),
                  parts.size() == 1 ? "" : fmt::format(" and {} more", parts.size() - 1),
                  parts.size() == 1 ? "it is" : "they are"));
}

std::optional<Instant> TimeArgument(Context& context, std::string_view option,
                                    const std::string& text) {
  const Result<Instant> time = ParseRfc3339(text);
  if (time) return *time;
  PrintError({.kind = ErrorKind::kInvalidConfig,
              .message = std::string(option) + " takes a time such as 2026-11-24T10:00:00Z"});
  context.exit_code = 64;
  return std::nullopt;
}

std::string_view Version() { return PICKET_VERSION; }

}  // namespace picket::cli
