#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace picket {

// A secret in memory: move-only, not printable, overwritten when it goes.
class SecretString {
 public:
  SecretString() = default;
  explicit SecretString(std::string value) : value_(std::move(value)) {}
  SecretString(SecretString&& other) noexcept;
  SecretString& operator=(SecretString&& other) noexcept;
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;
  ~SecretString();

  [[nodiscard]] bool empty() const { return value_.empty(); }
  // For the one place that uses it. Do not copy further than needed.
  [[nodiscard]] std::string_view Reveal() const { return value_; }
  [[nodiscard]] SecretString Clone() const { return SecretString(value_); }

 private:
  std::string value_;
};

// `@{store:key}` as the config writes it; a literal is refused (kInvalidConfig).
struct SecretRef {
  std::string store;  // file | env | credential
  std::string key;
};
Result<SecretRef> ParseSecretRef(std::string_view text);

// Reads the secret: `file` (refused when others may read it; a trailing newline is cut), `env`, or
// `credential` (a file of that name in $CREDENTIALS_DIRECTORY). An empty one is refused. The value
// never enters an error.
Result<SecretString> ReadSecret(const SecretRef& ref);

}  // namespace picket
