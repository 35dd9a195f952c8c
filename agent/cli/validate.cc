// picket validate

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <set>

#include "agent/cli/context.h"
#include "agent/outputs/make_output.h"
#include "agent/poll/poller.h"
#include "agent/run/coverage.h"
#include "agent/run/rules_loader.h"
#include "agent/run/tenant_files.h"
#include "auth/token_client.h"
#include "base/clock.h"
#include "base/text.h"
#include "storage/data_folder.h"

namespace picket::cli {
namespace {

constexpr Timespan kExpiresSoon = kDay * 30;

// One line a check; findings make the exit code 1, what could not be checked makes it 69.
class Checklist {
 public:
  explicit Checklist(Context& context) : context_(context) {}
  void Good(const std::string& what) { Line("ok    " + what); }
  // Not wrong in itself, but not what one wants either.
  void Warn(const std::string& what, const Error& error) { Two("warn  ", what, error); }
  void Bad(const std::string& what, const Error& error) {
    context_.exit_code = 1;
    Two("wrong ", what, error);
  }
  void Unchecked(const std::string& what, const Error& error) {
    if (context_.exit_code == 0) context_.exit_code = ExitCodeFor(error.kind);
    Two("?     ", what, error);
  }

 private:
  static void Two(const char* mark, const std::string& what, const Error& error) {
    Line(mark + what + ": " + error.message);
    if (!error.hint.empty()) Line("      " + error.hint);
  }
  static void Line(const std::string& text) { WriteAll(EscapeTerminal(text) + "\n", stdout); }
  Context& context_;
};

// Whether its credential is usable here.
bool CheckApp(Checklist& list, const auth::AppSettings& app) {
  const std::string name = app.name.empty() ? "[app]" : "[app." + app.name + "]";
  if (app.by_certificate) {
    const Instant now = SystemClock().Now();
    const Result<auth::Certificate> certificate = auth::LoadCertificate(app, now);
    if (!certificate) {
      list.Bad(name + " certificate", certificate.error());
      return false;
    }
    const std::string until = FormatRfc3339(certificate->not_after());
    if (certificate->not_after() - now < kExpiresSoon) {
      list.Warn(name + " certificate",
                {.message = "it expires at " + until,
                 .hint = "Upload a new one to the app registration before that."});
    } else {
      list.Good(fmt::format("{} certificate, valid until {}", name, until));
    }
    return true;
  }
  const Result<SecretString> secret = ReadSecret(*app.client_secret);
  if (!secret) {
    list.Bad(name + " client_secret", secret.error());
    return false;
  }
  list.Good(name + " client_secret");
  return true;
}

// Whether a round could use it; nothing is made or changed.
void CheckDataFolder(Checklist& list, const std::filesystem::path& folder) {
  const std::string name = "data_dir " + folder.string();
  std::error_code error;
  if (!std::filesystem::exists(folder, error) && !error) {
    // A round makes what is missing below the nearest folder that is there.
    std::filesystem::path parent = std::filesystem::absolute(folder);
    while (!std::filesystem::exists(parent, error) && parent.has_relative_path()) {
      parent = parent.parent_path();
    }
    if (std::filesystem::is_directory(parent, error) &&
        ::access(parent.c_str(), W_OK | X_OK) == 0) {
      return list.Good(name + ": will be made");
    }
    return list.Bad(name, {.message = "it is not there, and cannot be made in " + parent.string(),
                           .hint = "Make it for the user that runs Picket, or choose another."});
  }
  const auto lax = storage::SecureDataFolder(folder, storage::Lax::kList);
  if (!lax) return list.Bad(name, lax.error());
  for (const std::filesystem::path& part : *lax) {
    list.Warn(name, {.message = "other users can read " + part.string(),
                     .hint = "The next run takes that away from them."});
  }
  if (lax->empty()) list.Good(name);
}

// The proxy's address and password, and the CA file: no network is needed for it.
Result<std::unique_ptr<HttpTransport>> CheckNetwork(Checklist& list,
                                                    const NetworkSettings& settings) {
  Result<std::unique_ptr<HttpTransport>> transport = MakeHttpTransport(settings);
  const std::string own = std::string(settings.proxy.empty() ? "" : ", proxy " + settings.proxy) +
                          (settings.ca_file.empty() ? "" : ", ca_file " + settings.ca_file);
  if (!transport) {
    list.Bad("[network]", transport.error());
  } else if (!own.empty()) {
    list.Good("[network]" + own);
  }
  return transport;
}

// Asks Entra ID for a token, as a round does, and looks at the permissions in it. False when it
// cannot be reached.
bool CheckTenant(Checklist& list, const run::Settings& settings, const run::Tenant& tenant,
                 const auth::TokenClient& tokens, std::stop_token stop) {
  const Result<auth::Token> token = tokens.Request(
      settings.apps.at(tenant.app), tenant.id, settings.cloud.GraphAudience(), "", std::move(stop));
  const std::string name = "tenant " + tenant.name;
  if (!token) {
    if (token.error().kind == ErrorKind::kCancelled) return false;
    const bool unreachable =
        token.error().kind == ErrorKind::kTransient || token.error().kind == ErrorKind::kThrottled;
    if (unreachable) {
      list.Unchecked(name, token.error());
    } else {
      list.Bad(name, token.error());
    }
    return !unreachable;
  }
  if (!token->roles) {
    list.Good(name + ": Entra ID gives a token; it does not say which permissions it holds");
    return true;
  }
  const auto missing = run::MissingRoles(*token->roles, run::StreamsOf(tenant));
  for (const run::MissingRole& role : missing) list.Warn(name, run::ToError(role));
  if (missing.empty()) list.Good(name + ": Entra ID gives a token with all permissions");
  return true;
}

void CheckTenants(Checklist& list, const run::Settings& settings, HttpTransport& network,
                  const std::set<std::string>& usable_apps, std::stop_token stop) {
  const SystemClock clock;
  const auth::TokenClient tokens(network, clock, settings.cloud.authority);
  bool reached = true;
  for (const run::Tenant& tenant : settings.tenants) {
    if (stop.stop_requested()) return;
    if (!usable_apps.contains(tenant.app)) continue;
    if (reached) {
      reached = CheckTenant(list, settings, tenant, tokens, stop);
    } else {  // it would only wait as long
      list.Unchecked("tenant " + tenant.name, {.kind = ErrorKind::kTransient,
                                               .message = "not checked: Entra ID did not answer"});
    }
  }
}

// What an earlier round found that the tenant does not give.
void CheckStreams(Checklist& list, const run::Settings& settings) {
  for (const run::Tenant& tenant : settings.tenants) {
    auto store = run::OpenTenant(settings, tenant.id, /*read_only=*/true);
    if (!store) continue;  // nothing was read yet, or CheckTables says why
    const auto streams = poll::ReadStatus(**store, run::StreamsOf(tenant), settings.poll);
    if (!streams) continue;
    for (const poll::StreamStatus& stream : *streams) {
      if (stream.state != "off") continue;
      list.Warn("tenant " + tenant.name,
                {.message = fmt::format("{} is {}: {}", stream.name,
                                        stream.licensed ? "off" : "not licensed", stream.reason),
                 .hint = ""});
    }
  }
}

// What a rule reads in vain, by tenant.
void CheckTables(Checklist& list, const run::Settings& settings, const run::RuleBook& book) {
  for (const run::Tenant& tenant : settings.tenants) {
    const Result<run::TablesWithoutRows> gaps = run::FindTablesWithoutRows(settings, tenant);
    if (!gaps) {
      list.Bad("tenant " + tenant.name, gaps.error());
      continue;
    }
    for (const auto& [table, why] : *gaps) {
      std::int64_t blind = 0;
      for (const alerts::LoadedRule& loaded : book.rules) {
        const auto& reads = loaded.verdict.tables;
        if (std::find(reads.begin(), reads.end(), table) != reads.end()) ++blind;
      }
      if (blind == 0) continue;
      list.Warn("tenant " + tenant.name,
                {.message = fmt::format(
                     "no rows of {}, which {} in vain: {}", table,
                     blind == 1 ? "a rule reads" : fmt::format("{} rules read", blind), why),
                 .hint = "'picket rules list' names them."});
    }
  }
}

void CheckRules(Checklist& list, const run::RuleBook& book) {
  std::int64_t good = 0;
  for (const alerts::LoadedRule& loaded : book.rules) {
    const kql::Diagnostic* why_not = loaded.verdict.WhyNot();
    if (why_not == nullptr) {
      ++good;
      continue;
    }
    list.Bad("rule " + loaded.rule.file.string(),
             {.message = kql::ToString(*why_not), .hint = why_not->hint});
  }
  for (const rules::RuleFileError& error : book.errors) {
    list.Bad((error.file.empty() ? "" : "rule ") + Where(error), error.error);
  }
  list.Good(fmt::format("{} can run", Counted(good, "rule")));
}

// Whether the secrets are there and of the form that the output needs. Nothing is sent.
void CheckOutputs(Checklist& list, const run::Settings& settings, HttpTransport& network) {
  SystemClock clock;
  for (const outputs::OutputSettings& output : settings.outputs) {
    const auto way = outputs::MakeOutput(output, network, clock);
    const std::string name = "output " + output.name;
    if (const Status good = way->Check(); !good) {
      list.Bad(name, good.error());
      continue;
    }
    const auto* webhook = std::get_if<outputs::WebhookSettings>(&output.way);
    if (webhook != nullptr && webhook->format == outputs::WebhookFormat::kStandard &&
        !webhook->secret) {
      list.Warn(name, {.message = "its messages are not signed",
                       .hint = "Add secret = \"@{file:…}\", so that the receiver can tell that "
                               "they are Picket's."});
      continue;
    }
    list.Good(name + ": " + way->Where());
  }
  if (settings.outputs.empty()) return;
  list.Good("'picket outputs test NAME' sends a test incident");
}

void CheckFiles(Checklist& list, const tables::LocalFiles& files) {
  const std::size_t all = files.external.size() + files.watchlists.size();
  if (all == 0) return;
  const auto wrong = tables::CheckLocalFiles(files);
  for (const auto& [name, error] : wrong) list.Bad(name, error);
  list.Good(Counted(static_cast<std::int64_t>(all - wrong.size()), "local file") + " can be read");
}

void Validate(Context& context, bool offline) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  Checklist list(context);
  list.Good(context.config + ": " + Counted(std::ssize(settings->tenants), "tenant"));
  std::set<std::string> usable;
  for (const auto& [name, app] : settings->apps) {
    if (CheckApp(list, app)) usable.insert(name);
  }
  CheckDataFolder(list, settings->data_dir);
  const Result<std::unique_ptr<HttpTransport>> network = CheckNetwork(list, settings->network);
  CheckFiles(list, settings->files);
  const run::RuleBook book = run::LoadRuleBook(*settings);
  CheckRules(list, book);
  CheckStreams(list, *settings);
  CheckTables(list, *settings, book);
  if (network) CheckOutputs(list, *settings, **network);
  if (!offline && network) CheckTenants(list, *settings, **network, usable, context.stop);
  if (context.stop.stop_requested()) context.exit_code = 130;
}

}  // namespace

void AddValidate(CLI::App& app, Context& context) {
  CLI::App* verb =
      app.add_subcommand("validate", "Check the config, its secrets, certificates, rules, tenants");
  auto offline = std::make_shared<bool>(false);
  verb->add_flag("--offline", *offline, "Ask Entra ID for no token");
  AddConfigOption(*verb, context);
  verb->footer(
      "Asks Entra ID for a token of each tenant, and says which permissions are missing;\n"
      "--offline checks all that needs no network.\n"
      "\nExamples:\n  picket validate --config picket.toml\n"
      "  picket validate --config picket.toml --offline\n"
      "\nExit codes: 0 all good; 78 the config itself; 1 what it points to;\n"
      "69 a tenant could not be checked, as Entra ID did not answer");
  verb->callback([&context, offline] { Validate(context, *offline); });
}

}  // namespace picket::cli
