// picket-simulator: Entra ID and Microsoft Graph on this machine, for tests in other languages and
// for trying things by hand. Prints one line of JSON and plays until its input closes or it is told
// to stop.

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "tests/scenarios/scenario.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

volatile std::sig_atomic_t stop_asked = 0;

void AskToStop(int) { stop_asked = 1; }

struct Options {
  std::string scenario = "demo";
  std::uint64_t seed = 1;
  std::string now;
  int port = 0;
  int sign_ins = 0;
  int short_pages = 0, empty_pages = 0;
  bool no_limits = false, http = false, accept_replays = false;
};

Result<std::string> Write(const ScratchDirectory& directory, const std::string& name,
                          const std::string& text) {
  const std::filesystem::path file = directory.path() / name;
  PK_RETURN_IF_ERROR(WriteFileAtomically(file, text));
  return file.string();
}

void WaitForTheEnd() {
  std::array<char, 256> ignored{};
  while (stop_asked == 0) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = poll(&input, 1, -1);
    if (ready > 0 && read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0) return;
    if (ready < 0 && errno != EINTR) return;
  }
}

Result<json> Describe(const Simulator& simulator, const Scenario& scenario,
                      const AppCertificate& certificate, const ScratchDirectory& scratch) {
  json tenants = json::array();
  for (const ScenarioTenant& tenant : scenario.tenants) {
    json emitted = json::object();
    for (const char* stream :
         {"signIns.interactive", "signIns.nonInteractive", "signIns.servicePrincipal",
          "signIns.managedIdentity", "directoryAudits", "riskDetections", "riskyUsers"}) {
      emitted[stream] = simulator.EmittedIds(tenant.id, stream).size();
    }
    tenants.push_back({{"name", tenant.name},
                       {"id", ToString(tenant.id)},
                       {"domain", tenant.domain},
                       {"emitted", emitted}});
  }
  json files = json::array();
  for (const ScenarioFile& file : scenario.files) {
    PK_ASSIGN_OR_RETURN(const std::string path, Write(scratch, file.name, file.content));
    files.push_back({{"tenant", file.tenant}, {"table", file.table}, {"path", path}});
  }
  json line = {{"authority", simulator.Url()},
               {"graph", simulator.Url()},
               {"client_id", scenario.client_id},
               {"client_secret", scenario.secret},
               {"thumbprint_sha1", certificate.sha1_hex},
               {"tenants", tenants},
               {"files", files}};
  PK_ASSIGN_OR_RETURN(line["certificate_file"],
                      Write(scratch, "app.pem", certificate.key_pem + certificate.certificate_pem));
  if (!simulator.CaPem().empty()) {
    PK_ASSIGN_OR_RETURN(line["ca_file"], Write(scratch, "ca.pem", simulator.CaPem()));
  }
  return line;
}

Status Run(const Options& options) {
  Timespan offset;
  if (!options.now.empty()) {
    PK_ASSIGN_OR_RETURN(const Instant now, ParseRfc3339(options.now));
    offset = now - SystemClock().Now();
  }
  const SystemClock clock(offset);
  Simulator simulator({.seed = options.seed,
                       .now = [&clock] { return clock.Now(); },
                       .tls = !options.http,
                       .limits = !options.no_limits,
                       .port = options.port,
                       .short_pages = options.short_pages,
                       .empty_pages = options.empty_pages,
                       .refuse_replayed_assertions = !options.accept_replays});
  PK_RETURN_IF_ERROR(simulator.Start());
  PK_ASSIGN_OR_RETURN(const Scenario scenario,
                      LoadScenario(simulator, options.scenario, clock.Now(), options.seed));
  if (options.sign_ins > 0) {
    Live(simulator, {.tenant = scenario.tenants[0].id,
                     .domain = scenario.tenants[0].domain,
                     .seed = options.seed + 1,
                     .from = clock.Now() - kDay * 7,
                     .to = clock.Now(),
                     .sign_ins = options.sign_ins});
  }
  const AppCertificate certificate = MakeAppCertificate("Scenario app");
  simulator.RegisterApp({.client_id = scenario.client_id,
                         .secrets = {scenario.secret},
                         .certificates = {certificate.certificate_pem}});
  const ScratchDirectory scratch;
  PK_ASSIGN_OR_RETURN(const json line, Describe(simulator, scenario, certificate, scratch));
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
  WaitForTheEnd();
  return {};
}

int Main(int argc, char** argv) {
  CLI::App app("Entra ID and Microsoft Graph on a loopback port, for tests");
  Options options;
  std::string names;
  for (const ScenarioName& name : ScenarioNames()) {
    names += fmt::format("\n  {:<22} {}", name.name, name.about);
  }
  app.add_option("--scenario", options.scenario, "What happened in the tenants")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Other numbers by chance")->capture_default_str();
  app.add_option("--now", options.now, "Start the clock at this time (RFC 3339)");
  app.add_option("--port", options.port, "Port on 127.0.0.1; 0 for a free one");
  app.add_option("--sign-ins", options.sign_ins, "This many more, over the last 7 days");
  app.add_option("--short-pages", options.short_pages, "Pages in a thousand that are short");
  app.add_option("--empty-pages", options.empty_pages, "Pages in a thousand that are empty");
  app.add_flag("--no-limits", options.no_limits, "Without Graph's request limits");
  app.add_flag("--http", options.http, "Without TLS");
  app.add_flag("--accept-replays", options.accept_replays,
               "Take a client assertion more than once, as Entra's own clients expect");
  app.footer("Scenarios:" + names +
             "\n\nExamples:\n  picket-simulator\n  picket-simulator --scenario password-spray "
             "--http --port 8080");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGTERM, &AskToStop);
  std::signal(SIGINT, &AskToStop);
  const Status done = Run(options);
  if (done) return EXIT_SUCCESS;
  fmt::print(stderr, "picket-simulator: {}\n", done.error().message);
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace picket::simulator

int main(int argc, char** argv) { return picket::simulator::Main(argc, argv); }
