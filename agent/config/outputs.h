#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "agent/config/problem.h"
#include "agent/config/toml_table.h"
#include "agent/run/settings.h"

namespace picket::config {

// Where an output's keys stand.
struct OutputPlaces {
  Place name, tenants;
};

// The outputs in the shape of the config; secrets as references.
nlohmann::json OutputsJson(const run::Settings& settings);

// The [[output]] tables of a file, added to the settings.
class OutputReader {
 public:
  explicit OutputReader(run::Settings& settings) : settings_(settings) {}
  void Read(TomlTable& table);
  // What needs the whole: names that must be unique, tenants that must be there.
  void Check(Problems& problems) const;

 private:
  run::Settings& settings_;
  std::vector<OutputPlaces> places_;  // as settings_.outputs
};

}  // namespace picket::config
