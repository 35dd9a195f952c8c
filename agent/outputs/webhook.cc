#include "agent/outputs/webhook.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/hmac.h"
#include "base/text.h"

namespace picket::outputs {
namespace {

constexpr std::size_t kMaxReply = 64 * 1024;

// Slack says in words what is wrong; only those that it documents are shown.
std::string_view KnownReply(std::string_view body) {
  static constexpr std::array<std::string_view, 16> kWords = {"invalid_payload",
                                                              "no_text",
                                                              "too_many_attachments",
                                                              "action_prohibited",
                                                              "invalid_token",
                                                              "channel_not_found",
                                                              "no_service",
                                                              "channel_is_archived",
                                                              "user_not_found",
                                                              "no_active_hooks",
                                                              "no_team",
                                                              "team_disabled",
                                                              "rollup_error",
                                                              "invalid_blocks",
                                                              "msg_blocks_too_long",
                                                              "posting_to_general_channel_denied"};
  const std::string_view said = Trim(body.substr(0, 100));
  for (const std::string_view word : kWords) {
    if (said == word) return word;
  }
  return {};
}

// What Teams' older connectors answer with 200.
bool IsHiddenThrottle(std::string_view body) {
  return body.find("HTTP error 429") != std::string_view::npos;
}

class Webhook final : public Output {
 public:
  Webhook(WebhookSettings settings, HttpTransport& network, const Clock& clock)
      : settings_(std::move(settings)), network_(network), clock_(clock) {}

  Attempt Send(const Message& message, std::stop_token stop) override {
    Result<HttpRequest> request = RequestFor(message);
    if (!request) return {.fate = Fate::kNotConfigured, .receipt = {}, .error = request.error()};
    const Result<HttpResponse> response = network_.Send(*request, std::move(stop));
    if (!response) {
      const bool operators = response.error().kind == ErrorKind::kInvalidConfig;
      return {.fate = operators ? Fate::kNotConfigured : Fate::kRetry,
              .receipt = {},
              .error = response.error()};
    }
    return Judge(*response, ParseOrigin(request->url)->host);
  }

  std::string Repetition() const override {
    return settings_.format == WebhookFormat::kStandard
               ? "a message may come again after a crash, with the same webhook-id"
               : "a message may come again after a crash";
  }
  std::string Where() const override {
    if (settings_.url_ref) {
      return "@{" + settings_.url_ref->store + ":" + settings_.url_ref->key + "}";
    }
    // Path and query may hold a token.
    const Result<Origin> origin = ParseOrigin(settings_.url);
    return origin ? fmt::format("{}://{}:{}", origin->scheme, origin->host, origin->port) : "";
  }
  bool ForPeople() const override { return settings_.format != WebhookFormat::kStandard; }
  std::chrono::milliseconds Pace() const override {
    return std::chrono::milliseconds(ForPeople() ? 1000 : 0);
  }
  Status Check() const override {
    PK_ASSIGN_OR_RETURN(const SecretString url, Url());
    PK_RETURN_IF_ERROR(CheckUrl(url.Reveal()));
    if (!settings_.secret) return {};
    PK_ASSIGN_OR_RETURN(const SecretString secret, ReadSecret(*settings_.secret));
    const Result<SecretString> key = SigningKey(secret);
    return key ? Status() : Fail(key.error());
  }

 private:
  [[nodiscard]] Result<SecretString> Url() const {
    return settings_.url_ref ? ReadSecret(*settings_.url_ref) : SecretString(settings_.url);
  }

  // The config checks a URL that stands in it; one that is a secret is seen here first.
  static Status CheckUrl(std::string_view url) {
    const Result<Origin> origin = ParseOrigin(url);
    const bool good = origin && (origin->scheme == "https" || IsLoopback(*origin)) &&
                      url.find_first_of(" \t\r\n#") == std::string_view::npos;
    if (good) return {};
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "the secret of 'url' holds no https URL",
                 .hint = "Put the webhook's whole address into it."});
  }

  [[nodiscard]] Result<HttpRequest> RequestFor(const Message& message) const {
    PK_ASSIGN_OR_RETURN(const SecretString url, Url());
    PK_RETURN_IF_ERROR(CheckUrl(url.Reveal()));
    HttpRequest request{.method = "POST",
                        .url = std::string(url.Reveal()),
                        .headers = {{"Content-Type", "application/json"}},
                        .body = {},
                        .timeout = ToMillis(settings_.timeout),
                        .max_body = kMaxReply};
    if (settings_.format == WebhookFormat::kTeams) request.body = TeamsBody(NoticeOf(message));
    if (settings_.format == WebhookFormat::kSlack) request.body = SlackBody(NoticeOf(message));
    if (settings_.format == WebhookFormat::kStandard) {
      request.body = StandardBody(message);
      PK_RETURN_IF_ERROR(Sign(message, request));
    }
    return request;
  }

  Status Sign(const Message& message, HttpRequest& request) const {
    const std::int64_t now = clock_.Now().UnixMillis() / 1000;
    request.headers.emplace_back("webhook-id", message.id);
    request.headers.emplace_back("webhook-timestamp", std::to_string(now));
    if (!settings_.secret) return {};
    PK_ASSIGN_OR_RETURN(const SecretString secret, ReadSecret(*settings_.secret));
    PK_ASSIGN_OR_RETURN(const SecretString key, SigningKey(secret));
    request.headers.emplace_back("webhook-signature",
                                 Signature(key.Reveal(), message.id, now, request.body));
    return {};
  }

  [[nodiscard]] Attempt Judge(const HttpResponse& response, const std::string& host) const {
    const int status = response.status;
    const std::string_view said = KnownReply(response.body);
    const bool throttled = status == 429 || (settings_.format == WebhookFormat::kTeams &&
                                             status < 300 && IsHiddenThrottle(response.body));
    if (status >= 200 && status < 300 && !throttled) {
      return {.fate = Fate::kDelivered, .receipt = std::to_string(status), .error = {}};
    }
    Attempt attempt{.fate = Fate::kRetry,
                    .receipt = {},
                    .error = {.kind = ErrorKind::kTransient,
                              .message = fmt::format("{} answered {}{}{}", host, status,
                                                     said.empty() ? "" : " ", said),
                              .remote_code = std::to_string(status)},
                    .after = RetryAfter(response.headers, clock_.Now())};
    if (throttled) {
      attempt.error.kind = ErrorKind::kThrottled;
      if (!attempt.after) attempt.after = std::chrono::seconds(30);
      return attempt;
    }
    JudgeRefusal(status, attempt);
    return attempt;
  }

  static void JudgeRefusal(int status, Attempt& attempt) {
    switch (status) {
      case 400:
      case 413:
      case 415:
      case 422:
        attempt.fate = Fate::kRefused;
        attempt.error.kind = ErrorKind::kRefused;
        attempt.error.hint = "The receiver does not take this message; check its format.";
        return;
      case 401:
      case 403:
        attempt.fate = Fate::kNotConfigured;
        attempt.error.kind = ErrorKind::kPermission;
        attempt.error.hint = "Check the webhook's URL and signing secret with its receiver.";
        return;
      case 404:
      case 410:
        attempt.fate = Fate::kNotConfigured;
        attempt.error.kind = ErrorKind::kNotFound;
        attempt.error.hint =
            "The webhook is gone: make a new one, and put its URL into the config.";
        return;
      default:
        break;
    }
    if (status >= 300 && status < 400) {
      attempt.fate = Fate::kNotConfigured;
      attempt.error.kind = ErrorKind::kInvalidConfig;
      attempt.error.hint = "Redirects are not followed: put the final URL into the config.";
    }
  }

  const WebhookSettings settings_;
  HttpTransport& network_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Output> MakeWebhook(WebhookSettings settings, HttpTransport& network,
                                    const Clock& clock) {
  return std::make_unique<Webhook>(std::move(settings), network, clock);
}

Result<SecretString> SigningKey(const SecretString& secret) {
  constexpr std::string_view kPrefix = "whsec_";
  std::string_view text = secret.Reveal();
  const bool marked = text.substr(0, kPrefix.size()) == kPrefix;
  if (marked) text.remove_prefix(kPrefix.size());
  Base64Bytes key = DecodeBase64(text);
  const bool alphabet = text.find_first_of("-_") == std::string_view::npos;
  if (marked && alphabet && key.complete && key.bytes.size() >= 24 && key.bytes.size() <= 64) {
    return SecretString(std::move(key.bytes));
  }
  return Fail({.kind = ErrorKind::kInvalidConfig,
               .message = "the signing secret is not 'whsec_' and base64 of 24 to 64 bytes",
               .hint = "Make one: echo whsec_$(openssl rand -base64 32)"});
}

std::string Signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                      std::string_view body) {
  return "v1," + Base64Encode(HmacSha256(key, fmt::format("{}.{}.{}", id, unix_seconds, body)));
}

}  // namespace picket::outputs
