#pragma once

#include <stop_token>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace picket::graph {

// Where the client gets the tokens of its one tenant and audience. The auth room's tokens stand
// behind it; tests give their own. Thread-safe.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  // A token that is good for the next minutes, from a cache while it lasts.
  [[nodiscard]] virtual Result<SecretString> Token(std::stop_token stop) = 0;
  // Graph rejected this token: never give it again. `claims` is what Graph demands of the next one
  // (JSON), "" for nothing.
  virtual void Reject(std::string_view token, std::string_view claims) = 0;
};

}  // namespace picket::graph
