// What AddressSanitizer is told in this one program: libcpprest forgets 32 bytes for each CONNECT
// that it sends to a proxy. Its frames have names only with the slow unwinder.

extern "C" const char* __asan_default_options();       // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)

const char* __asan_default_options() { return "fast_unwind_on_malloc=0"; }
const char* __lsan_default_suppressions() {
  return "leak:asio_context::ssl_proxy_tunnel::start_proxy_connect\n";
}
