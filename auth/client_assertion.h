#pragma once

#include <string>
#include <string_view>

#include "auth/certificate.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::auth {

// The JWT by which an application proves who it is (RFC 7523): iss and sub are the client id, aud
// is the token endpoint exactly as it is asked, ten minutes of life, a fresh jti each time.
Result<std::string> MakeClientAssertion(const Certificate& certificate, SigningAlgorithm algorithm,
                                        std::string_view client_id, std::string_view token_endpoint,
                                        Instant now);

}  // namespace picket::auth
