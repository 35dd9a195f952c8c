#include "agent/graph/failure.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace picket::graph {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxErrorBody = 64 * 1024;
constexpr int kMaxDepth = 8;

struct Body {
  std::string code;     // of `error`
  std::string message;  // lower case; only looked at, never shown
};

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json ParseBounded(const std::string& body) {
  if (body.size() > kMaxErrorBody) return Json();
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth * 2; };
  Json json = Json::parse(body, shallow, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json();
}

// Only what looks like a code, whole or not at all: event text and what the other side gives back
// of our request must not get into errors and logs.
std::string CleanCode(std::string_view code) {
  constexpr std::size_t kLongest = 64;
  const bool fine = code.size() <= kLongest && std::all_of(code.begin(), code.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
                    });
  return fine ? std::string(code) : std::string();
}

Body ReadBody(const HttpResponse& response) {
  Body body;
  const Json json = ParseBounded(response.body);
  if (!json.is_object()) return body;
  const auto error = json.find("error");
  if (error == json.end() || !error->is_object()) return body;
  body.code = CleanCode(TextOf(*error, "code"));
  body.message = AsciiLower(TextOf(*error, "message"));
  // The real code may stand deeper; the docs spell the key in two ways.
  const Json* at = &*error;
  for (int depth = 0; depth < kMaxDepth && body.code.empty(); ++depth) {
    auto inner = at->find("innerError");
    if (inner == at->end()) inner = at->find("innererror");
    if (inner == at->end() || !inner->is_object()) break;
    at = &*inner;
    body.code = CleanCode(TextOf(*at, "code"));
  }
  return body;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The message is the only thing that tells an expired skiptoken from other bad requests.
bool IsExpiredPage(const Body& body) {
  return Contains(body.message, "skip token") || Contains(body.message, "skiptoken") ||
         Contains(body.message, "token not found");
}

Error Forbidden(const Body& body, const Collection& collection) {
  const bool licence =
      EqualsIgnoreCase(body.code, "Authentication_RequestFromNonPremiumTenantOrB2CTenant") ||
      Contains(body.message, "premium license") || Contains(body.message, "not licensed");
  if (licence) {
    return {.kind = ErrorKind::kPermission,
            .message = "the tenant has no licence for " + std::string(collection.path),
            .hint = "It needs " + std::string(collection.licence) +
                    ". Picket asks again from time to time.",
            .remote_code = std::string(kNoLicence)};
  }
  if (EqualsIgnoreCase(body.code, "Authentication_ApplicationHasNoDirectoryReadAccess")) {
    return {.kind = ErrorKind::kPermission,
            .message = "the application may not read the directory",
            .hint = "Grant the application permission Directory.Read.All, with admin consent.",
            .remote_code = body.code};
  }
  return {.kind = ErrorKind::kPermission,
          .message = "the application may not read " + std::string(collection.path),
          .hint = "Grant the application permission " + std::string(collection.permission) +
                  ", with admin consent in this tenant.",
          .remote_code = body.code.empty() ? "403" : body.code};
}

std::string Describe(int status, const Body& body) {
  std::string text = "Graph answered " + std::to_string(status);
  if (!body.code.empty()) text += " (" + body.code + ")";
  return text;
}

}  // namespace

Error Classify(const HttpResponse& response, const Collection& collection, Instant now) {
  const int status = response.status;
  const Body body = ReadBody(response);
  const std::string text = Describe(status, body);
  const std::string code = body.code.empty() ? std::to_string(status) : body.code;
  const auto wait = RetryAfter(response.headers, now);
  switch (status) {
    case 400:
      if (IsExpiredPage(body)) {
        return {.kind = ErrorKind::kExpiredPage,
                .message = "Graph no longer knows the page's token",
                .remote_code = code};
      }
      [[fallthrough]];
    case 405:
    case 406:
    case 410:
      return {.kind = ErrorKind::kRefused,
              .message = text + " to a query for " + std::string(collection.path),
              .remote_code = code};
    case 401:
      return {.kind = ErrorKind::kAuth,
              .message = text + " to a fresh token",
              .hint =
                  "Check the cloud's endpoints and audience, and whether the application is "
                  "still enabled in this tenant.",
              .remote_code = code};
    case 403:
      return Forbidden(body, collection);
    case 404:
      return {.kind = ErrorKind::kNotFound,
              .message = text + " for " + std::string(collection.path),
              .hint = "This cloud may not have it.",
              .remote_code = code};
    case 407:
      return {.kind = ErrorKind::kInvalidConfig,
              .message = "the proxy asks for a user name and password",
              .hint = "Give them in [network] proxy.",
              .remote_code = "407"};
    case 408:
    case 429:
    case 509:
      return {.kind = ErrorKind::kThrottled,
              .message = text,
              .remote_code = std::to_string(status),
              .retry_after = wait};
    case 504:
      return {
          .kind = ErrorKind::kShrink, .message = text, .remote_code = "504", .retry_after = wait};
    default:
      break;
  }
  if (status >= 500 && status < 600) {
    return {.kind = ErrorKind::kTransient,
            .message = text,
            .remote_code = std::to_string(status),
            .retry_after = wait};
  }
  if (status >= 300 && status < 400) {
    return {.kind = ErrorKind::kUnexpectedReply,
            .message = "Graph answered with a redirect, which is not followed",
            .remote_code = std::to_string(status)};
  }
  return {.kind = ErrorKind::kUnexpectedReply, .message = text, .remote_code = code};
}

std::string ClaimsChallenge(const HttpResponse& response) {
  const auto header = FindHeader(response.headers, "WWW-Authenticate");
  if (!header) return {};
  constexpr std::string_view kName = "claims=\"";
  const std::size_t start = header->find(kName);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = header->substr(start + kName.size());
  const std::size_t end = rest.find('"');
  if (end > 4096) return {};  // npos too
  Base64Bytes claims = DecodeBase64(rest.substr(0, end));
  if (!claims.complete) return {};
  // It is sent on to the token endpoint: only JSON of a sane shape.
  return ParseBounded(claims.bytes).is_object() ? std::move(claims.bytes) : std::string();
}

}  // namespace picket::graph
