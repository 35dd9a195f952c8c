#include "agent/cli/context.h"

#include <CLI/CLI.hpp>

#include "agent/config/load.h"
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
      ->check(CLI::IsMember(std::move(formats)))
      ->default_str("table");
}

std::optional<run::Settings> LoadSettings(Context& context) {
  config::LoadedConfig loaded = config::Load(context.config);
  if (!loaded.problems.empty()) {
    for (const config::Problem& problem : loaded.problems) {
      PrintError({.kind = ErrorKind::kInvalidConfig, .message = config::ToString(problem)});
    }
    context.exit_code = 78;
    return std::nullopt;
  }
  LogLevel level = loaded.log_level == "debug"  ? LogLevel::kDebug
                   : loaded.log_level == "info" ? LogLevel::kInfo
                   : loaded.log_level == "warn" ? LogLevel::kWarn
                                                : LogLevel::kError;
  if (context.verbose > 0) level = context.verbose > 1 ? LogLevel::kDebug : LogLevel::kInfo;
  if (context.quiet) level = LogLevel::kError;
  ConfigureLog(level, loaded.log_format == "json" ? LogFormat::kJson : LogFormat::kText);
  return std::move(loaded.settings);
}

int Failed(Context& context, const Error& error) {
  PrintError(error);
  context.exit_code = error.remote_code == "locked" ? 75 : ExitCodeFor(error.kind);
  return context.exit_code;
}

std::string_view Version() { return PICKET_VERSION; }

}  // namespace picket::cli
