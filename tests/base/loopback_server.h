#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace picket {

// The server's end of one connection. For the thread that serves it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  // One request: its head, and its body by Content-Length. "" when the client went.
  std::string ReadRequest();
  // False when the client does not take it any more.
  bool Write(std::string_view bytes);
  // Waits until the client goes.
  void AwaitClose();
  // True while the client is there; waits a moment for it to go.
  bool StillThere();
  // From here on inside TLS. False when the handshake fails.
  bool StartTls(SSL_CTX* context);
  // Ends with an RST, not a FIN.
  void Reset();

 private:
  friend class LoopbackServer;
  long Read(char* buffer, std::size_t size);

  std::mutex mutex_;  // guards fd_ against the server's end
  int fd_;
  SSL* ssl_ = nullptr;
};

// A server that says exactly the bytes that a test wants, right or wrong, on a loopback port. Each
// connection has its thread; the destructor ends them all.
class LoopbackServer {
 public:
  // `number` counts connections from 0.
  using Serve = std::function<void(Peer& peer, int number)>;
  enum class Family { kIpv4, kIpv6 };

  explicit LoopbackServer(Serve serve, Family family = Family::kIpv4);
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();

  // 0 when the machine has no such address.
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string Url(std::string_view path, std::string_view scheme = "http") const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void Accept();

  const Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A complete reply with this body.
std::string Reply(std::string_view body, std::string_view more_headers = "");

}  // namespace picket
