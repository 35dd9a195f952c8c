#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// An address of IPv4 or IPv6 with its prefix length; IPv4 as IPv6 writes it (::ffff:a.b.c.d), so
// that both compare alike. The prefix counts in IPv6 bits: 192.168.0.0/24 has 120.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  int prefix = 128;
  bool v4 = false;
};

// "10.0.0.1", "10.0.0.1/8"; nullopt for what is no IPv4 address.
std::optional<IpAddress> ParseIpv4(std::string_view text);
// Also "fe80::1", "fe80::1/64", "::ffff:10.0.0.1".
std::optional<IpAddress> ParseIp(std::string_view text);

// The address with all bits behind the prefix zero.
IpAddress Masked(const IpAddress& address, int prefix);
std::uint32_t Ipv4Number(const IpAddress& address);
IpAddress FromIpv4Number(std::uint32_t number);
std::string FormatIpv4(std::uint32_t number);

}  // namespace picket::kql
