#include "base/tls_receive_limit.h"

#include <algorithm>

namespace picket {
namespace {

constexpr int kRecordHeaderBytes = 5;

}  // namespace

// Of one connection: cpprestsdk makes a context for each.
struct TlsReceiveCount {
  std::shared_ptr<TlsReceiveLimit> limit;
  std::uint64_t received = 0;

  // OpenSSL tells the header of each record, and within TLS 1.3 its true type.
  static void Note(int is_write, int /*version*/, int type, const void* bytes, std::size_t size,
                   SSL* ssl, void* count) {
    static_cast<TlsReceiveCount*>(count)->Note(is_write != 0, type,
                                               static_cast<const unsigned char*>(bytes), size, ssl);
  }
  static void Free(void* /*parent*/, void* count, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                   long /*argl*/, void* /*argp*/) {
    delete static_cast<TlsReceiveCount*>(count);
  }

 private:
  void Note(bool is_write, int type, const unsigned char* bytes, std::size_t size, SSL* ssl) {
    if (is_write) {
      // Only what the program sends: answers to a peer's key updates must not start anew.
      const int telling =
          SSL_version(ssl) == TLS1_3_VERSION ? SSL3_RT_INNER_CONTENT_TYPE : SSL3_RT_HEADER;
      if (type == telling && size > 0 && bytes[0] == SSL3_RT_APPLICATION_DATA) received = 0;
      return;
    }
    if (type != SSL3_RT_HEADER || size < kRecordHeaderBytes) return;
    received += static_cast<std::uint64_t>(bytes[3]) << 8 | bytes[4];
    if (received <= limit->most_) return;
    limit->exceeded_ = true;
    // From here on OpenSSL throws away what comes, and reading finds the end.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
};

void TlsReceiveLimit::Watch(SSL_CTX* context, std::shared_ptr<TlsReceiveLimit> limit) {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &TlsReceiveCount::Free);
  auto count = std::make_unique<TlsReceiveCount>(TlsReceiveCount{.limit = std::move(limit)});
  SSL_CTX_set_msg_callback(context, &TlsReceiveCount::Note);
  SSL_CTX_set_msg_callback_arg(context, count.get());
  if (SSL_CTX_set_ex_data(context, index, count.get()) == 1) {
    (void)count.release();  // the context's now
  } else {
    SSL_CTX_set_msg_callback(context, nullptr);
  }
}

void TlsReceiveLimit::Allow(std::uint64_t bytes) {
  std::uint64_t now = most_;
  while (now < bytes && !most_.compare_exchange_weak(now, bytes)) {
  }
}

}  // namespace picket
