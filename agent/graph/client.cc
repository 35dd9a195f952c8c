#include "agent/graph/client.h"

#include "agent/graph/failure.h"
#include "base/log.h"
#include "base/uuid.h"

namespace picket::graph {
namespace {

constexpr int kOk = 200;
constexpr int kUnauthorized = 401;

// Bounded: it goes into the log and to support.
std::string HeaderText(const HttpResponse& response, std::string_view name) {
  constexpr std::size_t kMost = 200;
  const auto value = FindHeader(response.headers, name);
  return value ? std::string(value->substr(0, kMost)) : std::string();
}

// Microsoft's support asks for both ids.
void LogFailure(const Collection& collection, const Error& error, int status,
                const std::string& request_id, const std::string& client_request_id) {
  Log(LogLevel::kWarn, "graph.failed", "A request to Graph failed",
      {{"stream", std::string(collection.stream)},
       {"status", std::int64_t{status}},
       {"kind", std::string(ErrorKindName(error.kind))},
       {"error", error.message},
       {"request_id", request_id},
       {"client_request_id", client_request_id}});
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
  return *newest_date_ + kMillisecond * passed.count();
}

std::optional<Instant> Client::NoteDate(const HttpResponse& response) {
  const auto header = FindHeader(response.headers, "Date");
  if (!header) return std::nullopt;
  const auto date = ParseHttpDate(*header);
  if (!date) return std::nullopt;
  const std::lock_guard lock(mutex_);
  newest_date_ = *date;
  seen_at_ = clock_.Steady();
  return *date;
}

Result<HttpResponse> Client::Send(const std::string& url, const std::string& request_id,
                                  std::stop_token stop) {
  // The first try, and one with a fresh token when the first was rejected.
  for (int tries = 0;; ++tries) {
    PK_ASSIGN_OR_RETURN(const SecretString token, tokens_.Token(stop));
    auto response = transport_.Send(MakeRequest(url, request_id, token.Reveal(), settings_), stop);
    if (!response && response.error().remote_code == "timeout") {
      Error error = std::move(response).error();
      error.kind = ErrorKind::kShrink;
      return Fail(std::move(error));
    }
    if (!response || response->status != kUnauthorized || tries > 0) return response;
    tokens_.Reject(token.Reveal(), ClaimsChallenge(*response));
  }
}

Result<Page> Client::Get(const Collection& collection, const std::string& url,
                         std::stop_token stop) {
  const std::string request_id = ToString(Uuid4());
  auto sent = Send(url, request_id, stop);
  if (!sent) {
    if (sent.error().kind != ErrorKind::kCancelled) {
      LogFailure(collection, sent.error(), 0, "", request_id);
    }
    return tl::unexpected(std::move(sent).error());
  }
  HttpResponse response = *std::move(sent);
  Page page;
  page.date = NoteDate(response);
  page.request_id = HeaderText(response, "request-id");
  if (response.status != kOk) {
    Error error = Classify(response, collection, page.date.value_or(clock_.Now()));
    LogFailure(collection, error, response.status, page.request_id, request_id);
    return Fail(std::move(error));
  }
  page.body = std::make_unique<const std::string>(std::move(response.body));
  auto envelope = DecodeEnvelope(*page.body);
  if (!envelope) {
    LogFailure(collection, envelope.error(), response.status, page.request_id, request_id);
    return tl::unexpected(std::move(envelope).error());
  }
  page.envelope = *std::move(envelope);
  return page;
}

Result<Page> Client::Follow(const Collection& collection, const Variant& variant,
                            const std::string& link, std::stop_token stop) {
  const std::string path = "/" + std::string(variant.version) + "/" + std::string(collection.path);
  PK_RETURN_IF_ERROR(CheckNextLink(link, settings_.root, path));
  return Get(collection, link, std::move(stop));
}

}  // namespace picket::graph
