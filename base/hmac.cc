#include "base/hmac.h"

#include <openssl/hmac.h>

#include <array>

#include "base/result.h"

namespace picket {

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  PK_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), mac.data(),
                &size) != nullptr,
           "OpenSSL lacks HMAC-SHA256");
  return {mac.begin(), mac.begin() + size};
}

}  // namespace picket
