// Functions of IP addresses. A text that is no address gives null, or '' where the result is a
// text.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/ip_address.h"

namespace picket::kql {
namespace {

using Parser = std::optional<IpAddress> (*)(std::string_view text);

std::optional<IpAddress> AddressAt(Parser parse, const Column& column, std::size_t row) {
  std::string buffer;
  return parse(TextView(column, row, buffer));
}

// The prefix of the argument `place`, in IPv6 bits; of IPv4 addresses it counts theirs.
std::optional<int> PrefixAt(const Arguments& a, std::size_t place, std::size_t row, bool v4) {
  if (a.size() <= place) return 128;
  const std::optional<std::int64_t> prefix = ToLong(*a[place], row);
  if (!prefix || *prefix < 0 || *prefix > 128) return std::nullopt;
  const bool short_form = v4 && *prefix <= 32;
  return static_cast<int>(*prefix) + (short_form ? 96 : 0);
}

// -1, 0, 1 of the two addresses, as far as the shortest prefix; nullopt when one is none.
std::optional<int> Compare(Parser parse, const Arguments& a, std::size_t row) {
  const std::optional<IpAddress> x = AddressAt(parse, *a[0], row);
  const std::optional<IpAddress> y = AddressAt(parse, *a[1], row);
  if (!x || !y) return std::nullopt;
  const std::optional<int> asked = PrefixAt(a, 2, row, x->v4 && y->v4);
  if (!asked) return std::nullopt;
  const int prefix = std::min({x->prefix, y->prefix, *asked});
  const auto left = Masked(*x, prefix).bytes;
  const auto right = Masked(*y, prefix).bytes;
  return left < right ? -1 : right < left ? 1 : 0;
}

template <Parser kParse>
ColumnPtr IpCompare(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<int> order = Compare(kParse, a, row);
    if (!order) return out.Null();
    out.Number(*order);
  });
}

template <Parser kParse>
ColumnPtr IpIsMatch(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<int> order = Compare(kParse, a, row);
    if (!order) return out.Null();
    out.Bool(*order == 0);
  });
}

// Null when the range is none.
std::optional<bool> IsInRange(Parser parse, const IpAddress& address, std::string_view range) {
  const std::optional<IpAddress> network = parse(range);
  if (!network) return std::nullopt;
  return Masked(address, network->prefix).bytes == Masked(*network, network->prefix).bytes;
}

template <Parser kParse>
ColumnPtr IpIsInRange(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> address = AddressAt(kParse, *a[0], row);
    if (!address) return out.Null();
    const std::optional<bool> inside = IsInRange(kParse, *address, ToText(*a[1], row));
    if (!inside) return out.Null();
    out.Bool(*inside);
  });
}

// The texts behind the first argument: each one, or the elements of a dynamic array.
std::vector<std::string> TextsFrom(const Arguments& a, std::size_t row) {
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (!IsArrayAt(*a[i], row)) {
      texts.push_back(ToText(*a[i], row));
      continue;
    }
    for (const std::string_view element : ElementsAt(*a[i], row)) {
      texts.push_back(ElementText(element));
    }
  }
  return texts;
}

template <Parser kParse>
ColumnPtr IpIsInAnyRange(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> address = AddressAt(kParse, *a[0], row);
    if (!address) return out.Null();
    bool all_valid = true;
    for (const std::string& range : TextsFrom(a, row)) {
      const std::optional<bool> inside = IsInRange(kParse, *address, range);
      if (inside.value_or(false)) return out.Bool(true);
      all_valid = all_valid && inside.has_value();
    }
    if (!all_valid) return out.Null();
    out.Bool(false);
  });
}

ColumnPtr IsPrivate(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> address = AddressAt(&ParseIpv4, *a[0], row);
    if (!address) return out.Null();
    bool inside = false;
    for (const std::string_view network : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}) {
      const int prefix = ParseIpv4(network)->prefix;
      inside = inside || (address->prefix >= prefix &&
                          IsInRange(&ParseIpv4, *address, network).value_or(false));
    }
    out.Bool(inside);
  });
}

ColumnPtr NetmaskSuffix(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> address = AddressAt(&ParseIpv4, *a[0], row);
    if (!address) return out.Null();
    out.Number(address->prefix - 96);
  });
}

// parse_ipv4(ip), parse_ipv4_mask(ip, prefix): the number of the address behind the mask.
ColumnPtr ParseIpv4Kernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> address = AddressAt(&ParseIpv4, *a[0], row);
    const std::optional<int> asked = PrefixAt(a, 1, row, true);
    if (!address || !asked) return out.Null();
    out.Number(Ipv4Number(Masked(*address, std::min(address->prefix, *asked))));
  });
}

ColumnPtr ParseIpv6Kernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> address = AddressAt(&ParseIp, *a[0], row);
    const std::optional<int> asked = PrefixAt(a, 1, row, false);
    if (!address || !asked) return out.Null();
    const IpAddress masked = Masked(*address, std::min(address->prefix, *asked));
    std::string text;
    for (std::size_t i = 0; i < 16; i += 2) {
      text += fmt::format("{}{:02x}{:02x}", i > 0 ? ":" : "", masked.bytes.at(i),
                          masked.bytes.at(i + 1));
    }
    out.Text(std::move(text));
  });
}

// format_ipv4(ip, prefix), and with kMask "a.b.c.d/n". The address is a text or a number.
template <bool kMask>
ColumnPtr FormatIpv4Kernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::optional<IpAddress> address;
    if (IsText(a[0]->type)) {
      address = AddressAt(&ParseIpv4, *a[0], row);
    } else {
      const std::int64_t number = ToLong(*a[0], row).value_or(-1);
      if (number >= 0 && number <= UINT32_MAX) {
        address = FromIpv4Number(static_cast<std::uint32_t>(number));
      }
    }
    const std::int64_t asked = a.size() > 1 ? ToLong(*a[1], row).value_or(-1) : 32;
    if (!address || asked < 0 || asked > 32) return out.Text("");
    const int prefix = std::min(address->prefix, static_cast<int>(asked) + 96);
    const std::string text = FormatIpv4(Ipv4Number(Masked(*address, prefix)));
    out.Text(kMask ? fmt::format("{}/{}", text, prefix - 96) : text);
  });
}

// The fewest networks that hold all addresses from the first to the last.
ColumnPtr RangeToCidrList(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<IpAddress> first = AddressAt(&ParseIpv4, *a[0], row);
    const std::optional<IpAddress> last = AddressAt(&ParseIpv4, *a[1], row);
    if (!first || !last) return out.Null();
    std::uint64_t at = Ipv4Number(*first);
    const std::uint64_t end = std::uint64_t{Ipv4Number(*last)} + 1;
    JsonArray json;
    while (at < end) {
      // The largest network that begins here and does not reach beyond the end.
      unsigned int bits = at == 0 ? 32 : static_cast<unsigned int>(__builtin_ctzll(at));
      bits = std::min(bits, 32U);
      while (at + (std::uint64_t{1} << bits) > end) --bits;
      json.Add(fmt::format("\"{}/{}\"", FormatIpv4(static_cast<std::uint32_t>(at)), 32 - bits));
      at += std::uint64_t{1} << bits;
    }
    out.Text(json.Text());
  });
}

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Calls with each IPv4 address in the text that no letter or digit touches; true ends it.
template <class F>
bool AnyIpv4(std::string_view text, F f) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] < '0' || text[at] > '9' || (at > 0 && IsAlnum(text[at - 1]))) continue;
    std::size_t end = at;
    int dots = 0;
    while (end < text.size()) {
      if (text[end] == '.') {
        if (++dots > 3) break;
      } else if (text[end] < '0' || text[end] > '9') {
        break;
      }
      ++end;
    }
    if (end < text.size() && IsAlnum(text[end])) continue;
    const std::string_view address = text.substr(at, end - at);
    if (ParseIpv4(address) && f(address)) return true;
  }
  return false;
}

// kPrefix: the texts looked for are beginnings that end in a dot, or whole addresses.
template <bool kPrefix>
ColumnPtr HasIpv4(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::vector<std::string> wanted = TextsFrom(a, row);
    std::string buffer;
    out.Bool(AnyIpv4(TextView(*a[0], row, buffer), [&](std::string_view address) {
      return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& text) {
        return address == text || (kPrefix && text.ends_with('.') && address.starts_with(text));
      });
    }));
  });
}

// Kusto looks the address up in a database that Picket does not bring.
ColumnPtr NoPlace(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows,
                 [](ColumnBuilder& out, std::size_t /*row*/) { out.Null(); });
}

}  // namespace

FunctionList IpFunctions() {
  return Declare({
      {"format_ipv4(ip: scalar, prefix: long?): string", &FormatIpv4Kernel<false>},
      {"format_ipv4_mask(ip: scalar, prefix: long): string", &FormatIpv4Kernel<true>},
      {"geo_info_from_ip_address(ip: string): dynamic", &NoPlace},
      {"has_any_ipv4(text: text, ip: string, ...): bool", &HasIpv4<false>},
      {"has_any_ipv4_prefix(text: text, prefix: string, ...): bool", &HasIpv4<true>},
      {"has_ipv4(text: text, ip: string): bool", &HasIpv4<false>},
      {"has_ipv4_prefix(text: text, prefix: string): bool", &HasIpv4<true>},
      {"ipv4_compare(ip: string, other: string, prefix: long?): long", &IpCompare<&ParseIpv4>},
      {"ipv4_is_in_any_range(ip: text, range: string, ...): bool", &IpIsInAnyRange<&ParseIpv4>},
      {"ipv4_is_in_range(ip: string, range: string): bool", &IpIsInRange<&ParseIpv4>},
      {"ipv4_is_match(ip: string, other: string, prefix: long?): bool", &IpIsMatch<&ParseIpv4>},
      {"ipv4_is_private(ip: string): bool", &IsPrivate},
      {"ipv4_netmask_suffix(ip: string): long", &NetmaskSuffix},
      {"ipv4_range_to_cidr_list(start: string, end: string): dynamic", &RangeToCidrList},
      {"ipv6_compare(ip: string, other: string, prefix: long?): long", &IpCompare<&ParseIp>},
      {"ipv6_is_in_any_range(ip: text, range: string, ...): bool", &IpIsInAnyRange<&ParseIp>},
      {"ipv6_is_in_range(ip: string, range: string): bool", &IpIsInRange<&ParseIp>},
      {"ipv6_is_match(ip: string, other: string, prefix: long?): bool", &IpIsMatch<&ParseIp>},
      {"parse_ipv4(ip: string): long", &ParseIpv4Kernel},
      {"parse_ipv4_mask(ip: string, prefix: long): long", &ParseIpv4Kernel},
      {"parse_ipv6(ip: string): string", &ParseIpv6Kernel},
      {"parse_ipv6_mask(ip: string, prefix: long): string", &ParseIpv6Kernel},
  });
}

}  // namespace picket::kql
