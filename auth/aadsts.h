#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace picket::auth {

// What an AADSTS number means for us. Branches on numbers only; Microsoft's texts change.
struct AadstsMeaning {
  ErrorKind kind;
  std::string_view message;
  std::string_view remedy;
};
// Falls back to the OAuth error and the HTTP status for numbers that are not in the table.
AadstsMeaning MeaningOf(std::int64_t number, std::string_view oauth_error, int status);

}  // namespace picket::auth
