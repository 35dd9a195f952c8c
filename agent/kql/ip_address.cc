#include "agent/kql/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kV4Offset = 96;  // bits before an IPv4 address in its IPv6 form

// The number behind the slash, and the text before it; nullopt when it is no prefix.
std::optional<int> TakePrefix(std::string_view& text, int most) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return most;
  const std::string_view digits = text.substr(slash + 1);
  int prefix = -1;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  text = text.substr(0, slash);
  if (code != std::errc{} || end != digits.data() + digits.size() || prefix < 0 || prefix > most) {
    return std::nullopt;
  }
  return prefix;
}

std::optional<std::uint32_t> ParseQuad(std::string_view text) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) {
    unsigned int part = 256;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), part);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (code != std::errc{} || part > 255 || length > 3) return std::nullopt;
    number = number << 8U | part;
    text.remove_prefix(length);
    if (i == 3) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return number;
}

}  // namespace

std::uint32_t Ipv4Number(const IpAddress& address) {
  std::uint32_t number = 0;
  for (std::size_t i = 12; i < 16; ++i) number = number << 8U | address.bytes.at(i);
  return number;
}

IpAddress FromIpv4Number(std::uint32_t number) {
  IpAddress address{.v4 = true};
  address.bytes[10] = 0xFF;
  address.bytes[11] = 0xFF;
  for (std::size_t i = 0; i < 4; ++i) {
    address.bytes.at(12 + i) = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

std::optional<IpAddress> ParseIpv4(std::string_view text) {
  text = Trim(text);
  const std::optional<int> prefix = TakePrefix(text, 32);
  const std::optional<std::uint32_t> number = ParseQuad(text);
  if (!prefix || !number) return std::nullopt;
  IpAddress address = FromIpv4Number(*number);
  address.prefix = *prefix + kV4Offset;
  return address;
}

std::optional<IpAddress> ParseIp(std::string_view text) {
  if (const auto v4 = ParseIpv4(text)) return v4;
  text = Trim(text);
  const std::optional<int> prefix = TakePrefix(text, 128);
  IpAddress address;
  if (!prefix || inet_pton(AF_INET6, std::string(text).c_str(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  address.prefix = *prefix;
  return address;
}

IpAddress Masked(const IpAddress& address, int prefix) {
  IpAddress masked = address;
  for (int i = 0; i < 16; ++i) {
    const int bits = std::clamp(prefix - i * 8, 0, 8);
    masked.bytes.at(static_cast<std::size_t>(i)) &= static_cast<std::uint8_t>(0xFF00U >> bits);
  }
  return masked;
}

std::string FormatIpv4(std::uint32_t number) {
  return fmt::format("{}.{}.{}.{}", number >> 24U, number >> 16U & 0xFFU, number >> 8U & 0xFFU,
                     number & 0xFFU);
}

}  // namespace picket::kql
