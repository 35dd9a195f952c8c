#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace picket {

enum class SocketKind : std::uint8_t { kUdp, kTcp, kLocal };

struct SocketAddress {
  SocketKind kind = SocketKind::kLocal;
  std::string host;  // a name or an address
  int port = 0;
  std::string path;  // of a local socket
};
// "udp://host:514", "tcp://[::1]:601", "/dev/log".
std::string ToString(const SocketAddress& address);

// A socket that is only sent to, and is connected as long as this lives. Errors are kTransient, or
// kInvalidConfig where only the operator can help (no such name). One thread at a time.
class SendSocket {
 public:
  // Connects within the time. A name's lookup is the system's, and has its own bound.
  static Result<std::unique_ptr<SendSocket>> Connect(const SocketAddress& address, Clock& clock,
                                                     std::chrono::milliseconds timeout,
                                                     std::stop_token stop);
  SendSocket(const SendSocket&) = delete;
  SendSocket& operator=(const SendSocket&) = delete;
  ~SendSocket();

  // All bytes; one datagram but for TCP. TCP: returns when the receiver's machine has acknowledged
  // them, or with an error when it hung up. A datagram tells nothing, but for a port that is
  // closed.
  [[nodiscard]] Status Send(std::string_view bytes, std::chrono::milliseconds timeout,
                            std::stop_token stop);
  // The other side has closed or reset the connection.
  [[nodiscard]] bool Gone() const;

 private:
  SendSocket(int fd, SocketAddress address, Clock& clock)
      : fd_(fd), address_(std::move(address)), clock_(clock) {}
  // Until the socket is ready for it; kTransient after the time.
  [[nodiscard]] Status Await(short events, Clock::Ticks until, const std::stop_token& stop);
  [[nodiscard]] Status AwaitAcknowledgement(Clock::Ticks until, const std::stop_token& stop);
  [[nodiscard]] Error Failure(std::string_view doing, int code) const;

  const int fd_;
  const SocketAddress address_;
  Clock& clock_;
};

}  // namespace picket
