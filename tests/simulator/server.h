#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "tests/simulator/reply.h"

namespace picket::simulator {

class ServerIdentity;

struct ServerSettings {
  bool tls = true;
  std::size_t threads = 32;
  int port = 0;  // 0: a free one
  bool gzip = true;
};

// An HTTP server on 127.0.0.1 that hands every request to one function, and delivers its answers as
// well or as badly as they ask for. The function is called from many threads.
class Server {
 public:
  using Handler = std::function<Reply(Call&)>;

  Server(const ServerSettings& settings, const ServerIdentity* identity, Handler handler);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Status Start();
  // Ends at once what drips and hangs, closes every connection, and waits for its threads.
  void Stop();
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  struct State;
  const std::unique_ptr<State> state_;
  std::string url_;
};

}  // namespace picket::simulator
