#include "tests/simulator/server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "tests/simulator/certificates.h"
#include "tests/simulator/fault_reply.h"
#include "tests/simulator/sockets.h"

namespace picket::simulator {
namespace {

constexpr const char* kHost = "127.0.0.1";
constexpr std::size_t kSmallBody = 1024;  // not worth compressing
constexpr std::size_t kMaxRequestBody = std::size_t{1} << 20;
constexpr std::time_t kKeepAliveSeconds = 20;
constexpr std::size_t kFloodPiece = std::size_t{1} << 16;
constexpr auto kGlance = std::chrono::milliseconds(20);  // how often a hanging answer looks up

Call MakeCall(const httplib::Request& request) {
  Call call{.method = request.method, .path = request.path};
  for (const auto& [name, value] : request.params) call.parameters.emplace_back(name, value);
  for (const auto& [name, value] : request.headers) call.headers.emplace_back(name, value);
  return call;
}

// The Content-Type goes its own way in the HTTP library.
std::string TakeContentType(Reply& reply) {
  for (auto at = reply.headers.begin(); at != reply.headers.end(); ++at) {
    if (!EqualsIgnoreCase(at->first, "Content-Type")) continue;
    std::string type = std::move(at->second);
    reply.headers.erase(at);
    return type;
  }
  return "text/plain";
}

}  // namespace

struct Server::State {
  State(const ServerSettings& given, const ServerIdentity* identity, Handler answer)
      : settings(given), handler(std::move(answer)) {
    if (settings.tls) {
      server = std::make_unique<httplib::SSLServer>(
          [identity](SSL_CTX& context) { return identity->Setup(context); });
    } else {
      server = std::make_unique<httplib::Server>();
    }
  }

  void Handle(const httplib::Request& request, httplib::Response& response) {
    Call call = MakeCall(request);
    Reply reply = handler(call);
    response.status = reply.status;
    const std::string type = TakeContentType(reply);
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    switch (reply.delivery) {
      case Delivery::kPlain:
        SetBody(call, response, reply, type);
        return;
      case Delivery::kHang:
        Hang(request);
        [[fallthrough]];
      case Delivery::kReset:
        ResetConnection(port, request.remote_port);
        return;
      case Delivery::kDrip:
        Drip(response, std::move(reply), type);
        return;
      case Delivery::kTruncated:
        Truncate(response, std::move(reply), type);
        return;
      case Delivery::kFlood:
        Flood(response, std::move(reply), type);
        return;
    }
  }

  void SetBody(const Call& call, httplib::Response& response, Reply& reply,
               const std::string& type) const {
    if (reply.body.empty()) return;
    response.set_header("Vary", "Accept-Encoding");
    const bool takes = call.Header("Accept-Encoding").find("gzip") != std::string::npos;
    if (reply.compressed || (settings.gzip && takes && reply.body.size() > kSmallBody)) {
      response.set_header("Content-Encoding", "gzip");
      if (!reply.compressed) reply.body = Gzip(reply.body);
    }
    response.set_content(reply.body, type);
  }

  // Until the client goes or the server stops.
  void Hang(const httplib::Request& request) {
    std::unique_lock lock(mutex);
    while (!stopping) {
      wake.wait_for(lock, kGlance);
      if (PeerIsGone(port, request.remote_port)) return;
    }
  }

  void Drip(httplib::Response& response, Reply reply, const std::string& type) {
    const auto body = std::make_shared<const std::string>(std::move(reply.body));
    response.set_content_provider(
        body->size(), type,
        [this, body, pace = reply.pace](std::size_t at, std::size_t, httplib::DataSink& sink) {
          {
            std::unique_lock lock(mutex);
            wake.wait_for(lock, ToMillis(pace), [this] { return stopping.load(); });
            if (stopping) return false;
          }
          return sink.is_writable() && sink.write(body->data() + at, 1);
        });
  }

  static void Truncate(httplib::Response& response, Reply reply, const std::string& type) {
    const auto body = std::make_shared<const std::string>(std::move(reply.body));
    const std::size_t end = body->size() / 2;
    response.set_content_provider(
        body->size(), type, [body, end](std::size_t at, std::size_t, httplib::DataSink& sink) {
          return at < end && sink.write(body->data() + at, end - at);
        });
  }

  void Flood(httplib::Response& response, Reply reply, const std::string& type) {
    const auto piece = std::make_shared<const std::string>(kFloodPiece, 'x');
    const auto size = static_cast<std::size_t>(reply.size);
    response.set_content_provider(size, type,
                                  [this, piece, start = std::move(reply.body)](
                                      std::size_t at, std::size_t left, httplib::DataSink& sink) {
                                    if (stopping) return false;
                                    if (at == 0)
                                      return sink.write(start.data(), std::min(start.size(), left));
                                    return sink.write(piece->data(), std::min(piece->size(), left));
                                  });
  }

  const ServerSettings settings;
  const Handler handler;
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  int port = 0;
  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<bool> stopping = false;
};

Server::Server(const ServerSettings& settings, const ServerIdentity* identity, Handler handler)
    : state_(std::make_unique<State>(settings, identity, std::move(handler))) {}

Server::~Server() { Stop(); }

Status Server::Start() {
  State& s = *state_;
  if (!s.server->is_valid()) {
    return Fail({.kind = ErrorKind::kInternal, .message = "TLS cannot be set up"});
  }
  s.server->new_task_queue = [&s] { return new httplib::ThreadPool(s.settings.threads); };
  s.server->set_keep_alive_max_count(1'000'000);
  s.server->set_keep_alive_timeout(kKeepAliveSeconds);
  s.server->set_payload_max_length(kMaxRequestBody);
  s.server->set_tcp_nodelay(true);
  const auto handle = [&s](const httplib::Request& request, httplib::Response& response) {
    s.Handle(request, response);
  };
  s.server->Get(".*", handle);
  s.server->Post(".*", handle);
  s.server->Put(".*", handle);
  s.server->Patch(".*", handle);
  s.server->Delete(".*", handle);
  if (s.settings.port == 0) {
    s.port = s.server->bind_to_any_port(kHost);
  } else if (s.server->bind_to_port(kHost, s.settings.port)) {
    s.port = s.settings.port;
  }
  if (s.port <= 0) {
    return Fail({.kind = ErrorKind::kInternal, .message = "the port on 127.0.0.1 is not free"});
  }
  url_ = fmt::format("{}://{}:{}", s.settings.tls ? "https" : "http", kHost, s.port);
  s.thread = std::thread([&s] { s.server->listen_after_bind(); });
  // A stop before it listens would be lost, and the thread would stay.
  while (!s.server->is_running()) std::this_thread::yield();
  return {};
}

void Server::Stop() {
  State& s = *state_;
  if (!s.thread.joinable()) return;
  {
    const std::lock_guard lock(s.mutex);
    s.stopping = true;
  }
  s.wake.notify_all();
  s.server->stop();
  ShutDownConnections(s.port);
  s.thread.join();
}

}  // namespace picket::simulator
