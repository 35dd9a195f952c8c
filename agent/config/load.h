#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "agent/config/problem.h"
#include "agent/run/settings.h"
#include "base/result.h"

namespace picket::config {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;

struct LoadedConfig {
  run::Settings settings;
  std::string log_level;            // debug | info | warn | error; "" when it does not say
  std::string log_format = "text";  // text | json
  std::string cloud_preset = "global";
  Problems problems;  // empty: the settings are good
};

// picket.toml and, beside it, tenants.d/*.toml. All problems are found, not only the first.
LoadedConfig Load(const std::filesystem::path& file);
// The same of a text; `file` names it in problems.
LoadedConfig Parse(std::string_view text, const std::string& file);

// Every setting in force, defaults filled in, in the shape of picket.toml; secrets as references.
nlohmann::json ToJson(const LoadedConfig& loaded);

// A commented picket.toml with every key.
std::string_view SampleConfig();

}  // namespace picket::config
