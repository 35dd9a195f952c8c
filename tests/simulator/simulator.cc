#include "tests/simulator/simulator.h"

#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/directory.h"
#include "tests/simulator/entra.h"
#include "tests/simulator/fault_reply.h"
#include "tests/simulator/graph.h"
#include "tests/simulator/server.h"
#include "tests/simulator/store.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLogged = 1'000'000;

std::string QueryOf(const Call& call) {
  std::string query;
  if (call.method != "GET") return query;  // forms hold secrets
  for (const auto& [name, value] : call.parameters) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, value);
  }
  return query;
}

}  // namespace

std::vector<std::string> AllRoles() {
  return {"AuditLog.Read.All", "Directory.Read.All", "IdentityRiskEvent.Read.All",
          "IdentityRiskyUser.Read.All", "Policy.Read.All"};
}

struct Simulator::State {
  explicit State(SimulatorOptions given)
      : options(std::move(given)),
        entra(directory, {options.token_lifetime, options.refuse_replayed_assertions}),
        graph(directory, entra, store,
              {.limits = options.limits,
               .filter_by_last_update = options.filter_by_last_update,
               .pages = {.seed = options.seed,
                         .skiptoken_min = options.skiptoken_min,
                         .skiptoken_max = options.skiptoken_max,
                         .short_pages = options.short_pages,
                         .empty_pages = options.empty_pages,
                         .most_rows = options.most_rows}}) {
    if (!options.now) {
      options.now = [clock = std::make_shared<SystemClock>()] { return clock->Now(); };
    }
    if (options.tls) identity = std::make_unique<ServerIdentity>();
  }

  Reply Answer(Call& call) {
    call.now = options.now();
    call.request_id = NextRequestId();
    LoggedRequest entry{.time = call.now,
                        .method = call.method,
                        .path = call.path,
                        .query = QueryOf(call),
                        .client_request_id = call.Header("client-request-id"),
                        .request_id = call.request_id};
    Reply reply = Route(call, entry);
    NoteCredentials(call);
    reply.SetHeader("Date", FormatHttpDate(call.now));
    const auto set = [&](const char* name, const std::string& value) {
      if (!reply.HasHeader(name)) reply.SetHeader(name, value);
    };
    set("request-id", call.request_id);
    set("client-request-id",
        entry.client_request_id.empty() ? call.request_id : entry.client_request_id);
    set("x-ms-ags-diagnostic",
        R"({"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"001",)"
        R"("RoleInstance":"SIMULATOR1"}})");
    reply.SetHeader("Strict-Transport-Security", "max-age=31536000");
    entry.status =
        reply.delivery == Delivery::kReset || reply.delivery == Delivery::kHang ? 0 : reply.status;
    entry.throttled = reply.throttled;
    Log(std::move(entry));
    return reply;
  }

  void NoteCredentials(const Call& call) {
    const std::string header = call.Header("Authorization");
    const std::lock_guard lock(mutex);
    for (const std::string& shown :
         {header.substr(header.find(' ') + 1), call.Value("client_assertion")}) {
      if (!shown.empty()) credentials.insert(shown);
    }
  }

  // By the seed, so that what is drawn from it comes again with the seed.
  std::string NextRequestId() {
    const std::uint64_t number = ++request_ids;
    return ToString(Uuid5(kPicketNamespace, fmt::format("request {} {}", options.seed, number)));
  }

  Reply Route(const Call& call, LoggedRequest& entry) {
    const std::string entra_tenant = Entra::TenantOf(call.path);
    const bool for_entra = !entra_tenant.empty();
    std::optional<TokenClaims> caller;
    if (for_entra) {
      entry.tenant = entra_tenant;
      entry.app = call.Value("client_id");
    } else if ((caller = Graph::Caller(call))) {
      entry.tenant = caller->tenant;
      entry.app = caller->app;
    }
    const std::optional<Fault> fault = plan.Next(entry.tenant, call.path);
    if (fault) entry.fault = DescribeFault(*fault);
    if (fault && fault->kind == FaultKind::kClaimsChallenge && caller) entra.Challenge(*caller);
    if (fault) {
      if (auto instead = ReplyInstead(call, *fault, for_entra, ListOf(call.path))) return *instead;
    }
    std::optional<Reply> reply = entra.Answer(call, fault);
    if (!reply) reply = graph.Answer(call, caller, fault);
    if (fault) Spoil(*reply, *fault);
    return *std::move(reply);
  }

  static const ListSpec* ListOf(const std::string& path) {
    const std::size_t version = path.find('/', 1);
    return version == std::string::npos ? nullptr
                                        : FindList(std::string_view(path).substr(version + 1));
  }

  void Log(LoggedRequest entry) {
    const std::lock_guard lock(mutex);
    ++requests;
    if (entry.throttled) ++throttled;
    if (log.size() == kMaxLogged) log.pop_front();
    log.push_back(std::move(entry));
  }

  Status StartServers() {
    server = std::make_unique<Server>(ServerSettings{.tls = options.tls,
                                                     .threads = options.threads,
                                                     .port = options.port,
                                                     .gzip = options.gzip},
                                      identity.get(), [this](Call& call) { return Answer(call); });
    PK_RETURN_IF_ERROR(server->Start());
    entra.SetUrl(server->url());
    graph.SetUrl(server->url());
    return {};
  }

  // A host that answers everything, and tells.
  Reply AnswerElsewhere(const Call& call) {
    const std::lock_guard lock(mutex);
    leaks.push_back({call.path, !call.Header("Authorization").empty()});
    return JsonReply(200, R"({"value":[]})");
  }

  SimulatorOptions options;
  Directory directory;
  Store store;
  Entra entra;
  Graph graph;
  FaultPlan plan;
  std::unique_ptr<ServerIdentity> identity;
  std::atomic<std::uint64_t> request_ids = 0;
  mutable std::mutex mutex;  // of what follows
  std::deque<LoggedRequest> log;
  std::int64_t requests = 0, throttled = 0;
  std::vector<Leak> leaks;
  std::set<std::string> credentials;
  std::int64_t risks = 0;
  // Last, for their threads use what stands above.
  std::unique_ptr<Server> elsewhere;
  std::unique_ptr<Server> server;
};

Simulator::Simulator(SimulatorOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

Simulator::~Simulator() { Stop(); }

Status Simulator::Start() { return state_->StartServers(); }

void Simulator::Stop() {
  if (state_->server) state_->server->Stop();
  if (state_->elsewhere) state_->elsewhere->Stop();
}

void Simulator::PretendAt(const std::string& url) {
  state_->entra.SetUrl(url);
  state_->graph.SetUrl(url);
}

Reply Simulator::Answer(Call call) { return state_->Answer(call); }

std::string Simulator::Url() const { return state_->server->url(); }

std::string Simulator::CaPem() const {
  return state_->identity ? state_->identity->ca_pem() : std::string();
}

Instant Simulator::Now() const { return state_->options.now(); }

void Simulator::AddTenant(TenantSpec tenant) { state_->directory.Put(std::move(tenant)); }
void Simulator::RegisterApp(AppSpec app) { state_->directory.Put(std::move(app)); }

void Simulator::Emit(const Guid& tenant, List list, std::string_view record, Instant visible_at) {
  state_->store.Put({tenant, list}, record, visible_at);
}

bool Simulator::Change(const Guid& tenant, List list, std::string_view id, std::string_view patch,
                       Instant visible_at) {
  return state_->store.Change({tenant, list}, id, patch, visible_at);
}

std::string Simulator::AddRisk(const Guid& tenant, std::string_view sign_in_id,
                               const RiskSpec& risk, Instant at) {
  const auto sign_in =
      state_->store.Get({tenant, List::kSignIns}, sign_in_id, Instant{Instant::kMaxTicks});
  PK_CHECK(sign_in.has_value(), "risk is added to a sign-in that was emitted");
  const json record = json::parse(sign_in->text, nullptr, /*allow_exceptions=*/false);
  std::int64_t number = 0;
  {
    const std::lock_guard lock(state_->mutex);
    number = ++state_->risks;
  }
  const std::string id = ToString(
      Uuid5(tenant, fmt::format("risk {} {} {} {}", sign_in_id, risk.event, at.ticks, number)));
  json events = record.value("riskEventTypes_v2", json::array());
  events.push_back(risk.event);
  const json change = {
      {"riskLevelAggregated", risk.level},
      {"riskLevelDuringSignIn",
       risk.timing == "offline" ? record.value("riskLevelDuringSignIn", "none") : risk.level},
      {"riskState", risk.state},
      {"riskEventTypes_v2", events}};
  Change(tenant, List::kSignIns, sign_in_id, change.dump(), at);
  const std::string time = FormatRfc3339(at);
  const auto member = [&](const char* name) { return record.value(name, json()); };
  const json detection = {
      {"@odata.type", SpecOf(List::kRiskDetections).type},
      {"id", id},
      {"requestId", sign_in_id},
      {"correlationId", member("correlationId")},
      {"riskEventType", risk.event},
      {"riskState", risk.state},
      {"riskLevel", risk.level},
      {"riskDetail", "none"},
      {"source", "IdentityProtection"},
      {"detectionTimingType", risk.timing},
      {"activity", "signin"},
      {"tokenIssuerType", "AzureAD"},
      {"ipAddress", member("ipAddress")},
      {"location", member("location")},
      {"activityDateTime", member("createdDateTime")},
      {"detectedDateTime", time},
      {"lastUpdatedDateTime", time},
      {"userId", member("userId")},
      {"userDisplayName", member("userDisplayName")},
      {"userPrincipalName", member("userPrincipalName")},
      {"additionalInfo",
       json::array({{{"Key", "userAgent"}, {"Value", member("userAgent")}}}).dump()}};
  Emit(tenant, List::kRiskDetections, detection.dump(), at);
  const json user = {{"id", member("userId")},
                     {"isDeleted", false},
                     {"isProcessing", false},
                     {"riskDetail", "none"},
                     {"riskLastUpdatedDateTime", time},
                     {"riskLevel", risk.level},
                     {"riskState", risk.state},
                     {"userDisplayName", member("userDisplayName")},
                     {"userPrincipalName", member("userPrincipalName")}};
  Emit(tenant, List::kRiskyUsers, user.dump(), at);
  return id;
}

std::set<std::string> Simulator::EmittedIds(const Guid& tenant, std::string_view stream,
                                            Instant at) const {
  const StreamPlace place = PlaceOf(stream);
  return state_->store.Ids({tenant, place.list}, place.event_type, at);
}

std::set<std::string> Simulator::EmittedIds(const Guid& tenant, std::string_view stream) const {
  return EmittedIds(tenant, stream, Now());
}

std::vector<EmittedRecord> Simulator::Emitted(const Guid& tenant, std::string_view stream) const {
  const StreamPlace place = PlaceOf(stream);
  return state_->store.All({tenant, place.list}, place.event_type);
}

std::optional<std::string> Simulator::Record(const Guid& tenant, List list,
                                             std::string_view id) const {
  const auto version = state_->store.Get({tenant, list}, id, Now());
  if (!version) return std::nullopt;
  return Render(SpecOf(list), *version,
                {.beta = true, .with_policies = true, .young_members = true});
}

FaultPlan& Simulator::faults() { return state_->plan; }

void Simulator::SetChaos(Chaos chaos) { state_->plan.Set(std::move(chaos), state_->options.seed); }

void Simulator::RevokeTokens() { state_->entra.RevokeAll(); }

std::string Simulator::OtherHost() {
  State& s = *state_;
  if (!s.elsewhere) {
    s.elsewhere = std::make_unique<Server>(
        ServerSettings{.tls = s.options.tls, .threads = 2}, s.identity.get(),
        [&s](const Call& call) { return s.AnswerElsewhere(call); });
    const Status started = s.elsewhere->Start();
    PK_CHECK(started.has_value(), "the other host has a free port");
  }
  return s.elsewhere->url();
}

std::vector<Leak> Simulator::Leaks() const {
  const std::lock_guard lock(state_->mutex);
  return state_->leaks;
}

std::set<std::string> Simulator::Credentials() const {
  const std::lock_guard lock(state_->mutex);
  return state_->credentials;
}

std::vector<LoggedRequest> Simulator::Requests() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->log.begin(), state_->log.end()};
}

std::int64_t Simulator::RequestCount() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

std::int64_t Simulator::ThrottledCount() const {
  const std::lock_guard lock(state_->mutex);
  return state_->throttled;
}

void Simulator::ForgetRequests() {
  const std::lock_guard lock(state_->mutex);
  state_->log.clear();
  state_->requests = 0;
  state_->throttled = 0;
}

}  // namespace picket::simulator
