#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace picket {

// Says what the caller does next; the message says what happened, the hint what the operator does.
// Stored in the database and in `status` by name (ErrorKindName), never by number.
enum class ErrorKind : std::uint8_t {
  kInvalidConfig,    // the operator edits a file or an argument; exit 78
  kAuth,             // a credential was rejected; retrying does not help until it changes
  kPermission,       // 403: a missing role, licence or consent; re-probe slowly
  kThrottled,        // wait retry_after, then retry
  kTransient,        // network, 5xx, time-out: retry with backoff
  kShrink,           // 504 or a time-out of a wide window: ask for less, then retry
  kExpiredPage,      // a skiptoken that Graph no longer knows: read the window again
  kUnexpectedReply,  // the other side broke its contract: count it, advance nothing
  kStorage,          // SQLite or a file: stop this tenant, tell the operator
  kNotFound,         // what was asked for by name or id does not exist
  kRefused,          // input that Picket does not accept (a query, a rule, a record); exit 1
  kLimit,            // a bound of ours was hit (memory, time, rows, size)
  kCancelled,        // stopped by the user or the service manager; never shown as an error
  kInternal,         // a bug
};

// "invalid_config", "auth", …: stable, used in JSON and logs.
std::string_view ErrorKindName(ErrorKind kind);
// nullopt: no kind has the name.
std::optional<ErrorKind> ErrorKindNamed(std::string_view name);

// `message` never holds a secret, a token or unescaped text from the other side.
struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message{};
  std::string hint{};
  std::string remote_code{};  // "AADSTS7000222", "SQLITE_FULL", "503"
  std::optional<std::chrono::milliseconds> retry_after{};

  // Prefixes where it happened, once per layer: "tenant contoso: signIns.interactive: …".
  [[nodiscard]] Error In(std::string_view where) && {
    message.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> Fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// sysexits-like exit code of a command that ends with this error (design §9).
int ExitCodeFor(ErrorKind kind);

// A programming error: prints where and why, aborts. On in every build.
#define PK_CHECK(condition, why)                                                  \
  do {                                                                            \
    if (!(condition)) ::picket::CheckFailed(__FILE__, __LINE__, #condition, why); \
  } while (false)
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* why);

#define PK_CONCAT_(a, b) a##b
#define PK_CONCAT(a, b) PK_CONCAT_(a, b)
// PK_ASSIGN_OR_RETURN(auto page, decoder.Decode(body));
#define PK_ASSIGN_OR_RETURN(lhs, expr) \
  PK_ASSIGN_OR_RETURN_(PK_CONCAT(pk_result_, __LINE__), lhs, expr)
#define PK_ASSIGN_OR_RETURN_(tmp, lhs, expr)                 \
  auto tmp = (expr);                                         \
  if (!tmp) return ::tl::unexpected(std::move(tmp).error()); \
  lhs = *std::move(tmp)
#define PK_RETURN_IF_ERROR(expr)                             \
  do {                                                       \
    if (auto pk_status = (expr); !pk_status)                 \
      return ::tl::unexpected(std::move(pk_status).error()); \
  } while (false)

}  // namespace picket
