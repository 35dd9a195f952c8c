#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace picket {

// Names compare without case. Order is kept.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name);

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // absolute; path and query are sent verbatim
  HttpHeaders headers;
  std::string body;
  std::chrono::milliseconds timeout{120'000};    // for the whole exchange: DNS to last byte
  std::size_t max_body = std::size_t{16} << 20;  // after decompression
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  // decompressed
};

// The seam to the network. Any HTTP status is a success here, a redirect too: none is followed.
// Errors: kTransient (network, time-out), kCancelled, kInvalidConfig (TLS trust, bad URL or proxy),
// kUnexpectedReply (larger than max_body, broken framing or compression). Never throws, never logs
// a body. `http://` is refused but for loopback hosts. Thread-safe.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  [[nodiscard]] virtual Result<HttpResponse> Send(const HttpRequest& request,
                                                  std::stop_token stop) = 0;
};

struct NetworkSettings {
  std::string proxy;       // "" or http://host:port
  std::string proxy_user;  // "": the proxy asks for none
  // Read when a connection is set up, and again after the proxy refused it.
  std::optional<SecretRef> proxy_password;
  std::string ca_file;  // further trust anchors (PEM), beside the system's
};

// "http://host:port" and no more: the port must be there, and a user stands elsewhere.
bool IsProxyAddress(std::string_view url);

// The cpprestsdk adapter (base/http_cpprest.cc). One client an origin, kept. kInvalidConfig when
// the proxy, its password or the CA file is unusable; no network is needed to tell.
Result<std::unique_ptr<HttpTransport>> MakeHttpTransport(const NetworkSettings& settings);

// Scheme, host and port of an absolute http(s) URL. Host is lower-case, IPv6 without brackets.
struct Origin {
  std::string scheme;
  std::string host;
  int port = 0;
  bool operator==(const Origin&) const = default;
};
Result<Origin> ParseOrigin(std::string_view url);
bool IsLoopback(const Origin& origin);

// Retry-After in any of its forms (seconds, fractional seconds, HTTP date against `now`), clamped
// to [0, 1 day]. nullopt when absent or senseless.
std::optional<std::chrono::milliseconds> RetryAfter(const HttpHeaders& headers, Instant now);

// application/x-www-form-urlencoded: everything but unreserved characters is escaped.
std::string PercentEncode(std::string_view text);

}  // namespace picket
