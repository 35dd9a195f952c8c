#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace picket {

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidConfig:
      return "invalid_config";
    case ErrorKind::kAuth:
      return "auth";
    case ErrorKind::kPermission:
      return "permission";
    case ErrorKind::kThrottled:
      return "throttled";
    case ErrorKind::kTransient:
      return "transient";
    case ErrorKind::kShrink:
      return "shrink";
    case ErrorKind::kExpiredPage:
      return "expired_page";
    case ErrorKind::kUnexpectedReply:
      return "unexpected_reply";
    case ErrorKind::kStorage:
      return "storage";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kLimit:
      return "limit";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

std::optional<ErrorKind> ErrorKindNamed(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::kInternal); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (ErrorKindName(kind) == name) return kind;
  }
  return std::nullopt;
}

int ExitCodeFor(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidConfig:
      return 78;
    case ErrorKind::kAuth:
    case ErrorKind::kPermission:
      return 77;
    case ErrorKind::kThrottled:
    case ErrorKind::kTransient:
    case ErrorKind::kShrink:
    case ErrorKind::kExpiredPage:
    case ErrorKind::kUnexpectedReply:
      return 69;
    case ErrorKind::kStorage:
      return 74;
    case ErrorKind::kNotFound:
    case ErrorKind::kRefused:
    case ErrorKind::kLimit:
      return 1;
    case ErrorKind::kCancelled:
      return 130;
    case ErrorKind::kInternal:
      return 70;
  }
  return 70;
}

void CheckFailed(const char* file, int line, const char* condition, const char* why) {
  (void)std::fprintf(stderr, "picket: bug at %s:%d: %s (%s)\n", file, line, why, condition);
  std::abort();
}

}  // namespace picket
