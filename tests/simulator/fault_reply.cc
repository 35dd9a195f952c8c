#include "tests/simulator/fault_reply.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/result.h"
#include "tests/simulator/throttle.h"

namespace picket::simulator {
namespace {

constexpr std::size_t kDepth = 100'000;
constexpr int kGzipWindow = 15 + 16;

const char* GraphCode(int status) {
  switch (status) {
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalServerError";
    case 502:
    case 503:
      return "serviceNotAvailable";
    case 504:
      return "GatewayTimeout";
    default:
      return "UnknownError";
  }
}

Reply StatusReply(const Call& call, const Fault& fault, bool entra) {
  if (!entra) {
    return GraphError(call, fault.status, GraphCode(fault.status),
                      fault.status == 504 ? "" : "The service is not available.");
  }
  AadSts error = fault.status == 429
                     ? MakeAadSts(90055, "The tenant is throttled due to too many requests.")
                     : MakeAadSts(90033, "A transient error has occurred. Please try again.");
  error.status = fault.status;
  return AadStsReply(call, error);
}

Reply HtmlReply(int status) {
  Reply reply{.status = status,
              .body = fmt::format("<html>\r\n<head><title>{0} Bad Gateway</title></head>\r\n<body>"
                                  "<center><h1>{0}</h1></center><hr></body>\r\n</html>\r\n",
                                  status)};
  reply.SetHeader("Content-Type", "text/html");
  return reply;
}

Reply Compressed(std::int64_t size) {
  std::string bytes = R"({"value":[")";
  bytes.append(static_cast<std::size_t>(size), ' ');
  Reply reply = JsonReply(200, Gzip(bytes));
  reply.compressed = true;
  return reply;
}

}  // namespace

Reply ClaimsReply(const Call& call) {
  Reply reply = GraphError(call, 401, "InvalidAuthenticationToken",
                           "Continuous access evaluation resulted in challenge with result: "
                           "InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp");
  // {"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}
  reply.SetHeader(
      "WWW-Authenticate",
      "Bearer realm=\"\", "
      "authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", "
      "error=\"insufficient_claims\", "
      "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMT"
      "YwNDEwNjY1MSJ9fX0=\"");
  return reply;
}

std::string Gzip(std::string_view text) {
  z_stream stream{};
  PK_CHECK(
      deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK,
      "zlib starts");
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  PK_CHECK(ended == Z_STREAM_END, "zlib compresses in one step");
  return out;
}

namespace {

// What the request proved itself with.
std::string CredentialsOf(const Call& call) {
  return call.Header("Authorization") + call.Value("client_secret") +
         call.Value("client_assertion");
}

// The credentials in each place of an answer that a client might show or keep.
Reply EchoReply(const Call& call, int status, bool entra) {
  using nlohmann::json;
  const std::string seen = CredentialsOf(call);
  const std::string bare = seen.substr(seen.find(' ') + 1);
  json body;
  if (entra) {
    body = {{"error", bare},
            {"error_description", "AADSTS7000215: " + seen},
            {"error_codes", json::array({7000215, bare})},
            {"suberror", bare},
            {"correlation_id", bare},
            {"access_token", status == 200 ? json() : json(bare)},
            {"token_type", seen}};
  } else if (status == 200) {
    body["value"] = json::array({{{"id", bare},
                                  {"createdDateTime", FormatRfc3339(call.now)},
                                  {"userDisplayName", seen},
                                  {"userPrincipalName", bare}}});
  } else {
    body["error"] = {{"code", bare},
                     {"message", seen},
                     {"innerError", {{"code", bare}, {"request-id", bare}, {"date", seen}}}};
  }
  Reply reply = JsonReply(status, body.dump());
  for (const char* name : {"request-id", "client-request-id", "x-ms-ags-diagnostic", "x-echo",
                           "Location", "Retry-After", "WWW-Authenticate"}) {
    reply.SetHeader(name, seen);
  }
  return reply;
}

}  // namespace

std::optional<Reply> ReplyInstead(const Call& call, const Fault& fault, bool entra,
                                  const ListSpec* list) {
  Reply reply;
  switch (fault.kind) {
    case FaultKind::kStatus:
      reply = StatusReply(call, fault, entra);
      break;
    case FaultKind::kThrottled:
      // Entra has its own way to say so; of identity protection there is no Retry-After.
      reply = entra ? StatusReply(call, {.status = 429}, true)
                    : ThrottledReply(call, list != nullptr && list->protection,
                                     kMillisecond * (400 + 300 * (fault.shape % 7)),
                                     static_cast<std::uint64_t>(fault.shape));
      reply.throttled = false;  // by script, not for a limit that was passed
      break;
    case FaultKind::kHtml:
      reply = HtmlReply(fault.status);
      break;
    case FaultKind::kEmptyBody:
      reply.status = fault.status;
      break;
    case FaultKind::kBody:
      reply = JsonReply(fault.status, fault.text);
      break;
    case FaultKind::kEcho:
      reply = EchoReply(call, fault.status, entra);
      break;
    case FaultKind::kReset:
      reply.delivery = Delivery::kReset;
      break;
    case FaultKind::kHang:
      reply.delivery = Delivery::kHang;
      break;
    case FaultKind::kDeepJson:
      reply = JsonReply(200,
                        R"({"value":)" + std::string(kDepth, '[') + std::string(kDepth, ']') + "}");
      break;
    case FaultKind::kTooLarge:
      reply = JsonReply(200, R"({"value":[")");
      reply.delivery = Delivery::kFlood;
      reply.size = fault.size;
      break;
    case FaultKind::kGzipBomb:
      reply = Compressed(fault.size);
      break;
    case FaultKind::kExpiredToken:
      reply = GraphError(call, 401, "InvalidAuthenticationToken",
                         "Access token has expired or is not yet valid.");
      break;
    case FaultKind::kClaimsChallenge:
      reply = ClaimsReply(call);
      break;
    case FaultKind::kMissingRole:
    case FaultKind::kMissingLicence:
      if (list == nullptr) return std::nullopt;
      reply = fault.kind == FaultKind::kMissingRole ? MissingRoleReply(call, *list)
                                                    : MissingLicenceReply(call, *list);
      break;
    case FaultKind::kRedirect:
      reply.status = 307;
      reply.SetHeader("Location", fault.text);
      break;
    default:
      return std::nullopt;
  }
  if (!fault.retry_after.empty()) reply.SetHeader("Retry-After", fault.retry_after);
  return reply;
}

void Spoil(Reply& reply, const Fault& fault) {
  if (fault.kind == FaultKind::kDrip) {
    reply.delivery = Delivery::kDrip;
    reply.pace = fault.pace;
  }
  if (fault.kind == FaultKind::kTruncated) reply.delivery = Delivery::kTruncated;
}

}  // namespace picket::simulator
