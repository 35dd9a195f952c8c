#include "tests/bench/bench_tenant.h"

#include <fmt/format.h>

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

std::int64_t BenchTenantOverTls::emitted() const {
  return static_cast<std::int64_t>(
      simulator_.EmittedIds(BenchTenant(), "signIns.interactive").size());
}

}  // namespace picket::bench
