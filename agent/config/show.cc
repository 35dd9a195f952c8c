// The settings in force, in the shape of the file that sets them.

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "agent/config/load.h"
#include "agent/config/outputs.h"
#include "agent/config/toml_table.h"
#include "agent/kql/external.h"
#include "agent/run/rules_loader.h"

namespace picket::config {
namespace {

using nlohmann::json;

// As the config takes it, without loss: in the largest unit that divides it.
std::string SizeText(std::uint64_t bytes) {
  static constexpr std::array<std::pair<const char*, std::uint64_t>, 6> kUnits = {
      {{"GiB", 1U << 30},
       {"GB", 1'000'000'000},
       {"MiB", 1U << 20},
       {"MB", 1'000'000},
       {"KiB", 1024},
       {"KB", 1000}}};
  for (const auto& [name, size] : kUnits) {
    if (bytes > 0 && bytes % size == 0) return fmt::format("{}{}", bytes / size, name);
  }
  return fmt::format("{}B", bytes);
}

json AppJson(const auth::AppSettings& app) {
  return {{"client_id", app.client_id},
          {"credential", app.by_certificate ? "certificate" : "secret"},
          {"certificate", RefText(app.certificate)},
          {"certificate_password", RefText(app.certificate_password)},
          {"signing", app.algorithm == auth::SigningAlgorithm::kRs256 ? "RS256" : "PS256"},
          {"client_secret", RefText(app.client_secret)}};
}

// [app] and, in it, each [app.NAME].
json AppsJson(const run::Settings& settings) {
  json apps = json::object();
  for (const auto& [name, app] : settings.apps) {
    if (name.empty()) {
      apps.update(AppJson(app));
    } else {
      apps[name] = AppJson(app);
    }
  }
  return apps;
}

json TenantsJson(const run::Settings& settings) {
  json tenants = json::array();
  for (const run::Tenant& tenant : settings.tenants) {
    tenants.push_back({{"name", tenant.name},
                       {"tenant_id", ToString(tenant.id)},
                       {"app", tenant.app},
                       {"streams", tenant.streams.empty() ? json("all") : json(tenant.streams)}});
  }
  return tenants;
}

json PriorityJson(const alerts::PriorityTable& table) {
  json rows = json::object();
  for (const alerts::Impact impact : {alerts::Impact::kInformational, alerts::Impact::kLow,
                                      alerts::Impact::kMedium, alerts::Impact::kHigh}) {
    const auto of = [&](rules::Confidence confidence) {
      return alerts::PriorityName(table.Of(impact, confidence));
    };
    rows[std::string(alerts::ImpactName(impact))] = {{"low", of(rules::Confidence::kLow)},
                                                     {"medium", of(rules::Confidence::kMedium)},
                                                     {"high", of(rules::Confidence::kHigh)}};
  }
  return rows;
}

json RulesJson(const run::Settings& settings) {
  json paths = json::array();
  for (const auto& path : settings.rule_paths) paths.push_back(path.string());
  return {{"paths", std::move(paths)},
          {"shipped", settings.shipped_rules},
          {"shipped_path", run::ShippedRules(settings.shipped_path).string()}};
}

json FilesJson(const std::map<std::string, tables::FileSettings, std::less<>>& files) {
  json object = json::object();
  for (const auto& [name, file] : files) {
    json& shown = object[kql::ShownAddress(name)];
    shown = {{"file", file.path.string()},
             {"sha256", file.sha256},
             {"max_size", SizeText(file.max_bytes)}};
    if (!file.key.empty()) shown["key"] = file.key;
  }
  return object;
}

}  // namespace

json ToJson(const LoadedConfig& loaded) {
  const run::Settings& s = loaded.settings;
  json object = {
      {"agent",
       {{"data_dir", s.data_dir.string()},
        {"poll_interval", FormatTimespan(s.poll.poll_interval)},
        {"max_in_flight", s.poll.max_in_flight},
        {"workers", s.workers},
        {"heartbeat_url", s.heartbeat_url},
        {"log_level", loaded.log_level.empty() ? "warn" : loaded.log_level},
        {"log_format", loaded.log_format}}},
      {"cloud",
       {{"preset", loaded.cloud_preset},
        {"authority", s.cloud.authority},
        {"graph", s.cloud.graph},
        {"arm", s.cloud.arm},
        {"graph_audience", s.cloud.GraphAudience()},
        {"arm_audience", s.cloud.arm_audience.empty() ? s.cloud.arm : s.cloud.arm_audience}}},
      {"network",
       {{"proxy", s.network.proxy},
        {"proxy_user", s.network.proxy_user},
        {"proxy_password", RefText(s.network.proxy_password)},
        {"ca_file", s.network.ca_file}}},
      {"app", AppsJson(s)},
      {"poll",
       {{"backfill", FormatTimespan(s.poll.backfill)},
        {"once_backfill", FormatTimespan(s.poll.once_backfill)},
        {"overlap", FormatTimespan(s.poll.overlap)},
        {"settle", FormatTimespan(s.poll.settle)}}},
      {"retention",
       {{"events", FormatTimespan(s.poll.retention)},
        {"min_free", SizeText(s.min_free)},
        {"max_size", SizeText(static_cast<std::uint64_t>(s.max_size))}}},
      {"rules", RulesJson(s)},
      {"externaldata", FilesJson(s.files.external)},
      {"watchlist", FilesJson(s.files.watchlists)},
      {"priority", PriorityJson(s.alerts.priorities)},
      {"tenant", TenantsJson(s)}};
  if (!s.outputs.empty()) object["output"] = OutputsJson(s);
  return object;
}

}  // namespace picket::config
