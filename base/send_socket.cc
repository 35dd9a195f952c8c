#include "base/send_socket.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace picket {
namespace {

constexpr std::chrono::milliseconds kStep{5};  // how often a socket is looked at

std::string CodeText(int code) { return std::error_code(code, std::generic_category()).message(); }

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// A local socket as an addrinfo would say it.
struct Target {
  int family = AF_UNIX;
  int type = SOCK_DGRAM;
  sockaddr_storage address{};
  socklen_t size = 0;
};

Result<std::vector<Target>> LocalTarget(const std::string& path) {
  sockaddr_un local{};
  if (path.size() >= sizeof(local.sun_path)) {
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "the path of a local socket is too long: " + path});
  }
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.c_str(), path.size() + 1);
  Target target{.size = sizeof(local)};
  std::memcpy(&target.address, &local, sizeof(local));
  return std::vector<Target>{target};
}

Result<std::vector<Target>> Resolve(const SocketAddress& to) {
  if (to.kind == SocketKind::kLocal) return LocalTarget(to.path);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = to.kind == SocketKind::kUdp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const int code = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  if (code != 0) {
    return Fail({.kind = code == EAI_NONAME ? ErrorKind::kInvalidConfig : ErrorKind::kTransient,
                 .message = fmt::format("{}: {}", to.host, ::gai_strerror(code)),
                 .hint = "Correct the output's address, or mend the name service.",
                 .remote_code = "name"});
  }
  std::vector<Target> targets;
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    Target target{.family = one->ai_family, .type = one->ai_socktype, .size = one->ai_addrlen};
    std::memcpy(&target.address, one->ai_addr, one->ai_addrlen);
    targets.push_back(target);
  }
  return targets;
}

}  // namespace

std::string ToString(const SocketAddress& address) {
  if (address.kind == SocketKind::kLocal) return address.path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", address.kind == SocketKind::kUdp ? "udp" : "tcp",
                     v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

SendSocket::~SendSocket() { ::close(fd_); }

Error SendSocket::Failure(std::string_view doing, int code) const {
  const bool missing = code == ENOENT || code == ECONNREFUSED;
  return {.kind = code == EACCES ? ErrorKind::kInvalidConfig : ErrorKind::kTransient,
          .message = fmt::format("{}: {}: {}", ToString(address_), doing, CodeText(code)),
          .hint = missing          ? "Start the receiver there, or correct the output's address."
                  : code == EACCES ? "Let Picket's user write to the socket."
                                   : "Check the way to the receiver.",
          .remote_code = code == EMSGSIZE ? "too_large" : ""};
}

Result<std::unique_ptr<SendSocket>> SendSocket::Connect(const SocketAddress& address, Clock& clock,
                                                        std::chrono::milliseconds timeout,
                                                        std::stop_token stop) {
  PK_ASSIGN_OR_RETURN(const std::vector<Target> targets, Resolve(address));
  const Clock::Ticks until = clock.Steady() + timeout;
  Error last{.kind = ErrorKind::kTransient, .message = address.host + " has no address"};
  for (const Target& target : targets) {
    const int fd = ::socket(target.family, target.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) continue;
    std::unique_ptr<SendSocket> socket(new SendSocket(fd, address, clock));
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&target.address), target.size) == 0) {
      return socket;
    }
    if (errno != EINPROGRESS) {
      last = socket->Failure("cannot connect", errno);
      continue;
    }
    const Status ready = socket->Await(POLLOUT, until, stop);
    int code = 0;
    socklen_t size = sizeof(code);
    if (ready && ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code == 0) {
      return socket;
    }
    last = ready ? socket->Failure("cannot connect", code) : ready.error();
    if (last.kind == ErrorKind::kCancelled) break;
  }
  return Fail(std::move(last));
}

Status SendSocket::Await(short events, Clock::Ticks until, const std::stop_token& stop) {
  while (true) {
    pollfd one{.fd = fd_, .events = events, .revents = 0};
    const int ready = ::poll(&one, 1, 0);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Fail(Failure("cannot wait", errno));
    if (clock_.Steady() >= until) {
      Error error = Failure("no answer in time", ETIMEDOUT);
      error.remote_code = "timeout";
      return Fail(std::move(error));
    }
    if (!clock_.SleepFor(kStep, stop)) {
      return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
    }
  }
}

Status SendSocket::AwaitAcknowledgement(Clock::Ticks until, const std::stop_token& stop) {
  while (true) {
    int unacknowledged = 0;
    if (Gone()) return Fail(Failure("the receiver hung up", ECONNRESET));
    if (::ioctl(fd_, SIOCOUTQ, &unacknowledged) != 0) return Fail(Failure("cannot send", errno));
    if (unacknowledged == 0) return {};
    if (clock_.Steady() >= until) {
      Error error = Failure("not acknowledged in time", ETIMEDOUT);
      error.remote_code = "timeout";
      return Fail(std::move(error));
    }
    if (!clock_.SleepFor(kStep, stop)) {
      return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
    }
  }
}

Status SendSocket::Send(std::string_view bytes, std::chrono::milliseconds timeout,
                        std::stop_token stop) {
  const Clock::Ticks until = clock_.Steady() + timeout;
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(address_.kind == SocketKind::kTcp ? static_cast<std::size_t>(sent)
                                                            : bytes.size());
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != ENOBUFS) return Fail(Failure("cannot send", errno));
    PK_RETURN_IF_ERROR(Await(POLLOUT, until, stop));
    // A full buffer of the kernel shows as ready at once.
    if (!clock_.SleepFor(kStep, stop)) {
      return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
    }
    if (clock_.Steady() >= until) return Fail(Failure("cannot send", ETIMEDOUT));
  }
  if (address_.kind == SocketKind::kTcp) return AwaitAcknowledgement(until, stop);
  // The answer of a machine without such a port comes back as an error of the socket.
  int code = 0;
  socklen_t size = sizeof(code);
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code != 0) {
    return Fail(Failure("cannot send", code));
  }
  return {};
}

bool SendSocket::Gone() const {
  if (address_.kind != SocketKind::kTcp) return false;
  char byte = 0;
  const ssize_t got = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace picket
