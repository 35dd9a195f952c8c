#include "tests/base/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/text.h"

namespace picket {

Peer::~Peer() {
  SSL_free(ssl_);
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) ::close(fd_);
}

long Peer::Read(char* buffer, std::size_t size) {
  if (ssl_ != nullptr) return SSL_read(ssl_, buffer, static_cast<int>(size));
  return ::recv(fd_, buffer, size, 0);
}

std::string Peer::ReadRequest() {
  std::string request;
  std::size_t wanted = std::string::npos;
  while (request.size() < wanted) {
    char byte = 0;
    if (Read(&byte, 1) != 1) return "";
    request += byte;
    if (wanted != std::string::npos || request.size() < 4 ||
        request.compare(request.size() - 4, 4, "\r\n\r\n") != 0) {
      continue;
    }
    const std::size_t length = AsciiLower(request).find("content-length:");
    wanted = request.size() + (length == std::string::npos
                                   ? 0
                                   : std::strtoul(request.c_str() + length + 15, nullptr, 10));
  }
  return request;
}

bool Peer::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = ssl_ != nullptr
                          ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Peer::AwaitClose() {
  char buffer[4096];
  while (Read(buffer, sizeof buffer) > 0) {
  }
}

bool Peer::StillThere() {
  pollfd poll{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&poll, 1, 10) == 0;
}

bool Peer::StartTls(SSL_CTX* context) {
  // OpenSSL writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  return SSL_accept(ssl_) == 1;
}

void Peer::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const std::lock_guard lock(mutex_);
  ::close(std::exchange(fd_, -1));
}

LoopbackServer::LoopbackServer(Serve serve, Family family) : serve_(std::move(serve)) {
  const bool v6 = family == Family::kIpv6;
  listener_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in v4_address{};
  v4_address.sin_family = AF_INET;
  v4_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6_address{};
  v6_address.sin6_family = AF_INET6;
  v6_address.sin6_addr = in6addr_loopback;
  auto* address =
      v6 ? reinterpret_cast<sockaddr*>(&v6_address) : reinterpret_cast<sockaddr*>(&v4_address);
  socklen_t size = v6 ? sizeof v6_address : sizeof v4_address;
  if (listener_ < 0 || ::bind(listener_, address, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, address, &size) != 0) {
    return;
  }
  port_ = ntohs(v6 ? v6_address.sin6_port : v4_address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

LoopbackServer::~LoopbackServer() {
  ::shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  ::close(listener_);
  for (const auto& peer : peers_) {
    const std::lock_guard lock(peer->mutex_);
    if (peer->fd_ >= 0) ::shutdown(peer->fd_, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void LoopbackServer::Accept() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    Peer& peer = *peers_.emplace_back(std::make_unique<Peer>(fd));
    threads_.emplace_back([this, &peer, number = connections_++] {
      serve_(peer, number);
      const std::lock_guard peer_lock(peer.mutex_);
      if (peer.fd_ >= 0) ::shutdown(peer.fd_, SHUT_RDWR);
    });
  }
}

std::string LoopbackServer::Url(std::string_view path, std::string_view scheme) const {
  std::string url(scheme);
  url += "://127.0.0.1:" + std::to_string(port_);
  return url.append(path);
}

std::string Reply(std::string_view body, std::string_view more_headers) {
  std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return reply.append(more_headers).append("\r\n").append(body);
}

}  // namespace picket
