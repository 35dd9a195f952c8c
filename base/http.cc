#include "base/http.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace picket {

std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [header, value] : headers) {
    if (EqualsIgnoreCase(header, name)) return value;
  }
  return std::nullopt;
}

Result<Origin> ParseOrigin(std::string_view url) {
  const auto bad = [](const char* why) {
    return Fail({.kind = ErrorKind::kInvalidConfig, .message = std::string("bad URL: ") + why});
  };
  Origin origin;
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return bad("no scheme");
  origin.scheme = AsciiLower(url.substr(0, scheme_end));
  if (origin.scheme != "http" && origin.scheme != "https") return bad("only http and https");
  std::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  if (authority.find('@') != std::string_view::npos) return bad("a user name is not allowed");
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad("the IPv6 address has no end");
    origin.host = AsciiLower(authority.substr(1, end - 1));
    port = authority.substr(end + 1);
    const bool address = origin.host.find(':') != std::string::npos &&
                         origin.host.find_first_not_of("0123456789abcdef:.") == std::string::npos;
    if (!address) return bad("only an IPv6 address stands in brackets");
  } else {
    const std::size_t colon = authority.find(':');
    origin.host = AsciiLower(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  const bool host_ok =
      !origin.host.empty() && std::all_of(origin.host.begin(), origin.host.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ||
               c == '_' || c == ':';
      });
  if (!host_ok) return bad("no host");
  origin.port = origin.scheme == "https" ? 443 : 80;
  if (!port.empty()) {
    if (port.front() != ':') return bad("no port number");
    port.remove_prefix(1);
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), origin.port);
    if (code != std::errc{} || end != port.data() + port.size() || origin.port < 1 ||
        origin.port > 65535) {
      return bad("no port number");
    }
  }
  return origin;
}

bool IsProxyAddress(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (url.substr(0, kScheme.size()) != kScheme || !ParseOrigin(url)) return false;
  std::string_view authority = url.substr(kScheme.size());
  if (authority.back() == '/') authority.remove_suffix(1);
  const std::size_t colon = authority.rfind(':');
  return authority.find_first_of("/?#\\@") == std::string_view::npos &&
         colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
}

bool IsLoopback(const Origin& origin) {
  if (origin.host == "localhost" || origin.host == "::1") return true;
  // Only a dotted quad: "127.evil.example" is a name.
  const auto parts = Split(origin.host, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           unsigned value = 256;
           const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), value);
           return code == std::errc{} && end == part.data() + part.size() && value <= 255 &&
                  (part.size() == 1 || part.front() != '0');
         });
}

std::optional<std::chrono::milliseconds> RetryAfter(const HttpHeaders& headers, Instant now) {
  const auto header = FindHeader(headers, "Retry-After");
  if (!header) return std::nullopt;
  const std::string_view text = Trim(*header);
  constexpr std::int64_t kDayMs = 86'400'000;
  double seconds = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (code == std::errc{} && end == text.data() + text.size()) {
    if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
    const double ms = std::min(std::ceil(seconds * 1000.0), static_cast<double>(kDayMs));
    return std::chrono::milliseconds(static_cast<std::int64_t>(ms));
  }
  const Result<Instant> date = ParseHttpDate(text);
  if (!date) return std::nullopt;
  return std::chrono::milliseconds(
      std::clamp((*date - now).ticks / kMillisecond.ticks, std::int64_t{0}, kDayMs));
}

std::string PercentEncode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 0x0FU];
    }
  }
  return encoded;
}

}  // namespace picket
