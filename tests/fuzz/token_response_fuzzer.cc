// The token endpoint's answers, good and bad, are read from bytes that anyone may have sent.
// The first byte chooses the status, the rest is the body.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "auth/token.h"
#include "base/result.h"
#include "base/text.h"

namespace {

constexpr std::int64_t kNow = 1795600000000;

void CheckToken(std::string_view body) {
  using picket::auth::ParseTokenResponse;
  const picket::Instant now = picket::Instant::FromUnixMillis(kNow);
  const picket::Guid tenant{};
  const auto token = ParseTokenResponse(body, tenant, now);
  if (!token) {
    PK_CHECK(!token.error().message.empty(), "an error without a message");
    return;
  }
  PK_CHECK(!token->value.empty(), "an empty token");
  PK_CHECK(token->expires > now, "a token that has expired");
  PK_CHECK(token->refresh_from > now && token->refresh_from <= token->expires,
           "renewed after its end, or at once for ever");
  PK_CHECK(token->tenant.empty() || token->tenant == picket::ToString(tenant),
           "another tenant's token");
  for (const auto& role : token->roles.value_or(std::vector<std::string>())) {
    PK_CHECK(picket::EscapeTerminal(role) == role, "a role that a terminal must not see");
  }
}

void CheckError(std::string_view body, int status) {
  const picket::Error error = picket::auth::ParseTokenError(body, status);
  const std::string text = error.message + error.hint + error.remote_code;
  PK_CHECK(!error.message.empty() && text.size() < 500, "an error without bounds");
  PK_CHECK(picket::EscapeTerminal(text) == text, "an error with the other side's text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static constexpr int kStatuses[] = {302, 400, 401, 403, 407, 408, 429, 500, 503};
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  CheckToken(body);
  CheckError(body, kStatuses[data[0] % std::size(kStatuses)]);
  return 0;
}
