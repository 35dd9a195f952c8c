#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"

namespace picket::auth {

// An access token, and what it says of itself. Its claims are read without validation: they are
// for diagnostics and for noticing a token of another tenant, not for trust. A token that is no JWT
// is used as it is, without claims: to a client, tokens are opaque.
struct Token {
  SecretString value;
  Instant expires;
  Instant refresh_from;  // when to get the next one
  std::string tenant;    // tid; "" when it does not say
  std::string app;       // appid; "" when it does not say
  // Granted application permissions; a token is issued without any, too. nullopt: it does not say.
  std::optional<std::vector<std::string>> roles;
};

inline constexpr std::size_t kMaxTokenResponse = std::size_t{256} << 10;

// The token endpoint's answer. kUnexpectedReply when it is none: not JSON, no bearer token, a
// senseless lifetime; kInvalidConfig when the token is another tenant's.
Result<Token> ParseTokenResponse(std::string_view body, const Guid& tenant, Instant now);

// What an answer other than 200 means. Takes numbers from it and no text, so that nothing of ours
// that it may echo comes back. `retry_after` is the meaning's own wait, if it has one.
Error ParseTokenError(std::string_view body, int status);

}  // namespace picket::auth
