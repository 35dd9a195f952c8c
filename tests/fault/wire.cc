#include "tests/fault/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/gzip.h"

namespace picket::fault {
namespace {

// Both ends are of the same program: numbers go as they are in memory.
class Packer {
 public:
  void Number(std::int64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void Text(std::string_view text) {
    Number(static_cast<std::int64_t>(text.size()));
    bytes_ += text;
  }
  void Headers(const HttpHeaders& headers) {
    Number(static_cast<std::int64_t>(headers.size()));
    for (const auto& [name, value] : headers) {
      Text(name);
      Text(value);
    }
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
  std::int64_t Number() {
    std::int64_t number = 0;
    const std::string_view raw = Take(sizeof number);
    std::memcpy(&number, raw.data(), raw.size());
    return number;
  }
  std::string Text() { return std::string(Take(static_cast<std::size_t>(Number()))); }
  HttpHeaders Headers() {
    HttpHeaders headers;
    for (std::int64_t left = Number(); left > 0; --left) {
      std::string name = Text();
      headers.emplace_back(std::move(name), Text());
    }
    return headers;
  }

 private:
  std::string_view Take(std::size_t count) {
    PK_CHECK(count <= bytes_.size(), "a frame of our own is whole");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view bytes_;
};

bool ReadAll(int socket, char* to, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::recv(socket, to, count, 0);
    if (got <= 0) {
      if (got < 0 && errno == EINTR) continue;
      return false;
    }
    to += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Wire::Ends Wire::Make() {
  int sockets[2] = {-1, -1};
  PK_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "a pair of sockets");
  return {sockets[0], sockets[1]};
}

Wire::~Wire() { ::close(socket_); }

bool Wire::Send(const std::string& frame) {
  Packer whole;
  whole.Text(frame);
  std::string_view left = whole.bytes();
  while (!left.empty()) {
    const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<std::string> Wire::Receive() {
  std::int64_t size = 0;
  if (!ReadAll(socket_, reinterpret_cast<char*>(&size), sizeof size)) return std::nullopt;
  std::string frame(static_cast<std::size_t>(size), '\0');
  if (!ReadAll(socket_, frame.data(), frame.size())) return std::nullopt;
  return frame;
}

bool Wire::Say(const FromAgent& message) {
  Packer frame;
  frame.Number(static_cast<std::int64_t>(message.kind));
  frame.Text(message.text);
  frame.Text(message.request.method);
  frame.Text(message.request.url);
  frame.Headers(message.request.headers);
  frame.Text(message.request.body);
  frame.Number(message.request.timeout.count());
  frame.Number(static_cast<std::int64_t>(message.request.max_body));
  return Send(frame.bytes());
}

bool Wire::Say(const FromWorld& message) {
  Packer frame;
  frame.Number(static_cast<std::int64_t>(message.kind));
  frame.Number(message.response.status);
  frame.Headers(message.response.headers);
  frame.Text(message.response.body);
  return Send(frame.bytes());
}

std::optional<FromAgent> Wire::HearAgent(std::chrono::milliseconds patience) {
  pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  silent_ = ready == 0;
  if (ready <= 0) return std::nullopt;
  const std::optional<std::string> frame = Receive();
  if (!frame) return std::nullopt;
  Unpacker unpack(*frame);
  FromAgent message;
  message.kind = static_cast<FromAgent::Kind>(unpack.Number());
  message.text = unpack.Text();
  message.request.method = unpack.Text();
  message.request.url = unpack.Text();
  message.request.headers = unpack.Headers();
  message.request.body = unpack.Text();
  message.request.timeout = std::chrono::milliseconds(unpack.Number());
  message.request.max_body = static_cast<std::size_t>(unpack.Number());
  return message;
}

std::optional<FromWorld> Wire::HearWorld() {
  const std::optional<std::string> frame = Receive();
  if (!frame) return std::nullopt;
  Unpacker unpack(*frame);
  FromWorld message{.kind = static_cast<FromWorld::Kind>(unpack.Number()), .response = {}};
  message.response.status = static_cast<int>(unpack.Number());
  message.response.headers = unpack.Headers();
  message.response.body = unpack.Text();
  return message;
}

Result<HttpResponse> WireTransport::Send(const HttpRequest& request, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  if (++sent_ == stop_at_) stop_.request_stop();
  if (stop.stop_requested()) return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
  std::optional<FromWorld> heard;
  if (wire_.Say(FromAgent{.kind = FromAgent::Kind::kRequest, .request = request, .text = {}})) {
    heard = wire_.HearWorld();
  }
  if (!heard) {
    return Fail({.kind = ErrorKind::kTransient, .message = "the world is gone"});
  }
  switch (heard->kind) {
    case FromWorld::Kind::kAnswer:
      return std::move(heard->response);
    case FromWorld::Kind::kReset:
      return Fail({.kind = ErrorKind::kTransient, .message = "connection reset"});
    case FromWorld::Kind::kCutShort:
      return Fail({.kind = ErrorKind::kTransient, .message = "the connection ended in the body"});
    case FromWorld::Kind::kTooLarge:
      return Fail({.kind = ErrorKind::kUnexpectedReply, .message = "the reply is too large"});
    case FromWorld::Kind::kGzip: {
      Result<std::string> body = Gunzip(heard->response.body, request.max_body);
      if (!body) return Fail({.kind = ErrorKind::kUnexpectedReply, .message = "a broken reply"});
      heard->response.body = *std::move(body);
      return std::move(heard->response);
    }
    case FromWorld::Kind::kTimeout:
      clock_.SleepFor(request.timeout, stop);
      if (stop.stop_requested()) return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
      return Fail({.kind = ErrorKind::kTransient,
                   .message = "no answer in time",
                   .remote_code = "timeout"});
  }
  return Fail({.kind = ErrorKind::kInternal, .message = "no such answer"});
}

}  // namespace picket::fault
