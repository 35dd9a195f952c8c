#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace picket::auth {

// What a refusal of Entra's token endpoint means for us, and what the operator does about it.
struct AadstsMeaning {
  ErrorKind kind;
  std::string_view message;
  std::string_view remedy;
  std::chrono::seconds wait{0};  // for kThrottled, when the answer has no Retry-After
};
// By number (error_codes[0]; 0 for none), never by text: Microsoft's texts change. 429 counts
// before the number; for unknown numbers the OAuth error and the HTTP status decide.
AadstsMeaning MeaningOf(std::int64_t number, std::string_view oauth_error, int status);

}  // namespace picket::auth
