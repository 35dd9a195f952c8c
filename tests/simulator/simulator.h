#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "tests/simulator/faults.h"

namespace picket::simulator {

struct Call;
struct Reply;

enum class Licence : std::uint8_t { kFree, kP1, kP2 };

struct SimulatorOptions {
  std::uint64_t seed = 1;
  // Entra's and Graph's clock: what is visible, Date headers, lifetimes, limits. Empty: the
  // machine's. Called from many threads.
  std::function<Instant()> now{};
  bool tls = true;     // else http://
  bool limits = true;  // the published request limits
  std::size_t threads = 32;
  int port = 0;  // 0: a free one

  Timespan token_lifetime = kSecond * 3599;
  Timespan skiptoken_min = kMinute * 5;  // a skiptoken lives between the two
  Timespan skiptoken_max = kMinute * 10;
  int short_pages = 0;  // in a thousand: pages that hold fewer rows than they could
  int empty_pages = 0;  // in a thousand: pages without rows, but with a nextLink
  int most_rows = 0;    // no page holds more, whatever $top asks for; 0: as many as are asked for
  bool gzip = true;     // for clients that take it

  // Entra's own clients sign once and show the same assertion until it expires; Picket signs anew.
  bool refuse_replayed_assertions = true;
  // Whether risk detections may be filtered by lastUpdatedDateTime: nobody has promised it.
  bool filter_by_last_update = true;
};

// Every application permission that Picket asks for.
std::vector<std::string> AllRoles();

struct TenantSpec {
  Guid id;
  std::string name{};
  Licence licence = Licence::kP2;
  bool workload_identities_premium = true;
  std::vector<std::string> roles = AllRoles();  // granted to every app
};

struct AppSpec {
  std::string client_id{};  // a GUID
  std::vector<std::string> secrets{};
  std::vector<std::string> expired_secrets{};
  std::vector<std::string> certificates{};  // PEM
  bool disabled = false;
  std::vector<Guid> consented{};  // tenants; empty: all
};

// Graph's lists.
enum class List : std::uint8_t {
  kSignIns,
  kDirectoryAudits,
  kRiskDetections,
  kServicePrincipalRiskDetections,
  kRiskyUsers,
};

struct RiskSpec {
  std::string event = "unfamiliarFeatures";
  std::string level = "medium";
  std::string state = "atRisk";
  std::string timing = "offline";
};

// What was emitted under one id, and when each version of it began to be shown.
struct EmittedVersion {
  Instant visible_at;
  Instant time;        // by the list's sort property
  std::string record;  // JSON, in beta's richness without the conditional access policies
};
struct EmittedRecord {
  std::string id;
  std::vector<EmittedVersion> versions;  // by visible_at
};

// One request, as the simulator saw it. Holds no secret and no token.
struct LoggedRequest {
  Instant time;
  std::string method{};
  std::string path{};
  std::string query{};   // decoded
  std::string tenant{};  // GUID; "" when nobody knows
  std::string app{};
  std::string client_request_id{};
  std::string request_id{};
  std::string fault{};  // as DescribeFault says it, "" for none
  int status = 0;       // 0: no answer
  bool throttled = false;
};

// What another host saw (OtherHost).
struct Leak {
  std::string path;
  bool with_token = false;  // the request bore an Authorization header
};

// Entra ID and Microsoft Graph on a loopback port, as docs and observation describe them: the token
// endpoint (secrets, certificates, AADSTS errors) and the lists that Picket reads, with their
// filters, pages, delays, limits and errors. In-process; seeded; driven by the given clock. Made
// for tests and the demo. Thread-safe.
class Simulator {
 public:
  explicit Simulator(SimulatorOptions options = {});
  ~Simulator();  // stops
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  [[nodiscard]] Status Start();
  void Stop();
  // Without a socket: as if it were reached at this URL. Then Answer stands for the network.
  void PretendAt(const std::string& url);
  [[nodiscard]] Reply Answer(Call call);
  // Both the authority and the Graph root: "https://127.0.0.1:PORT".
  [[nodiscard]] std::string Url() const;
  // The CA of the server's certificate; "" without TLS.
  [[nodiscard]] std::string CaPem() const;
  [[nodiscard]] Instant Now() const;

  void AddTenant(TenantSpec tenant);  // the same id again replaces it: another licence, other roles
  void RegisterApp(AppSpec app);      // likewise: another secret, disabled

  // Records are Graph's JSON, in beta's richness. `visible_at`: when Graph begins to show it.
  void Emit(const Guid& tenant, List list, std::string_view record, Instant visible_at);
  // Merges `patch` (RFC 7396) into the record's newest version; shown from `visible_at` on, but no
  // sooner than changes that were given before. False when there is none of that id.
  bool Change(const Guid& tenant, List list, std::string_view id, std::string_view patch,
              Instant visible_at);
  // What Identity Protection does when it finds a sign-in risky: a detection appears, the sign-in's
  // risk members change, and the user becomes risky. Returns the detection's id.
  std::string AddRisk(const Guid& tenant, std::string_view sign_in_id, const RiskSpec& risk,
                      Instant at);

  // The truth, for comparison: ids of what was emitted and is visible at `at`, by Picket's names of
  // streams ("signIns.interactive", "riskDetections").
  [[nodiscard]] std::set<std::string> EmittedIds(const Guid& tenant, std::string_view stream,
                                                 Instant at) const;
  [[nodiscard]] std::set<std::string> EmittedIds(const Guid& tenant, std::string_view stream) const;
  // Everything that was ever emitted in a stream, visible or not.
  [[nodiscard]] std::vector<EmittedRecord> Emitted(const Guid& tenant,
                                                   std::string_view stream) const;
  // The record as Graph holds it now; nullopt when it is not (yet) visible.
  [[nodiscard]] std::optional<std::string> Record(const Guid& tenant, List list,
                                                  std::string_view id) const;

  [[nodiscard]] FaultPlan& faults();
  void SetChaos(Chaos chaos);  // with the simulator's seed
  // Tokens issued so far are refused from now on.
  void RevokeTokens();
  // The address of a host that tokens are not for; every request to it is a leak.
  [[nodiscard]] std::string OtherHost();
  [[nodiscard]] std::vector<Leak> Leaks() const;
  // The access tokens and client assertions that were shown to us: what must stand nowhere else.
  [[nodiscard]] std::set<std::string> Credentials() const;

  [[nodiscard]] std::vector<LoggedRequest> Requests() const;
  [[nodiscard]] std::int64_t RequestCount() const;
  [[nodiscard]] std::int64_t ThrottledCount() const;
  void ForgetRequests();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace picket::simulator
