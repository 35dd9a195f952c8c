#include "tests/fault/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/simulator/dice.h"
#include "tests/simulator/generator.h"
#include "tests/simulator/reply.h"

namespace picket::fault {
namespace {

using nlohmann::json;
using simulator::Call;
using simulator::Delivery;
using simulator::Dice;
using simulator::List;
using simulator::Principal;

// A request of the wire as the simulator takes it.
std::string Decoded(std::string_view text, bool form) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += form && text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

void AddParameters(Call& call, std::string_view pairs, bool form) {
  while (!pairs.empty()) {
    const std::string_view pair = pairs.substr(0, pairs.find('&'));
    pairs.remove_prefix(std::min(pairs.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    call.parameters.emplace_back(Decoded(pair.substr(0, equals), form), Decoded(value, form));
  }
}

Call CallOf(const HttpRequest& request) {
  const std::string target = request.url.substr(std::string_view(kWorldUrl).size());
  const std::size_t query = target.find('?');
  Call call{.method = request.method, .path = target.substr(0, query)};
  call.headers = request.headers;
  if (query != std::string::npos) {
    AddParameters(call, std::string_view(target).substr(query + 1), false);
  }
  if (request.method == "POST") AddParameters(call, request.body, true);
  return call;
}

simulator::SimulatorOptions OptionsOf(const Plan& plan, const SharedClock& clock) {
  return {.seed = plan.seed,
          .now = [&clock] { return clock.True(); },
          .tls = false,
          .short_pages = plan.short_pages,
          .empty_pages = plan.empty_pages,
          .most_rows = plan.most_rows,
          .filter_by_last_update = plan.filter_by_last_update};
}

constexpr int kDripBytes = 4000;  // as much of an answer as a client waits for

}  // namespace

World::World(const Plan& plan, const SharedClock& clock)
    : plan_(plan), clock_(clock), simulator_(OptionsOf(plan, clock)) {
  simulator_.PretendAt(kWorldUrl);
  simulator_.RegisterApp({.client_id = client_id_, .secrets = {secret_}});
  for (int i = 0; i < plan.tenants; ++i) {
    const Guid tenant = Uuid5(kPicketNamespace, fmt::format("fault {} {}", plan.seed, i));
    tenants_.push_back(tenant);
    simulator_.AddTenant({.id = tenant});
    Populate(tenant, i);
  }
  // Another tenant, for tokens that go astray.
  simulator_.AddTenant({.id = Uuid5(kPicketNamespace, "nobody's tenant")});
  simulator_.SetChaos({.per_mille = plan.per_mille,
                       .faults = FaultsOfRun(kOtherHost, /*huge=*/plan.seed % 10 == 0)});
}

void World::Populate(const Guid& tenant, int number) {
  const storage::Interval span = EventsOfRun();
  const simulator::LifeCounts counts =
      Live(simulator_, {.tenant = tenant,
                        .domain = fmt::format("tenant{}.example", number),
                        .seed = plan_.seed,
                        .from = span.from,
                        .to = span.to,
                        .users = 12,
                        .sign_ins = 140,
                        .audits = 15,
                        .detections = 0,
                        .non_interactive = 350,
                        .service_principal = 120,
                        .managed_identity = 60,
                        .late = 60,
                        .very_late = 30,
                        .changed = 60});
  late_rows_ += counts.late;
  changed_rows_ += counts.changed;
  AddVictims(tenant);
  MakePoorer(tenant);
}

// People whose sign-ins turn out to be risky, each in another way.
void World::AddVictims(const Guid& tenant) {
  Dice dice(plan_.seed, "victims " + ToString(tenant));
  const Instant start = StartOfRun();
  int people = 0;
  const auto person = [&] {
    const int n = ++people;
    return Principal{.id = ToString(Uuid5(tenant, fmt::format("victim {}", n))),
                     .name = fmt::format("Victim {}", n),
                     .user = fmt::format("victim{}@contoso.example", n)};
  };
  int sign_ins = 0;
  const auto sign_in = [&](const Principal& who, Instant at, const std::string& patch = "") {
    const std::string id = ToString(Uuid5(tenant, fmt::format("risky {}", ++sign_ins)));
    simulator_.Emit(tenant, List::kSignIns,
                    SignInJson(tenant, id, at, who, "interactiveUser", patch),
                    at + kSecond * dice.Between(20, 400));
    return id;
  };
  const auto risk = [&](const std::string& id, Instant created, Timespan delay,
                        const char* event = "unfamiliarFeatures") {
    const std::string detection = simulator_.AddRisk(
        tenant, id, {.event = event, .level = dice.PerMille(300) ? "high" : "medium"},
        created + delay);
    late_risks_.push_back({tenant, id, delay});
    return detection;
  };
  const auto minutes = [&](std::int64_t low, std::int64_t high) {
    return kMinute * dice.Between(low, high);
  };

  for (int i = 0; i < 4; ++i) {  // found out within 30 hours
    const Instant at = start + minutes(-20 * 60, 40 * 60);
    risk(sign_in(person(), at), at, minutes(2 * 60, 30 * 60));
  }
  for (int i = 0; i < 5; ++i) {  // found out when only the detection leads back to the sign-in
    const Instant at = start + minutes(-20 * 60, -8 * 60);
    risk(sign_in(person(), at), at, minutes(50 * 60, 64 * 60), "leakedCredentials");
  }
  {  // several of one person: one alert
    const Principal who = person();
    const Instant first = start + minutes(-10 * 60, 30 * 60);
    for (int i = 0; i < 3; ++i) {
      const Instant at = first + kHour * (2 * i) + minutes(0, 60);
      risk(sign_in(who, at), at, minutes(60, 24 * 60), "passwordSpray");
    }
  }
  {  // risky at once
    const Instant at = start + minutes(-20 * 60, 40 * 60);
    const std::string id = sign_in(person(), at);
    simulator_.AddRisk(tenant, id, {.event = "anonymizedIPAddress", .timing = "realtime"},
                       at + minutes(5, 10));
  }
  {  // found out, and dismissed
    const Instant at = start + minutes(-20 * 60, 40 * 60);
    const Timespan delay = minutes(60, 6 * 60);
    const std::string id = sign_in(person(), at);
    const std::string detection =
        simulator_.AddRisk(tenant, id, {.event = "unfamiliarFeatures"}, at + delay);
    const Instant later = at + delay + minutes(30, 12 * 60);
    json dismissed = {{"riskState", "dismissed"}, {"riskDetail", "adminDismissedAllRiskForUser"}};
    simulator_.Change(tenant, List::kSignIns, id, dismissed.dump(), later);
    dismissed["lastUpdatedDateTime"] = FormatRfc3339(later);
    simulator_.Change(tenant, List::kRiskDetections, detection, dismissed.dump(), later);
  }
  {  // one factor was enough, in another tenant
    const json abroad = {{"authenticationRequirement", "singleFactorAuthentication"},
                         {"resourceTenantId", "99999999-8888-4777-8666-555555555555"}};
    sign_in(person(), start + minutes(-20 * 60, 40 * 60), abroad.dump());
  }
}

// Graph sometimes takes back what it has told.
void World::MakePoorer(const Guid& tenant) {
  Dice dice(plan_.seed, "poorer " + ToString(tenant));
  static constexpr const char* kMembers[] = {"deviceDetail", "resourceDisplayName", "userAgent",
                                             "authenticationDetails"};
  for (const char* stream : {"signIns.interactive", "signIns.nonInteractive"}) {
    for (const simulator::EmittedRecord& record : simulator_.Emitted(tenant, stream)) {
      const Instant time = record.versions.front().time;
      const Instant later =
          std::max(record.versions.front().visible_at, time) + kMinute * dice.Between(30, 600);
      if (!dice.PerMille(80) || later > time + kHour * 44) continue;
      json patch;
      patch[kMembers[dice.Below(std::size(kMembers))]] = nullptr;
      simulator_.Change(tenant, List::kSignIns, record.id, patch.dump(), later);
      ++poorer_rows_;
    }
  }
}

void World::ObeyPlan() {
  if (!plan_.lapse) return;
  const Instant now = clock_.True();
  const bool lapsed = now >= plan_.lapse->from && now < plan_.lapse->to;
  if (lapsed == lapsed_) return;
  lapsed_ = lapsed;
  if (lapsed) ++lapses_;
  for (const Guid& tenant : tenants_) {
    simulator_.AddTenant(
        {.id = tenant, .licence = lapsed ? simulator::Licence::kP1 : simulator::Licence::kP2});
  }
}

FromWorld World::Answer(const HttpRequest& request) {
  ObeyPlan();
  if (!request.url.starts_with(std::string(kWorldUrl) + "/")) {
    ++leaks_;
    return {.kind = FromWorld::Kind::kAnswer,
            .response = {.status = 200, .headers = {}, .body = R"({"value":[]})"}};
  }
  simulator::Reply reply = simulator_.Answer(CallOf(request));
  FromWorld answer{.kind = FromWorld::Kind::kAnswer, .response = {}};
  switch (reply.delivery) {
    case Delivery::kPlain:
      if (reply.compressed) answer.kind = FromWorld::Kind::kGzip;
      break;
    case Delivery::kDrip:
      if (reply.pace * std::min<std::int64_t>(kDripBytes, std::ssize(reply.body)) >= kMinute) {
        answer.kind = FromWorld::Kind::kTimeout;
      }
      break;
    case Delivery::kReset:
      answer.kind = FromWorld::Kind::kReset;
      break;
    case Delivery::kHang:
      answer.kind = FromWorld::Kind::kTimeout;
      break;
    case Delivery::kTruncated:
      answer.kind = FromWorld::Kind::kCutShort;
      break;
    case Delivery::kFlood:
      answer.kind = FromWorld::Kind::kTooLarge;
      break;
  }
  if (answer.kind == FromWorld::Kind::kAnswer || answer.kind == FromWorld::Kind::kGzip) {
    answer.response = {
        .status = reply.status, .headers = std::move(reply.headers), .body = std::move(reply.body)};
  }
  return answer;
}

void World::Clear() { simulator_.faults().Clear(); }

Strikes World::Struck() const {
  Strikes struck;
  for (const simulator::LoggedRequest& request : simulator_.Requests()) {
    ++struck["requests"];
    if (!request.fault.empty()) ++struck["answer: " + request.fault];
    if (request.throttled) ++struck["answer: over a limit"];
  }
  struck["rows: late"] = late_rows_;
  struck["rows: changed"] = changed_rows_;
  struck["rows: poorer"] = poorer_rows_;
  struck["rows: risk added later"] = std::ssize(late_risks_);
  struck["rows: hidden while a licence lapsed"] = lapses_;
  return struck;
}

}  // namespace picket::fault
