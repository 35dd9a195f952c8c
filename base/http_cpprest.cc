// The HTTP seam over cpprestsdk: the one file that knows it. The library is archived upstream; what
// it does not do (a total deadline, caps, prompt stop, a say in redirects) is done here.

// Its macro U() breaks other headers.
#define _TURN_OFF_PLATFORM_STRING  // NOLINT(bugprone-reserved-identifier)
#include <cpprest/http_client.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ssl.hpp>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/gzip.h"
#include "base/http.h"
#include "base/text.h"
#include "base/tls_receive_limit.h"

namespace picket {
namespace {

namespace client = web::http::client;

// The library's own limit is one phase's (connect, header, a chunk) and tells nothing apart; ours
// is the whole exchange's and comes first.
constexpr std::chrono::minutes kPhaseLimit{10};
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
// Beside the body: the headers, the handshake, and what TLS and chunks put around each piece.
constexpr std::size_t kMaxBesideBody = std::size_t{1} << 20;
// After a cancel the library may still sit in DNS or in a CONNECT; then its state is left to
// itself.
constexpr std::chrono::milliseconds kAbandonAfter{250};

void StartThreadPoolOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(8);
    } catch (const std::exception&) {
      // Someone started it before; any size above 4 serves.
    }
  });
}

// What certificate verification said last, for a message that names it.
struct VerifyRecord {
  std::atomic<int> error = X509_V_OK;
};

int VerifyAndRecord(X509_STORE_CTX* store, void* record) {
  const int verdict = X509_verify_cert(store);
  const int error = verdict == 1 ? X509_V_OK : X509_STORE_CTX_get_error(store);
  static_cast<VerifyRecord*>(record)->error = error;
  return verdict;
}

std::string VerifyText(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet; is the clock right?";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its certificate comes from an unknown authority";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_ERR_UNSPECIFIED:  // the name check of the library gives no code
      return "its certificate is for another name";
    default:
      return fmt::format("its certificate was refused ({})", X509_verify_cert_error_string(error));
  }
}

struct Exchange {
  int status = 0;
  HttpHeaders headers;
  std::vector<unsigned char> body;
};

// Shared by the waiting thread and the library's threads; outlives both.
struct Pending {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  Result<Exchange> outcome = Fail({.kind = ErrorKind::kInternal, .message = "no outcome"});
  std::atomic<bool> body_too_large = false;
  std::atomic<bool> headers_too_large = false;

  void Finish(Result<Exchange> result) {
    {
      const std::lock_guard lock(mutex);
      outcome = std::move(result);
      done = true;
    }
    changed.notify_all();
  }
};

bool IsIpv6(const Origin& origin) { return origin.host.find(':') != std::string::npos; }

// As the library wants it: it resolves an IPv6 address only without brackets, says the port in Host
// if the URL has one, and needs one for CONNECT.
std::string BaseUrl(const Origin& origin, bool port_needed) {
  const bool usual = origin.port == (origin.scheme == "https" ? 443 : 80);
  return usual && !port_needed && !IsIpv6(origin)
             ? fmt::format("{}://{}", origin.scheme, origin.host)
             : fmt::format("{}://{}:{}", origin.scheme, origin.host, origin.port);
}

struct OriginClient {
  std::shared_ptr<VerifyRecord> verify = std::make_shared<VerifyRecord>();
  std::shared_ptr<TlsReceiveLimit> limit = std::make_shared<TlsReceiveLimit>();
  std::unique_ptr<client::http_client> http;
};

// `number` is an OpenSSL error in a foreign category when TLS failed.
bool IsTlsError(int number) {
  return number != 0 && ERR_GET_LIB(static_cast<unsigned long>(number)) == ERR_LIB_SSL;
}

class CpprestTransport final : public HttpTransport {
 public:
  explicit CpprestTransport(NetworkSettings settings) : settings_(std::move(settings)) {
    StartThreadPoolOnce();
  }

  [[nodiscard]] Result<HttpResponse> Send(const HttpRequest& request,
                                          std::stop_token stop) override;

 private:
  // This machine is reached without a proxy, whose "localhost" would be another machine.
  [[nodiscard]] bool UsesProxy(const Origin& origin) const {
    return !settings_.proxy.empty() && !IsLoopback(origin);
  }
  Result<std::shared_ptr<OriginClient>> ClientFor(const Origin& origin);
  // The proxy did not take its user: the next request reads the password anew.
  Error ProxyRefused(const Origin& origin, Error error);
  [[nodiscard]] Result<client::http_client_config> ConfigFor(const Origin& origin,
                                                             const OriginClient& of) const;
  [[nodiscard]] Result<web::web_proxy> ProxyWithUser() const;
  Result<Exchange> Attempt(OriginClient& to, const HttpRequest& request, const Origin& origin,
                           std::chrono::steady_clock::time_point deadline, std::stop_token stop);

  const NetworkSettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<OriginClient>> clients_;
};

Result<SecretString> ReadProxyPassword(const SecretRef& ref) {
  Result<SecretString> password = ReadSecret(ref);
  if (!password) return Fail(std::move(password).error().In("[network] proxy_password"));
  return password;
}

Result<web::web_proxy> CpprestTransport::ProxyWithUser() const {
  PK_ASSIGN_OR_RETURN(const Origin address, ParseOrigin(settings_.proxy));
  web::web_proxy proxy(web::uri(BaseUrl(address, true)));
  if (settings_.proxy_password) {
    PK_ASSIGN_OR_RETURN(const SecretString password, ReadProxyPassword(*settings_.proxy_password));
    proxy.set_credentials(web::credentials(settings_.proxy_user, std::string(password.Reveal())));
  }
  return proxy;
}

Result<client::http_client_config> CpprestTransport::ConfigFor(const Origin& origin,
                                                               const OriginClient& of) const {
  client::http_client_config config;
  config.set_timeout(kPhaseLimit);
  config.set_max_redirects(0);
  config.set_ssl_context_callback(
      [verify = of.verify, limit = of.limit,
       ca_file = settings_.ca_file](boost::asio::ssl::context& context) {
        verify->error = X509_V_OK;  // called for each new connection
        SSL_CTX* ctx = context.native_handle();
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_cert_verify_callback(ctx, &VerifyAndRecord, verify.get());
        TlsReceiveLimit::Watch(ctx, limit);
        if (!ca_file.empty()) SSL_CTX_load_verify_locations(ctx, ca_file.c_str(), nullptr);
      });
  if (UsesProxy(origin)) {
    PK_ASSIGN_OR_RETURN(const web::web_proxy proxy, ProxyWithUser());
    config.set_proxy(proxy);
  }
  return config;
}

Result<std::shared_ptr<OriginClient>> CpprestTransport::ClientFor(const Origin& origin) {
  const std::string base = BaseUrl(origin, UsesProxy(origin));
  const std::lock_guard lock(mutex_);
  std::shared_ptr<OriginClient>& entry = clients_[base];
  if (entry) return entry;
  try {
    auto created = std::make_shared<OriginClient>();
    const Result<client::http_client_config> config = ConfigFor(origin, *created);
    if (!config) {
      clients_.erase(base);
      return Fail(config.error());
    }
    created->http = std::make_unique<client::http_client>(base, *config);
    entry = std::move(created);
    return entry;
  } catch (const std::exception&) {
    // The library's text may hold the proxy's password.
    clients_.erase(base);
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = fmt::format("cannot use {}, or the proxy to it", base)});
  }
}

Error CpprestTransport::ProxyRefused(const Origin& origin, Error error) {
  const std::lock_guard lock(mutex_);
  clients_.erase(BaseUrl(origin, true));
  if (!settings_.proxy_password) {
    error.message = "the proxy asks for a user and a password";
    error.hint = "Set [network] proxy_user, and proxy_password = \"@{file:/path}\".";
  }
  return error;
}

constexpr std::string_view kNotSent = "not_sent";
constexpr std::string_view kProxyRefused = "407";
constexpr std::string_view kNoReply = "no_reply";
constexpr std::string_view kCheckNetwork =
    "Check the network, name resolution, the firewall and [network] proxy.";

// The library's codes are unreliable; its words say at least the phase.
Error PhaseError(std::string_view words, const Origin& origin) {
  const auto begins = [&](std::string_view prefix) {
    return words.substr(0, prefix.size()) == prefix;
  };
  Error error{.kind = ErrorKind::kTransient,
              .message = fmt::format("{}: {}", origin.host, EscapeTerminal(words.substr(0, 200))),
              .hint = std::string(kCheckNetwork)};
  if (begins("Expected a 200 response from proxy, received: 407")) {
    error.kind = ErrorKind::kInvalidConfig;
    error.message = "the proxy refused the user name or password";
    error.hint = "Correct [network] proxy_user, or what proxy_password refers to.";
    error.remote_code = kProxyRefused;
  } else if (begins("Invalid HTTP status line") || begins("Invalid chunked response header")) {
    error.kind = ErrorKind::kUnexpectedReply;
    error.hint = "Something between here and there answers in its place; check [network] proxy.";
  } else if (begins("Failed to write request headers")) {
    error.remote_code = kNotSent;
  } else if (begins("Failed to write request body") ||
             (begins("Failed to read HTTP status line") &&
              !begins("Failed to read HTTP status line from proxy"))) {
    error.remote_code = kNoReply;
  }
  return error;
}

Error TooLarge(const Origin& origin) {
  return {.kind = ErrorKind::kUnexpectedReply,
          .message = origin.host + " sent more than any reply may have"};
}

Error NetworkError(const web::http::http_exception& e, const Origin& origin,
                   const VerifyRecord& verify) {
  const int number = e.error_code().value();
  const bool handshake = std::string_view(e.what()).substr(0, 22) == "Error in SSL handshake";
  // OpenSSL's first error may be a deeper one: a bad signature is named by the curve's code.
  if (handshake && verify.error != X509_V_OK) {
    return {.kind = ErrorKind::kInvalidConfig,
            .message = fmt::format("{} is not trusted: {}", origin.host, VerifyText(verify.error)),
            .hint =
                "A proxy that inspects TLS is the common cause: put its authority into "
                "[network] ca_file.",
            .remote_code = "tls"};
  }
  if (IsTlsError(number)) {
    const char* text = ERR_reason_error_string(static_cast<unsigned long>(number));
    return {.kind = ErrorKind::kTransient,
            .message = fmt::format("TLS with {} failed: {}", origin.host,
                                   text != nullptr ? text : "unknown reason"),
            .hint = std::string(kCheckNetwork),
            .remote_code = "tls"};
  }
  return PhaseError(e.what(), origin);
}

// A kept connection that the other side had closed shows only when it is used again. What it could
// not even take may be sent again; what it took and left without a reply, only if that does no
// harm.
bool MayRepeatAtOnce(const Error& error, const HttpRequest& request) {
  return error.remote_code == kNotSent ||
         (error.remote_code == kNoReply && request.method == "GET");
}

Result<Exchange> CpprestTransport::Attempt(OriginClient& to, const HttpRequest& request,
                                           const Origin& origin,
                                           std::chrono::steady_clock::time_point deadline,
                                           std::stop_token stop) {
  to.limit->Allow(request.max_body + kMaxBesideBody);
  auto pending = std::make_shared<Pending>();
  pplx::cancellation_token_source cancel;
  web::http::http_request message(request.method);
  const std::size_t path = request.url.find_first_of("/?#", request.url.find("://") + 3);
  std::string target = path == std::string::npos ? "/" : request.url.substr(path);
  if (target.front() != '/') target.insert(target.begin(), '/');
  try {
    message.set_request_uri(web::uri(target));
    for (const auto& [name, value] : request.headers) message.headers().add(name, value);
    if (!FindHeader(request.headers, "User-Agent")) message.headers().add("User-Agent", "picket");
    message.headers().add("Accept-Encoding", "gzip");
    // Within TLS a Host of ours would be what the library checks the certificate against.
    if (IsIpv6(origin) && origin.scheme == "http") {
      message.headers().add("Host", fmt::format("[{}]:{}", origin.host, origin.port));
    }
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      const auto type = FindHeader(request.headers, "Content-Type");
      message.headers().remove("Content-Type");
      message.set_body(request.body, std::string(type.value_or("application/octet-stream")));
    }
    message.set_progress_handler(
        [pending, cancel, cap = request.max_body](web::http::message_direction::direction direction,
                                                  utility::size64_t bytes) {
          if (direction == web::http::message_direction::download && bytes > cap) {
            pending->body_too_large = true;
            cancel.cancel();
          }
        });
    to.http->request(message, cancel.get_token())
        .then([pending, cancel, cap = request.max_body](const web::http::http_response& response) {
          Exchange exchange;
          exchange.status = response.status_code();
          std::size_t size = 0;
          for (const auto& [name, value] : response.headers()) {
            size += name.size() + value.size();
            exchange.headers.emplace_back(name, value);
          }
          if (size > kMaxHeaderBytes) pending->headers_too_large = true;
          if (response.headers().content_length() > cap) pending->body_too_large = true;
          if (pending->headers_too_large || pending->body_too_large) cancel.cancel();
          return response.extract_vector().then(
              [exchange = std::move(exchange)](std::vector<unsigned char> body) mutable {
                exchange.body = std::move(body);
                return std::move(exchange);
              });
        })
        // Task-based and last: an exception that nobody observes ends the process.
        .then([pending, origin, verify = to.verify,
               limit = to.limit](const pplx::task<Exchange>& task) {
          try {
            pending->Finish(task.get());
          } catch (const web::http::http_exception& e) {
            pending->Finish(
                Fail(limit->TakeExceeded() ? TooLarge(origin) : NetworkError(e, origin, *verify)));
          } catch (const pplx::task_canceled&) {
            pending->Finish(Fail({.kind = ErrorKind::kCancelled, .message = "cancelled"}));
          } catch (const std::exception& e) {
            pending->Finish(
                Fail({.kind = ErrorKind::kTransient,
                      .message = fmt::format("{}: {}", origin.host, EscapeTerminal(e.what()))}));
          } catch (...) {
            pending->Finish(Fail({.kind = ErrorKind::kInternal, .message = "unknown exception"}));
          }
        });
  } catch (const std::exception& e) {
    return Fail(
        {.kind = ErrorKind::kInvalidConfig,
         .message = fmt::format("cannot ask {}: {}", origin.host, EscapeTerminal(e.what()))});
  }

  std::unique_lock lock(pending->mutex);
  const auto done = [&] { return pending->done; };
  if (!pending->changed.wait_until(lock, stop, deadline, done)) {
    lock.unlock();
    cancel.cancel();
    lock.lock();
    (void)pending->changed.wait_for(lock, kAbandonAfter, done);
    if (stop.stop_requested()) {
      return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
    }
    return Fail({.kind = ErrorKind::kTransient,
                 .message = fmt::format("{} did not answer within {} s", origin.host,
                                        request.timeout.count() / 1000),
                 .hint = std::string(kCheckNetwork),
                 .remote_code = "timeout"});
  }
  if (pending->headers_too_large || pending->body_too_large) {
    return Fail(
        {.kind = ErrorKind::kUnexpectedReply,
         .message = fmt::format("the {} of {} {} larger than {} bytes",
                                pending->headers_too_large ? "reply's headers" : "reply",
                                origin.host, pending->headers_too_large ? "are" : "is",
                                pending->headers_too_large ? kMaxHeaderBytes : request.max_body)});
  }
  return std::move(pending->outcome);
}

Result<HttpResponse> Unpack(Exchange exchange, const HttpRequest& request, const Origin& origin) {
  HttpResponse response{.status = exchange.status,
                        .headers = std::move(exchange.headers),
                        .body = std::string(exchange.body.begin(), exchange.body.end())};
  const std::string encoding =
      AsciiLower(Trim(FindHeader(response.headers, "Content-Encoding").value_or("")));
  if (encoding.empty() || encoding == "identity" || response.body.empty()) return response;
  if (encoding != "gzip") {
    return Fail({.kind = ErrorKind::kUnexpectedReply,
                 .message = fmt::format("{} sent an encoding that was not asked for: {}",
                                        origin.host, EscapeTerminal(encoding.substr(0, 40)))});
  }
  Result<std::string> body = Gunzip(response.body, request.max_body);
  if (!body) {
    return Fail({.kind = ErrorKind::kUnexpectedReply,
                 .message = fmt::format("the reply of {}: {}", origin.host, body.error().message)});
  }
  response.body = *std::move(body);
  return response;
}

// A value that carries a line break would add headers, or a request, of someone else's choice; a
// Host of the caller's would be what the library checks the certificate against.
Status CheckHeaders(const HttpHeaders& headers) {
  for (const auto& [name, value] : headers) {
    const bool name_ok =
        !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
          return c > ' ' && c < 0x7F && c != ':';
        });
    const bool value_ok = std::all_of(value.begin(), value.end(), [](unsigned char c) {
      return (c >= ' ' && c != 0x7F) || c == '\t';
    });
    if (!name_ok || !value_ok || EqualsIgnoreCase(name, "Host")) {
      return Fail({.kind = ErrorKind::kRefused,
                   .message = "a header cannot be sent: " + EscapeTerminal(name.substr(0, 60))});
    }
  }
  return {};
}

Result<HttpResponse> CpprestTransport::Send(const HttpRequest& request, std::stop_token stop) {
  PK_ASSIGN_OR_RETURN(const Origin origin, ParseOrigin(request.url));
  if (origin.scheme == "http" && !IsLoopback(origin)) {
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "http:// is for loopback addresses only: " + origin.host,
                 .hint = "Use https://."});
  }
  PK_RETURN_IF_ERROR(CheckHeaders(request.headers));
  if (stop.stop_requested()) return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
  PK_ASSIGN_OR_RETURN(const std::shared_ptr<OriginClient> to, ClientFor(origin));
  const auto deadline = std::chrono::steady_clock::now() + request.timeout;
  Result<Exchange> exchange = Attempt(*to, request, origin, deadline, stop);
  if (!exchange && MayRepeatAtOnce(exchange.error(), request)) {
    exchange = Attempt(*to, request, origin, deadline, stop);
  }
  if (!exchange && exchange.error().remote_code == kProxyRefused) {
    return Fail(ProxyRefused(origin, std::move(exchange).error()));
  }
  if (!exchange) return Fail(std::move(exchange).error());
  return Unpack(*std::move(exchange), request, origin);
}

Status CheckProxy(const NetworkSettings& settings) {
  const auto bad = [](std::string message, std::string hint) {
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = std::move(message),
                 .hint = std::move(hint)});
  };
  if (!settings.proxy.empty() && !IsProxyAddress(settings.proxy)) {
    return bad("the proxy must be http://host:port", "Correct [network] proxy.");
  }
  if (settings.proxy_user.empty() == settings.proxy_password.has_value() ||
      settings.proxy_user.find(':') != std::string::npos) {
    return bad("the proxy's user needs a name without a colon, and a password",
               "Set both [network] proxy_user and proxy_password, or neither.");
  }
  if (settings.proxy_password) {
    PK_RETURN_IF_ERROR(ReadProxyPassword(*settings.proxy_password));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<HttpTransport>> MakeHttpTransport(const NetworkSettings& settings) {
  PK_RETURN_IF_ERROR(CheckProxy(settings));
  if (!settings.ca_file.empty()) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> probe(SSL_CTX_new(TLS_client_method()),
                                                            &SSL_CTX_free);
    if (!probe ||
        SSL_CTX_load_verify_locations(probe.get(), settings.ca_file.c_str(), nullptr) != 1) {
      ERR_clear_error();
      return Fail({.kind = ErrorKind::kInvalidConfig,
                   .message = "no certificates can be read from " + settings.ca_file,
                   .hint = "[network] ca_file must be a PEM file."});
    }
  }
  return std::unique_ptr<HttpTransport>(std::make_unique<CpprestTransport>(settings));
}

}  // namespace picket
