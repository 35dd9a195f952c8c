#include "agent/config/load.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <map>

#include "agent/config/local_files.h"
#include "agent/config/outputs.h"
#include "agent/config/toml_table.h"
#include "agent/graph/collection.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::config {
namespace {

namespace fs = std::filesystem;

// The key or table that a line of TOML defines; "" for another. Only what a bare name is made of:
// nothing that might be a value.
struct KeyOfLine {
  std::string name;
  std::uint32_t column = 0;
};
KeyOfLine FindKey(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  const std::size_t begin = text.find_first_not_of(" \t[");
  if (begin == std::string_view::npos) return {};
  const std::size_t end = text.find_first_of("=]", begin);
  if (end == std::string_view::npos) return {};
  const std::string_view name = Trim(text.substr(begin, end - begin));
  const bool bare = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (!bare) return {};
  return {std::string(name), static_cast<std::uint32_t>(begin + 1)};
}

class Loader {
 public:
  explicit Loader(LoadedConfig& loaded) : loaded_(loaded), settings_(loaded.settings) {}

  void ReadMain(std::string_view text, const std::string& file) {
    if (const auto table = ParseToml(text, file)) {
      TomlTable root(*table, "", file, loaded_.problems);
      Root(root);
      root.Finish();
    }
  }

  // One tenant a file: its keys at the top, or in one [[tenant]].
  void ReadTenantFile(std::string_view text, const std::string& file) {
    if (const auto table = ParseToml(text, file)) {
      TomlTable root(*table, "", file, loaded_.problems);
      if (root.Has("tenant")) {
        root.Tables("tenant", [&](TomlTable& tenant) { TenantTable(tenant); });
      } else {
        TenantTable(root);
      }
      root.Finish();
    }
  }

  // What needs the whole: names that must be unique or be there.
  void CheckWhole(const std::string& file) {
    const bool good = loaded_.problems.empty();
    CheckUnique();
    if (!good) return;  // what follows from them would only confuse
    if (settings_.tenants.empty()) {
      Complain({.file = file}, "no tenant is configured",
               "Add a [[tenant]], or a file in tenants.d.");
    }
    CheckApps();
    outputs_.Check(loaded_.problems);
  }

 private:
  // Where a tenant's keys stand.
  struct TenantPlaces {
    Place name, id, app;
  };

  void Complain(const Place& at, std::string message, std::string hint) {
    loaded_.problems.push_back({.file = at.file,
                                .line = at.line,
                                .column = at.column,
                                .message = std::move(message),
                                .hint = std::move(hint)});
  }

  void CheckUnique() {
    std::map<std::string, Place> names;
    std::map<Guid, Place> ids;
    for (std::size_t i = 0; i < settings_.tenants.size(); ++i) {
      const run::Tenant& tenant = settings_.tenants[i];
      const TenantPlaces& at = places_[i];
      const auto [name, new_name] = names.emplace(tenant.name, at.name);
      if (!new_name && !tenant.name.empty()) {
        Complain(at.name,
                 fmt::format("a tenant at {} is named '{}' too", ToString(name->second),
                             EscapeTerminal(tenant.name)),
                 "Give one of them another name, or remove it.");
      }
      const auto [id, new_id] = ids.emplace(tenant.id, at.id);
      if (!new_id && tenant.id != Guid{}) {
        Complain(at.id,
                 fmt::format("the tenant at {} has this tenant_id too", ToString(id->second)),
                 "Correct one of them, or remove it.");
      }
    }
  }

  void CheckApps() {
    std::vector<std::string_view> names;
    for (const auto& [name, app] : settings_.apps) names.push_back(name);
    for (std::size_t i = 0; i < settings_.tenants.size(); ++i) {
      const run::Tenant& tenant = settings_.tenants[i];
      if (settings_.apps.contains(tenant.app)) continue;
      if (tenant.app.empty()) {
        Complain(places_[i].app, fmt::format("the tenant '{}' needs an [app]", tenant.name),
                 "Add one, or name an [app.NAME] by app = \"NAME\".");
        continue;
      }
      const std::string_view nearest = Nearest(tenant.app, names);
      const std::string app = EscapeTerminal(tenant.app);
      Complain(places_[i].app,
               fmt::format("the tenant '{}' names [app.{}], which is not there", tenant.name, app),
               nearest.empty() ? fmt::format("Add [app.{}], the application's registration.", app)
                               : fmt::format("Did you mean '{}'?", EscapeTerminal(nearest)));
    }
  }

  std::optional<toml::table> ParseToml(std::string_view text, const std::string& file) {
    const auto complain = [&](std::string message, std::string hint, toml::source_position at) {
      loaded_.problems.push_back({.file = file,
                                  .line = at.line,
                                  .column = at.column,
                                  .message = std::move(message),
                                  .hint = std::move(hint)});
    };
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    if (text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF") {
      complain("the file is UTF-16", "Save it as UTF-8.", {});
      return std::nullopt;
    }
    try {
      return toml::parse(text, file);
    } catch (const toml::parse_error& e) {
      // The library's words may quote the line, and so a secret; ours say where.
      const std::string_view words = e.description();
      toml::source_position at = e.source().begin;
      if (words.find("redefine") == std::string_view::npos) {
        complain("this is not TOML", "Look for missing quotes or brackets.", at);
        return std::nullopt;
      }
      const KeyOfLine key = FindKey(text, at.line);
      if (!key.name.empty()) at.column = key.column;
      complain(key.name.empty() ? "a key stands twice" : fmt::format("'{}' stands twice", key.name),
               "Remove one of the two.", at);
    } catch (const std::exception&) {
      complain("this is not TOML", "", {});
    }
    return std::nullopt;
  }

  void Root(TomlTable& root) {
    root.Table("agent", [&](TomlTable& t) { AgentTable(t); });
    root.Table("cloud", [&](TomlTable& t) { CloudTable(t); });
    root.Table("network", [&](TomlTable& t) { NetworkTable(t); });
    root.Table("app", [&](TomlTable& t) { AppTables(t); });
    root.Table("poll", [&](TomlTable& t) { PollTable(t); });
    root.Table("retention", [&](TomlTable& t) {
      settings_.poll.retention = t.Span("events", kDay * 90, kDay * 31, kDay * 36'500);
      settings_.alerts.retention = settings_.poll.retention;
      settings_.min_free = t.Bytes("min_free", settings_.min_free);
      settings_.max_size = static_cast<std::int64_t>(t.Bytes("max_size", 0));
    });
    root.Table("rules", [&](TomlTable& t) {
      settings_.rule_paths = t.Paths("paths");
      settings_.shipped_rules = t.Bool("shipped", true);
      settings_.shipped_path = t.Path("shipped_path");
    });
    ReadLocalFiles(root, settings_.files);
    root.Table("priority", [&](TomlTable& t) { PriorityTable(t); });
    root.Tables("tenant", [&](TomlTable& t) { TenantTable(t); });
    root.Tables("output", [&](TomlTable& t) { outputs_.Read(t); });
  }

  void AgentTable(TomlTable& t) {
    settings_.data_dir = t.Path("data_dir", settings_.data_dir);
    settings_.poll.poll_interval =
        t.Span("poll_interval", settings_.poll.poll_interval, kSecond, kDay);
    settings_.poll.max_in_flight = static_cast<int>(t.Integer("max_in_flight", 32, 1, 256));
    settings_.workers = static_cast<int>(t.Integer("workers", 2, 1, 64));
    if (!t.Text("heartbeat_url").empty()) settings_.heartbeat_url = t.Url("heartbeat_url", "");
    loaded_.log_level = t.OneOf("log_level", {"debug", "info", "warn", "error"}, "");
    loaded_.log_format = t.OneOf("log_format", {"text", "json"}, "text");
  }

  void CloudTable(TomlTable& t) {
    const std::string preset =
        t.OneOf("preset", {"global", "usgov", "gcc-high", "usgov-dod", "dod", "china"}, "global");
    auth::Cloud& cloud = settings_.cloud;
    loaded_.cloud_preset = preset;
    cloud = auth::CloudPreset(preset).value_or(auth::Cloud{});
    cloud.authority = t.Endpoint("authority", cloud.authority);
    cloud.graph = t.Endpoint("graph", cloud.graph);
    cloud.arm = t.Endpoint("arm", cloud.arm);
    cloud.graph_audience = t.Text("graph_audience");
    cloud.arm_audience = t.Text("arm_audience");
  }

  void NetworkTable(TomlTable& t) {
    NetworkSettings& network = settings_.network;
    network.proxy = t.Text("proxy");
    network.proxy_user = t.Text("proxy_user");
    network.proxy_password = t.Secret("proxy_password");
    network.ca_file = t.Path("ca_file").string();
    if (network.proxy.find('@') != std::string::npos) {
      t.Complain("proxy", "'proxy' of [network] may hold no user and no password",
                 "Write proxy = \"http://host:port\", proxy_user = \"NAME\" and "
                 "proxy_password = \"@{file:/path}\".");
    } else if (!network.proxy.empty() && !IsProxyAddress(network.proxy)) {
      t.Complain("proxy", "'proxy' of [network] must be http://host:port",
                 "The port must be there.");
    }
    if (network.proxy_user.find(':') != std::string::npos) {
      t.Complain("proxy_user", "'proxy_user' of [network] may hold no colon",
                 "The password stands in proxy_password, as a reference.");
    }
    if (network.proxy_user.empty() == t.Has("proxy_password")) {
      t.Complain(network.proxy_user.empty() ? "proxy_password" : "proxy_user",
                 "a proxy's user needs both 'proxy_user' and 'proxy_password'",
                 "Add the other one, or remove this.");
    }
    if (network.proxy.empty() && t.Has("proxy_password")) {
      t.Complain("proxy_password", "[network] has a password and no 'proxy'",
                 "Add proxy = \"http://host:port\", or remove this.");
    }
  }

  // [app] for all tenants, [app.NAME] for those that name it.
  void AppTables(TomlTable& t) {
    for (const std::string& name : t.TableNames()) {
      t.Table(name, [&](TomlTable& sub) { AppTable(sub, name); });
    }
    if (t.Has("client_id") || t.TableNames().empty()) AppTable(t, "");
  }

  void AppTable(TomlTable& t, const std::string& name) {
    auth::AppSettings app;
    app.name = name;
    app.client_id = t.RequiredText("client_id");
    CheckGuid(t, "client_id", app.client_id, "the application's GUID",
              "Entra ID shows it under App registrations, Application (client) ID.");
    app.certificate = t.Secret("certificate");
    app.certificate_password = t.Secret("certificate_password");
    app.client_secret = t.Secret("client_secret");
    const std::string credential =
        t.OneOf("credential", {"certificate", "secret"},
                t.Has("client_secret") && !t.Has("certificate") ? "secret" : "certificate");
    app.by_certificate = credential == "certificate";
    app.algorithm = t.OneOf("signing", {"PS256", "RS256"}, "PS256") == "RS256"
                        ? auth::SigningAlgorithm::kRs256
                        : auth::SigningAlgorithm::kPs256;
    if (app.by_certificate && !t.Has("certificate")) {
      t.Complain("credential", "the application has no 'certificate'",
                 "Add certificate = \"@{file:/path}\", or credential = \"secret\".");
    }
    if (!app.by_certificate && !t.Has("client_secret")) {
      t.Complain("credential", "the application has no 'client_secret'",
                 "Add client_secret = \"@{env:NAME}\".");
    }
    settings_.apps[name] = std::move(app);
  }

  // The GUID, or a problem that says what it must be and where it is found. The sample's zeros are
  // no tenant and no application.
  static Guid CheckGuid(TomlTable& t, const char* key, const std::string& text, const char* what,
                        const char* where) {
    const Result<Guid> guid = ParseGuid(text);
    if (guid && *guid != Guid{}) return *guid;
    if (guid) {
      t.Complain(key, fmt::format("'{}' still holds the sample's zeros; it must be {}", key, what),
                 where);
    } else if (!text.empty()) {
      t.Complain(key, fmt::format("'{}' must be {}", key, what), where);
    }
    return Guid{};
  }

  void PollTable(TomlTable& t) {
    settings_.poll.backfill = t.Span("backfill", settings_.poll.backfill, Timespan{}, kDay * 90);
    settings_.poll.once_backfill =
        t.Span("once_backfill", settings_.poll.once_backfill, Timespan{}, kDay);
    settings_.poll.overlap = t.Span("overlap", settings_.poll.overlap, Timespan{}, kHour * 24);
    settings_.poll.settle = t.Span("settle", settings_.poll.settle, Timespan{}, kHour);
  }

  // [priority] high = { low = "P3", medium = "P2", high = "P1" }
  void PriorityTable(TomlTable& t) {
    static constexpr std::string_view kImpacts[] = {"informational", "low", "medium", "high"};
    static constexpr std::string_view kConfidences[] = {"low", "medium", "high"};
    for (std::size_t i = 0; i < std::size(kImpacts); ++i) {
      t.Table(kImpacts[i], [&](TomlTable& row) {
        for (std::size_t c = 0; c < std::size(kConfidences); ++c) {
          alerts::Priority& cell = settings_.alerts.priorities.cells.at(i).at(c);
          const std::string name = row.OneOf(kConfidences[c], {"P1", "P2", "P3", "P4", "P5"},
                                             alerts::PriorityName(cell));
          cell = alerts::ParsePriority(name).value_or(cell);
        }
      });
    }
  }

  void TenantTable(TomlTable& t) {
    run::Tenant tenant;
    tenant.name = t.RequiredText("name");
    const bool good =
        tenant.name.size() <= 63 && std::all_of(tenant.name.begin(), tenant.name.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        });
    if (!good) {
      t.Complain("name", "a tenant's name is made of a-z, 0-9 and -, at most 63 of them", "");
    }
    const std::string id = t.RequiredText("tenant_id");
    tenant.id = CheckGuid(t, "tenant_id", id, "the tenant's GUID",
                          "Entra ID shows it under Overview, Tenant ID.");
    tenant.app = t.Text("app");
    ReadStreams(t, tenant);
    settings_.tenants.push_back(std::move(tenant));
    places_.push_back(
        {.name = t.PlaceOf("name"), .id = t.PlaceOf("tenant_id"), .app = t.PlaceOf("app")});
  }

  static void ReadStreams(TomlTable& t, run::Tenant& tenant) {
    if (!t.Has("streams") || t.IsText("streams")) {
      const std::string all = t.Text("streams", "all");
      if (all != "all") t.Complain("streams", "'streams' is \"all\" or a list of names", "");
      return;
    }
    std::vector<std::string_view> names;
    for (const graph::Collection& one : graph::Collections()) names.push_back(one.stream);
    std::vector<std::string> streams = t.Texts("streams");
    if (t.IsEmptyList("streams")) {
      t.Complain("streams", "'streams' names none, so that nothing of the tenant would be read",
                 "Name some, write \"all\", or remove the tenant.");
    }
    for (std::string& stream : streams) {
      if (std::find(names.begin(), names.end(), stream) == names.end()) {
        const std::string_view nearest = Nearest(stream, names);
        t.Complain("streams", fmt::format("there is no stream '{}'", EscapeTerminal(stream)),
                   nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
      }
      tenant.streams.push_back(std::move(stream));
    }
  }

  LoadedConfig& loaded_;
  run::Settings& settings_;
  std::vector<TenantPlaces> places_;  // as settings_.tenants
  OutputReader outputs_{settings_};
};

// Who may write the config chooses whom Picket asks, with which secret.
void CheckWriters(const fs::path& path, Problems& problems) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return;
  if ((status.permissions() & fs::perms::others_write) == fs::perms::none) return;
  problems.push_back({.file = path.string(),
                      .message = "every user of this machine may write it",
                      .hint = "See who did, then: chmod o-w " + path.string()});
}

void ReadTenantFiles(const fs::path& directory, Loader& loader, Problems& problems) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".toml") files.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    problems.push_back({.file = directory.string(),
                        .message = "the tenants in it cannot be read: " + error.message(),
                        .hint = "Run Picket as the folder's owner."});
  }
  CheckWriters(directory, problems);
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    CheckWriters(file, problems);
    const Result<std::string> text = ReadFile(file, kMaxConfigBytes);
    if (text) {
      loader.ReadTenantFile(*text, file.string());
    } else {
      problems.push_back({.file = file.string(), .message = text.error().message});
    }
  }
}

}  // namespace

LoadedConfig Load(const fs::path& file) {
  LoadedConfig loaded;
  const auto complain = [&](std::string message, std::string hint) {
    loaded.problems.push_back(
        {.file = file.string(), .message = std::move(message), .hint = std::move(hint)});
    return std::move(loaded);
  };
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return complain("this is a folder",
                    "Name the file in it: --config " + (file / "picket.toml").string());
  }
  const Result<std::string> text = ReadFile(file, kMaxConfigBytes);
  if (!text && text.error().kind == ErrorKind::kNotFound) {
    return complain("there is no such file",
                    "Name yours with --config FILE, or make one: "
                    "picket config sample > picket.toml");
  }
  if (!text) return complain(text.error().message, text.error().hint);
  CheckWriters(file, loaded.problems);
  Loader loader(loaded);
  loader.ReadMain(*text, file.string());
  ReadTenantFiles(file.parent_path() / "tenants.d", loader, loaded.problems);
  loader.CheckWhole(file.string());
  return loaded;
}

LoadedConfig Parse(std::string_view text, const std::string& file) {
  LoadedConfig loaded;
  Loader loader(loaded);
  loader.ReadMain(text, file);
  loader.CheckWhole(file);
  return loaded;
}

}  // namespace picket::config
