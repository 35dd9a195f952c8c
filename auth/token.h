#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"

namespace picket::auth {

// An access token, and what it says of itself. Its claims are read without validation: they are
// for diagnostics and for noticing a token of another tenant, not for trust.
struct Token {
  SecretString value;
  Instant expires;
  Instant refresh_from;            // when to get the next one
  std::string tenant;              // tid; "" for a token that is no JWT
  std::string app;                 // appid
  std::vector<std::string> roles;  // granted application permissions; a token is issued without any
};

inline constexpr std::size_t kMaxTokenResponse = std::size_t{256} << 10;

// The token endpoint's answer. kUnexpectedReply when it is none: not JSON, no bearer token, a
// senseless lifetime; kInvalidConfig when the token is another tenant's.
Result<Token> ParseTokenResponse(std::string_view body, const Guid& tenant, Instant now);

// The endpoint's error answer, by its number.
Error ParseTokenError(std::string_view body, int status);

}  // namespace picket::auth
