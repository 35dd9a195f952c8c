#include "agent/graph/client.h"

#include <algorithm>
#include <cstring>

#include "agent/graph/failure.h"
#include "agent/graph/trace.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::graph {
namespace {

constexpr int kOk = 200;
constexpr int kUnauthorized = 401;
constexpr std::chrono::hours kBelieved{1};

// With what Microsoft's support asks for.
void LogFailure(const Collection& collection, const Error& error, int status, const Trace& trace,
                const std::string& client_request_id) {
  Log(LogLevel::kWarn, "graph.failed", "A request to Graph failed",
      {{"stream", std::string(collection.stream)},
       {"status", std::int64_t{status}},
       {"kind", std::string(ErrorKindName(error.kind))},
       {"error", error.message},
       {"request_id", trace.request_id},
       {"client_request_id", client_request_id},
       {"date", trace.date ? FormatGraph(*trace.date) : std::string()},
       {"diagnostic", trace.diagnostic}});
}

// Does the reply give our token back? A proxy that shows requests does, or something worse. The end
// is enough to look for, and what differs from token to token.
bool GivesBack(const HttpResponse& response, std::string_view token) {
  constexpr std::size_t kTelling = 16, kLooked = 32;
  if (token.size() < kTelling) return false;  // not to be told from other text
  const std::string_view end = token.substr(token.size() - std::min(token.size(), kLooked));
  const auto holds = [end](std::string_view text) {
    return memmem(text.data(), text.size(), end.data(), end.size()) != nullptr;
  };
  return holds(response.body) ||
         std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return holds(header.second); });
}

// Nothing of such a reply is kept, shown or stored; without a page its status still says enough.
Result<HttpResponse> Distrust(HttpResponse response) {
  if (response.status == kOk) {
    return Fail({.kind = ErrorKind::kUnexpectedReply,
                 .message = "Graph's reply holds the token that it was sent",
                 .hint = "Is a proxy in between that shows requests? Check [cloud] graph."});
  }
  response.body.clear();
  std::erase_if(response.headers, [](const auto& header) {
    return !EqualsIgnoreCase(header.first, "Date") &&
           !EqualsIgnoreCase(header.first, "Retry-After");
  });
  return response;
}

HttpRequest MakeRequest(const std::string& url, const std::string& request_id,
                        std::string_view token, const ClientSettings& settings) {
  HttpRequest request;
  request.url = url;
  request.timeout = settings.timeout;
  request.max_body = settings.max_body;
  request.headers = {{"Accept", "application/json"},
                     // Else members newer than the enum's first version come as
                     // unknownFutureValue. Not carried by next links: sent with every page.
                     {"Prefer", "include-unknown-enum-members"},
                     {"client-request-id", request_id},
                     {"Authorization", "Bearer " + std::string(token)}};
  return request;
}

}  // namespace

Client::Client(HttpTransport& transport, TokenSource& tokens, const Clock& clock,
               ClientSettings settings)
    : transport_(transport), tokens_(tokens), clock_(clock), settings_(std::move(settings)) {}

std::optional<Instant> Client::GraphNow() const {
  const std::lock_guard lock(mutex_);
  if (!newest_date_) return std::nullopt;
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - seen_at_);
  if (passed > kBelieved) return std::nullopt;
  return *newest_date_ + kMillisecond * passed.count();
}

void Client::NoteDate(Instant date) {
  const std::lock_guard lock(mutex_);
  newest_date_ = date;
  seen_at_ = clock_.Steady();
}

Result<HttpResponse> Client::SendOnce(const std::string& url, const std::string& request_id,
                                      std::string_view token, std::stop_token stop) {
  auto response = transport_.Send(MakeRequest(url, request_id, token, settings_), std::move(stop));
  if (response && GivesBack(*response, token)) return Distrust(*std::move(response));
  if (!response && response.error().remote_code == "timeout") {
    Error error = std::move(response).error();
    error.kind = ErrorKind::kShrink;
    return Fail(std::move(error));
  }
  return response;
}

bool Client::GiveUp(const SecretString& token, const HttpResponse& response, Refusals& refusals) {
  const std::string claims = ClaimsChallenge(response);
  // A token may be refused without a word when another request met the challenge first.
  const bool again =
      refusals.count == 0 || (refusals.count == 1 && !claims.empty() && !refusals.challenged);
  if (!again) return false;
  ++refusals.count;
  refusals.challenged = !claims.empty();
  tokens_.Reject(token.Reveal(), claims);
  return true;
}

Result<Page> Client::Get(const Collection& collection, const std::string& url, Refusals& refusals,
                         std::stop_token stop) {
  const std::string request_id = ToString(Uuid4());
  PK_ASSIGN_OR_RETURN(const SecretString token, tokens_.Token(stop));
  Result<HttpResponse> sent = SendOnce(url, request_id, token.Reveal(), stop);
  if (sent && sent->status == kUnauthorized && GiveUp(token, *sent, refusals)) {
    return Fail({.kind = ErrorKind::kTransient,
                 .message = "Graph refused the token; a new one is asked for",
                 .remote_code = std::string(kTokenRefused),
                 .retry_after = std::chrono::milliseconds(0)});
  }
  refusals = {};
  if (!sent) {
    if (sent.error().kind != ErrorKind::kCancelled) {
      LogFailure(collection, sent.error(), 0, {}, request_id);
    }
    return Fail(std::move(sent).error());
  }
  HttpResponse response = *std::move(sent);
  const Trace trace = TraceOf(response.headers);
  // A proxy or a captive portal sends no request-id.
  if (trace.date && !trace.request_id.empty()) NoteDate(*trace.date);
  Page page{.date = trace.date};
  if (response.status != kOk) {
    Error error = Classify(response, collection, page.date.value_or(clock_.Now()));
    LogFailure(collection, error, response.status, trace, request_id);
    return Fail(std::move(error));
  }
  page.body = std::make_unique<const std::string>(std::move(response.body));
  auto envelope = DecodeEnvelope(*page.body);
  if (!envelope) {
    LogFailure(collection, envelope.error(), response.status, trace, request_id);
    return tl::unexpected(std::move(envelope).error());
  }
  page.envelope = *std::move(envelope);
  if (page.date) NoteDate(*page.date);
  return page;
}

Result<Page> Client::Follow(const Collection& collection, const Variant& variant,
                            const std::string& link, Refusals& refusals, std::stop_token stop) {
  const std::string path = "/" + std::string(variant.version) + "/" + std::string(collection.path);
  if (Status good = CheckNextLink(link, settings_.root, path); !good) {
    LogFailure(collection, good.error(), kOk, {}, "");
    return Fail(std::move(good).error());
  }
  return Get(collection, link, refusals, std::move(stop));
}

}  // namespace picket::graph
