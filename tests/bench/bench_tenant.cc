#include "tests/bench/bench_tenant.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/simulator/generator.h"

namespace picket::bench {
namespace {

constexpr const char* kClientId = "6d1f4c1e-2d0b-4b43-9c2b-0a5b0f6f7c11";
constexpr const char* kSecret = "a secret of the bench alone";

Instant Now() { return SystemClock().Now(); }

}  // namespace

BenchTenantOverTls::BenchTenantOverTls(int sign_ins, bool limits)
    : simulator_({.seed = 3, .now = &Now, .limits = limits}) {
  PK_CHECK(simulator_.Start(), "the simulator listens");
  simulator_.AddTenant({.id = BenchTenant(), .name = "bench"});
  simulator_.RegisterApp({.client_id = kClientId, .secrets = {kSecret}});
  simulator::Live(simulator_, {.tenant = BenchTenant(),
                               .from = Now() - kDay * 6,
                               .to = Now() - kHour,
                               .users = 400,
                               .sign_ins = sign_ins,
                               .audits = 0,
                               .detections = 0,
                               .non_interactive = 0,
                               .service_principal = 0,
                               .managed_identity = 0,
                               .late = 0,
                               .very_late = 0,
                               .changed = 0});
  PK_CHECK(WriteFileAtomically(CaFile(), simulator_.CaPem()), "the CA's file");
  PK_CHECK(WriteFileAtomically(directory_.path() / "secret", kSecret), "the secret's file");
}

std::string BenchTenantOverTls::CaFile() const { return (directory_.path() / "ca.pem").string(); }

std::string BenchTenantOverTls::FreshConfig() {
  const std::filesystem::path file = directory_.path() / fmt::format("picket-{}.toml", ++configs_);
  const std::string text = fmt::format(
      "[agent]\ndata_dir = \"{5}/data-{0}\"\n"
      "[cloud]\nauthority = \"{1}\"\ngraph = \"{1}\"\n"
      "[network]\nca_file = \"{2}\"\n"
      "[app]\nclient_id = \"{3}\"\ncredential = \"secret\"\n"
      "client_secret = \"@{{file:{5}/secret}}\"\n"
      "[poll]\nbackfill = \"7d\"\n[retention]\nmin_free = \"0\"\n"
      "[[tenant]]\nname = \"bench\"\ntenant_id = \"{4}\"\n"
      "streams = [\"signIns.interactive\"]\n",
      configs_, simulator_.Url(), CaFile(), kClientId, ToString(BenchTenant()),
      directory_.path().string());
  PK_CHECK(WriteFileAtomically(file, text), "the config's file");
  return file.string();
}

run::Settings BenchTenantOverTls::FreshSettings() {
  run::Settings settings;
  settings.data_dir = directory_.path() / fmt::format("data-{}", ++configs_);
  settings.cloud = {
      .authority = simulator_.Url(), .graph = simulator_.Url(), .arm = simulator_.Url()};
  settings.network.ca_file = CaFile();
  settings.apps[""] = {.name = "",
                       .client_id = kClientId,
                       .by_certificate = false,
                       .client_secret = SecretRef{"file", (directory_.path() / "secret").string()}};
  settings.tenants = {
      {.name = "bench", .id = BenchTenant(), .app = "", .streams = {"signIns.interactive"}}};
  settings.poll.backfill = kDay * 7;
  settings.poll.once_backfill = kHour;
  settings.shipped_rules = false;
  settings.min_free = 0;
  return settings;
}

std::string BenchTenantOverTls::Token(HttpTransport& network) const {
  const auto reply = network.Send(
      {.method = "POST",
       .url = fmt::format("{}/{}/oauth2/v2.0/token", simulator_.Url(), ToString(BenchTenant())),
       .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
       .body = fmt::format("grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
                           kClientId, PercentEncode(kSecret),
                           PercentEncode(simulator_.Url() + "/.default"))},
      {});
  PK_CHECK(reply && reply->status == 200, "a token");
  const auto token = nlohmann::json::parse(reply->body, nullptr, false);
  PK_CHECK(token.is_object() && token.contains("access_token"), "a token in the reply");
  return token["access_token"].get<std::string>();
}

std::int64_t BenchTenantOverTls::emitted() const {
  return static_cast<std::int64_t>(
      simulator_.EmittedIds(BenchTenant(), "signIns.interactive").size());
}

}  // namespace picket::bench
