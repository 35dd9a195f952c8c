#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "agent/alerts/alerting.h"
#include "agent/outputs/settings.h"
#include "agent/poll/settings.h"
#include "agent/tables/local_files.h"
#include "auth/cloud.h"
#include "auth/token_client.h"
#include "base/http.h"
#include "base/time.h"
#include "base/uuid.h"

namespace picket::run {

struct Tenant {
  std::string name;  // [a-z0-9-]{1,63}
  Guid id;
  std::string app;                   // "" for [app]
  std::vector<std::string> streams;  // empty: all
};

// Everything that a round needs; the config fills it.
struct Settings {
  std::filesystem::path data_dir = "/var/lib/picket";
  auth::Cloud cloud;
  NetworkSettings network;
  std::map<std::string, auth::AppSettings> apps;  // by name
  std::vector<Tenant> tenants;
  std::vector<outputs::OutputSettings> outputs;
  poll::Settings poll;
  alerts::Settings alerts;
  std::vector<std::filesystem::path> rule_paths;
  bool shipped_rules = true;
  std::filesystem::path shipped_path;  // "": found beside the program
  tables::LocalFiles files;            // that rules and queries read
  int workers = 2;                     // tenants whose rules are evaluated at a time
  std::string heartbeat_url;           // "": none
  std::uint64_t min_free = std::uint64_t{1} << 30;
  std::int64_t max_size = 0;  // of a tenant's file; 0: no limit
};

}  // namespace picket::run
