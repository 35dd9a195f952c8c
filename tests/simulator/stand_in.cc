#include "tests/simulator/stand_in.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/http.h"
#include "base/text.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr std::size_t kPageSize = 100;

struct Registration {
  std::string client_id, secret;
};

struct Event {
  json record;
  Instant visible_from;
};

// What a list is filtered by.
struct Filter {
  std::string time_member;
  std::optional<Instant> from, to;
  std::string type;   // of signInEventTypes
  std::string state;  // of riskState
};

std::string Text(const json& record, const std::string& member) {
  const auto found = record.find(member);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// `createdDateTime ge X and createdDateTime le Y and signInEventTypes/any(t: t eq 'z')`; nullopt
// for anything else, which Graph answers with 400.
std::optional<Filter> ParseFilter(const std::string& text) {
  Filter filter;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(" and ", at);
    if (end == std::string::npos) end = text.size();
    const std::string part = text.substr(at, end - at);
    at = end + 5;
    constexpr std::string_view kTypes = "signInEventTypes/any(t: t eq '";
    if (part.substr(0, kTypes.size()) == kTypes && part.size() > kTypes.size() + 2) {
      filter.type = part.substr(kTypes.size(), part.size() - kTypes.size() - 2);
      continue;
    }
    const auto words = Split(part, ' ');
    if (words.size() != 3) return std::nullopt;
    if (words[0] == "riskState" && words[1] == "eq" && words[2].size() > 2) {
      filter.state = words[2].substr(1, words[2].size() - 2);
      continue;
    }
    const Result<Instant> time = ParseRfc3339(words[2]);
    if (!time) return std::nullopt;
    filter.time_member = words[0];
    if (words[1] == "ge") {
      filter.from = *time;
    } else if (words[1] == "le") {
      filter.to = *time;
    } else {
      return std::nullopt;
    }
  }
  return filter;
}

std::string DefaultTimeMember(const std::string& list) {
  if (list == "auditLogs/signIns") return "createdDateTime";
  if (list == "auditLogs/directoryAudits") return "activityDateTime";
  if (list == "identityProtection/riskyUsers") return "riskLastUpdatedDateTime";
  return "detectedDateTime";
}

bool Fits(const json& record, const Filter& filter, const std::string& list, bool beta) {
  if (!filter.time_member.empty()) {
    const Result<Instant> time = ParseRfc3339(Text(record, filter.time_member));
    if (!time || (filter.from && *time < *filter.from) || (filter.to && *time > *filter.to)) {
      return false;
    }
  }
  if (!filter.state.empty() && Text(record, "riskState") != filter.state) return false;
  if (list != "auditLogs/signIns") return true;
  const std::string wanted = beta && !filter.type.empty() ? filter.type : "interactiveUser";
  const auto types = record.find("signInEventTypes");
  return types != record.end() && std::find(types->begin(), types->end(), wanted) != types->end();
}

}  // namespace

struct StandIn::State {
  explicit State(std::function<Instant()> clock) : now(std::move(clock)) {}

  const std::function<Instant()> now;
  httplib::Server server;
  std::thread thread;
  int port = 0;
  std::atomic<std::int64_t> requests = 0;
  std::mutex mutex;
  std::map<std::string, Registration> tenants;
  std::map<std::string, std::map<std::string, std::vector<Event>>> events;  // tenant, list

  void Answer(httplib::Response& response, int status, const json& body) const {
    response.status = status;
    response.set_header("Date", FormatHttpDate(now()));
    response.set_header("request-id", ToString(Uuid4()));
    response.set_content(body.dump(-1, ' ', false, json::error_handler_t::replace),
                         "application/json");
  }

  void Refuse(httplib::Response& response, int status, const char* code,
              const char* message) const {
    Answer(response, status, {{"error", {{"code", code}, {"message", message}}}});
  }

  void Token(const httplib::Request& request, httplib::Response& response) {
    const std::string tenant = request.matches[1];
    const std::lock_guard lock(mutex);
    const auto found = tenants.find(tenant);
    const auto error = [&](int number, const char* name, int status) {
      Answer(response, status,
             {{"error", name},
              {"error_description", fmt::format("AADSTS{}: refused by the stand-in.", number)},
              {"error_codes", {number}}});
    };
    if (found == tenants.end()) return error(90002, "invalid_request", 400);
    if (request.get_param_value("client_id") != found->second.client_id) {
      return error(700016, "unauthorized_client", 400);
    }
    if (request.get_param_value("client_secret") != found->second.secret) {
      return error(7000215, "invalid_client", 401);
    }
    const json claims = {{"tid", tenant},
                         {"appid", found->second.client_id},
                         {"aud", request.get_param_value("scope")},
                         {"roles",
                          {"AuditLog.Read.All", "Directory.Read.All", "IdentityRiskEvent.Read.All",
                           "IdentityRiskyUser.Read.All"}}};
    Answer(response, 200,
           {{"token_type", "Bearer"},
            {"expires_in", 3599},
            {"access_token", Base64UrlEncode(R"({"alg":"none"})") + "." +
                                 Base64UrlEncode(claims.dump()) + ".c3RhbmQtaW4"}});
  }

  // The tenant that a token of ours is for; "" for any other.
  std::string TenantOf(const httplib::Request& request) {
    const std::string header = request.get_header_value("Authorization");
    const std::lock_guard lock(mutex);
    for (const auto& [tenant, registration] : tenants) {
      const auto parts = Split(header, '.');
      if (parts.size() == 3 && Decoded(parts[1]).find("\"" + tenant + "\"") != std::string::npos) {
        return tenant;
      }
    }
    return {};
  }

  static std::string Decoded(std::string_view base64) {
    std::string bytes;
    std::uint32_t buffer = 0;
    int bits = 0;
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const char c : base64) {
      const std::size_t value = kAlphabet.find(c);
      if (value == std::string_view::npos) break;
      buffer = buffer << 6 | static_cast<std::uint32_t>(value);
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes += static_cast<char>(buffer >> bits & 0xFFU);
      }
    }
    return bytes;
  }

  void List(const httplib::Request& request, httplib::Response& response) {
    const bool beta = request.matches[1] == "beta";
    std::string list = request.matches[2];
    if (EqualsIgnoreCase(list, "auditLogs/signIns")) list = "auditLogs/signIns";
    const std::string tenant = TenantOf(request);
    if (tenant.empty()) {
      return Refuse(response, 401, "InvalidAuthenticationToken", "Access token is empty.");
    }
    const std::string text = request.get_param_value("$filter");
    std::optional<Filter> filter = ParseFilter(text);
    if (!filter || (!beta && !filter->type.empty())) {
      return Refuse(response, 400, "BadRequest", "Invalid filter clause");
    }
    if (filter->time_member.empty()) filter->time_member = DefaultTimeMember(list);
    const std::size_t skip =
        request.has_param("$skiptoken")
            ? static_cast<std::size_t>(std::atoll(request.get_param_value("$skiptoken").c_str()))
            : 0;
    AnswerPage(request, response, list, tenant, *filter, beta, skip);
  }

  void AnswerPage(const httplib::Request& request, httplib::Response& response,
                  const std::string& list, const std::string& tenant, const Filter& filter,
                  bool beta, std::size_t skip) {
    std::vector<json> fitting;
    {
      const std::lock_guard lock(mutex);
      for (const Event& event : events[tenant][list]) {
        if (event.visible_from <= now() && Fits(event.record, filter, list, beta)) {
          fitting.push_back(event.record);
        }
      }
    }
    const std::string member = filter.time_member;
    std::stable_sort(fitting.begin(), fitting.end(), [&](const json& a, const json& b) {
      return Text(a, member) > Text(b, member);
    });
    json value = json::array();
    for (std::size_t i = skip; i < fitting.size() && i < skip + kPageSize; ++i) {
      value.push_back(fitting[i]);
    }
    json body = {{"@odata.context", "stand-in"}, {"value", std::move(value)}};
    if (skip + kPageSize < fitting.size()) {
      body["@odata.nextLink"] =
          fmt::format("{}{}?$top={}&$filter={}&$skiptoken={}", UrlOf(), request.path,
                      request.get_param_value("$top"),
                      PercentEncode(request.get_param_value("$filter")), skip + kPageSize);
    }
    Answer(response, 200, body);
  }

  void Item(const httplib::Request& request, httplib::Response& response) {
    const std::string tenant = TenantOf(request);
    if (tenant.empty()) {
      return Refuse(response, 401, "InvalidAuthenticationToken", "Access token is empty.");
    }
    const std::lock_guard lock(mutex);
    for (const Event& event : events[tenant]["auditLogs/signIns"]) {
      if (Text(event.record, "id") == request.matches[2].str()) {
        return Answer(response, 200, event.record);
      }
    }
    Refuse(response, 404, "ResourceNotFound", "There is no such sign-in.");
  }

  [[nodiscard]] std::string UrlOf() const { return fmt::format("http://127.0.0.1:{}", port); }
};

StandIn::StandIn(std::function<Instant()> now) : state_(std::make_unique<State>(std::move(now))) {}

StandIn::~StandIn() {
  state_->server.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

Status StandIn::Start() {
  State& s = *state_;
  s.server.set_pre_routing_handler([&s](const httplib::Request&, httplib::Response&) {
    ++s.requests;
    return httplib::Server::HandlerResponse::Unhandled;
  });
  s.server.Post(R"(/([0-9a-f-]{36})/oauth2/v2\.0/token)",
                [&s](const auto& request, auto& response) { s.Token(request, response); });
  s.server.Get(R"(/(beta|v1\.0)/((?:auditLogs|identityProtection)/[A-Za-z]+))",
               [&s](const auto& request, auto& response) { s.List(request, response); });
  s.server.Get(R"(/(beta|v1\.0)/auditLogs/signIns/([0-9a-f-]{36}))",
               [&s](const auto& request, auto& response) { s.Item(request, response); });
  s.port = s.server.bind_to_any_port("127.0.0.1");
  if (s.port <= 0) {
    return Fail({.kind = ErrorKind::kInternal, .message = "no free port on 127.0.0.1"});
  }
  s.thread = std::thread([&s] { s.server.listen_after_bind(); });
  // A stop before it listens would be lost, and the thread would stay.
  while (!s.server.is_running()) std::this_thread::yield();
  return {};
}

std::string StandIn::Url() const { return state_->UrlOf(); }
std::int64_t StandIn::requests() const { return state_->requests; }

void StandIn::AddTenant(const Guid& tenant, std::string client_id, std::string secret) {
  const std::lock_guard lock(state_->mutex);
  state_->tenants[ToString(tenant)] = {std::move(client_id), std::move(secret)};
}

void StandIn::Put(const Guid& tenant, const std::string& list, std::string text,
                  Instant visible_from) {
  json record = json::parse(text, nullptr, /*allow_exceptions=*/false);
  PK_CHECK(record.is_object(), "the stand-in is given a record");
  const std::lock_guard lock(state_->mutex);
  std::vector<Event>& events = state_->events[ToString(tenant)][list];
  for (Event& event : events) {
    if (Text(event.record, "id") == Text(record, "id")) {
      event.record = std::move(record);
      return;
    }
  }
  events.push_back({std::move(record), visible_from});
}

}  // namespace picket::simulator
