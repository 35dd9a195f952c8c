#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace picket {

// How much a connection may bring between two things that we send on it. The HTTP library reads a
// header block, or one chunk of a body, to its end however long it is; this ends such a connection
// below it, where it looks closed by the other side. One for all connections of a client.
// Thread-safe.
class TlsReceiveLimit {
 public:
  // Counts on every connection that is made of the context, which keeps the limit alive.
  static void Watch(SSL_CTX* context, std::shared_ptr<TlsReceiveLimit> limit);

  // A reply of this many bytes may come; the largest that was ever allowed counts.
  void Allow(std::uint64_t bytes);
  // Whether a connection was ended since the last time.
  bool TakeExceeded() { return exceeded_.exchange(false); }

 private:
  friend struct TlsReceiveCount;
  std::atomic<std::uint64_t> most_ = 0;
  std::atomic<bool> exceeded_ = false;
};

}  // namespace picket
