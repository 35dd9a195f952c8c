// The digests of base/text.h and base/uuid.h, by OpenSSL.

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "base/text.h"
#include "base/uuid.h"

namespace picket {

namespace {

std::string DigestHex(std::string_view bytes, const EVP_MD* method) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  PK_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, method, nullptr) == 1,
           "OpenSSL lacks a digest");
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest.at(i));
  return hex;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) { return DigestHex(bytes, EVP_sha256()); }
std::string Sha1Hex(std::string_view bytes) { return DigestHex(bytes, EVP_sha1()); }
std::string Md5Hex(std::string_view bytes) { return DigestHex(bytes, EVP_md5()); }

Guid Uuid5(const Guid& space, std::string_view name) {
  std::string input(space.bytes.begin(), space.bytes.end());
  input += name;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  PK_CHECK(EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1,
           "OpenSSL has no SHA-1");
  Guid guid;
  for (std::size_t i = 0; i < guid.bytes.size(); ++i) guid.bytes.at(i) = digest.at(i);
  guid.bytes[6] = static_cast<std::uint8_t>((guid.bytes[6] & 0x0FU) | 0x50U);
  guid.bytes[8] = static_cast<std::uint8_t>((guid.bytes[8] & 0x3FU) | 0x80U);
  return guid;
}

Guid Uuid4() {
  Guid guid;
  PK_CHECK(RAND_bytes(guid.bytes.data(), static_cast<int>(guid.bytes.size())) == 1,
           "OpenSSL has no random bytes");
  guid.bytes[6] = static_cast<std::uint8_t>((guid.bytes[6] & 0x0FU) | 0x40U);
  guid.bytes[8] = static_cast<std::uint8_t>((guid.bytes[8] & 0x3FU) | 0x80U);
  return guid;
}

}  // namespace picket
