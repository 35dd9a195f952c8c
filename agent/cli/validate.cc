// picket validate

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "agent/cli/context.h"
#include "agent/run/rules_loader.h"
#include "base/clock.h"
#include "base/text.h"

namespace picket::cli {
namespace {

// One line a check; findings make the exit code 1.
class Checklist {
 public:
  explicit Checklist(Context& context) : context_(context) {}
  void Good(const std::string& what) { Line("ok    " + what); }
  void Bad(const std::string& what, const Error& error) {
    context_.exit_code = 1;
    Line("wrong " + what + ": " + error.message);
    if (!error.hint.empty()) Line("      " + error.hint);
  }

 private:
  static void Line(const std::string& text) { (void)WriteAll(EscapeTerminal(text) + "\n", stdout); }
  Context& context_;
};

void CheckApp(Checklist& list, const auth::AppSettings& app) {
  const std::string name = app.name.empty() ? "[app]" : "[app." + app.name + "]";
  if (app.by_certificate) {
    const Result<auth::Certificate> certificate = auth::LoadCertificate(app, SystemClock().Now());
    if (!certificate) return list.Bad(name + " certificate", certificate.error());
    return list.Good(fmt::format("{} certificate, valid until {}", name,
                                 FormatRfc3339(certificate->not_after())));
  }
  const Result<SecretString> secret = ReadSecret(*app.client_secret);
  if (!secret) return list.Bad(name + " client_secret", secret.error());
  list.Good(name + " client_secret");
}

void CheckRules(Checklist& list, const run::RuleBook& book) {
  std::size_t good = 0;
  for (const alerts::LoadedRule& loaded : book.rules) {
    if (loaded.verdict.errors.empty()) {
      ++good;
      continue;
    }
    const kql::Diagnostic& first = loaded.verdict.errors.front();
    list.Bad("rule " + loaded.rule.file.string(),
             {.message = kql::ToString(first), .hint = first.hint});
  }
  for (const rules::RuleFileError& error : book.errors) {
    list.Bad("rule " + error.file.string(), error.error);
  }
  list.Good(fmt::format("{} rules run", good));
}

void Validate(Context& context) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  Checklist list(context);
  list.Good(fmt::format("{}: {} tenants", context.config, settings->tenants.size()));
  for (const auto& [name, app] : settings->apps) CheckApp(list, app);
  const Result<std::unique_ptr<HttpTransport>> transport = MakeHttpTransport(settings->network);
  if (!transport) list.Bad("[network]", transport.error());
  CheckRules(list, run::LoadRuleBook(*settings));
}

}  // namespace

void AddValidate(CLI::App& app, Context& context) {
  CLI::App* verb =
      app.add_subcommand("validate", "Check the config, its secrets, certificates and rules");
  AddConfigOption(*verb, context);
  verb->footer(
      "Examples:\n  picket validate --config picket.toml\n"
      "\nExit codes: 0 all good; 78 the config itself; 1 what it points to");
  verb->callback([&context] { Validate(context); });
}

}  // namespace picket::cli
