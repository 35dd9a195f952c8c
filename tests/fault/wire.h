#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/http.h"

namespace picket::fault {

// The network between the agent's process and the world's: a pair of sockets over which whole
// requests and answers go. Both ends see it break when the other process dies.

// What the agent's process says.
struct FromAgent {
  enum class Kind : std::uint8_t { kRequest, kProblem, kNote } kind = Kind::kRequest;
  HttpRequest request;
  std::string text;  // of kProblem and kNote
};

// What came of a request.
struct FromWorld {
  enum class Kind : std::uint8_t {
    kAnswer,
    kReset,
    kTimeout,
    kCutShort,
    kTooLarge,
    kGzip
  } kind = Kind::kAnswer;
  HttpResponse response;
};

class Wire {
 public:
  struct Ends {
    int agent = -1, world = -1;
  };
  static Ends Make();

  explicit Wire(int socket) : socket_(socket) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // False, nullopt: the other side is gone, or (`Hear`) says nothing for this long of real time.
  bool Say(const FromAgent& message);
  bool Say(const FromWorld& message);
  [[nodiscard]] std::optional<FromAgent> HearAgent(std::chrono::milliseconds patience);
  [[nodiscard]] std::optional<FromWorld> HearWorld();
  [[nodiscard]] bool silent() const { return silent_; }  // patience ended, nobody hung up

 private:
  bool Send(const std::string& frame);
  [[nodiscard]] std::optional<std::string> Receive();

  const int socket_;
  bool silent_ = false;
};

// The agent's side: what the true transport makes of such answers (base/http.h), in play time.
class WireTransport final : public HttpTransport {
 public:
  // Asks for a stop itself at the nth request; 0: never.
  WireTransport(Wire& wire, Clock& clock, std::int64_t stop_at, std::stop_source stop)
      : wire_(wire), clock_(clock), stop_at_(stop_at), stop_(std::move(stop)) {}

  [[nodiscard]] Result<HttpResponse> Send(const HttpRequest& request,
                                          std::stop_token stop) override;

 private:
  std::mutex mutex_;
  Wire& wire_;
  Clock& clock_;
  const std::int64_t stop_at_;
  std::stop_source stop_;
  std::int64_t sent_ = 0;
};

}  // namespace picket::fault
