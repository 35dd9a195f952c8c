// Punycode (RFC 3492) of texts, and of the labels of domains ("xn--…").

#include <algorithm>
#include <limits>

#include "agent/kql/code_points.h"
#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kTMin = 1;
constexpr std::uint32_t kTMax = 26;
constexpr std::uint32_t kFirstPoint = 128;
constexpr std::uint32_t kLastPoint = 0x10FFFF;
constexpr std::size_t kLongest = 4096;  // points; what is longer is no name

using Points = std::vector<std::uint32_t>;

std::uint32_t Adapt(std::uint32_t delta, std::uint32_t count, bool first) {
  delta = first ? delta / 700 : delta / 2;
  delta += delta / count;
  std::uint32_t k = 0;
  for (; delta > (kBase - kTMin) * kTMax / 2; k += kBase) delta /= kBase - kTMin;
  return k + (kBase - kTMin + 1) * delta / (delta + 38);
}

std::uint32_t Threshold(std::uint32_t k, std::uint32_t bias) {
  return k <= bias ? kTMin : std::min(k - bias, kTMax);
}

char DigitChar(std::uint32_t digit) {
  return static_cast<char>(digit < 26 ? 'a' + digit : '0' + (digit - 26));
}

std::optional<std::uint32_t> DigitOf(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a');
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0') + 26;
  return std::nullopt;
}

std::optional<std::string> Encode(std::string_view text) {
  if (!IsValidUtf8(text)) return std::nullopt;
  Points points;
  std::string encoded;
  for (std::size_t at = 0; at < text.size(); at += PointLength(text[at])) {
    points.push_back(FirstPoint(text.substr(at)));
    if (points.back() < kFirstPoint) encoded += static_cast<char>(points.back());
  }
  if (points.size() > kLongest) return std::nullopt;
  std::size_t handled = encoded.size();
  const std::size_t basic = handled;
  if (basic > 0) encoded += '-';
  std::uint32_t n = kFirstPoint;
  std::uint32_t bias = 72;
  std::uint32_t delta = 0;
  while (handled < points.size()) {
    std::uint32_t next = kLastPoint;
    for (const std::uint32_t point : points) {
      if (point >= n) next = std::min(next, point);
    }
    delta += (next - n) * static_cast<std::uint32_t>(handled + 1);
    n = next;
    for (const std::uint32_t point : points) {
      if (point < n) ++delta;
      if (point != n) continue;
      std::uint32_t q = delta;
      for (std::uint32_t k = kBase;; k += kBase) {
        const std::uint32_t t = Threshold(k, bias);
        if (q < t) break;
        encoded += DigitChar(t + (q - t) % (kBase - t));
        q = (q - t) / (kBase - t);
      }
      encoded += DigitChar(q);
      bias = Adapt(delta, static_cast<std::uint32_t>(handled + 1), handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return encoded;
}

std::optional<std::string> Decode(std::string_view text) {
  if (text.size() > kLongest) return std::nullopt;
  Points points;
  const std::size_t dash = text.rfind('-');
  if (dash != std::string_view::npos) {
    for (const char c : text.substr(0, dash)) {
      if (static_cast<unsigned char>(c) >= kFirstPoint) return std::nullopt;
      points.push_back(static_cast<unsigned char>(c));
    }
    text.remove_prefix(dash + 1);
  }
  std::uint64_t n = kFirstPoint;
  std::uint32_t bias = 72;
  std::uint64_t i = 0;
  while (!text.empty()) {
    const std::uint64_t before = i;
    std::uint64_t weight = 1;
    for (std::uint32_t k = kBase;; k += kBase) {
      if (text.empty()) return std::nullopt;
      const std::optional<std::uint32_t> digit = DigitOf(text.front());
      if (!digit) return std::nullopt;
      text.remove_prefix(1);
      i += *digit * weight;
      if (i > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
      const std::uint32_t t = Threshold(k, bias);
      if (*digit < t) break;
      weight *= kBase - t;
    }
    const auto count = static_cast<std::uint32_t>(points.size() + 1);
    bias = Adapt(static_cast<std::uint32_t>(i - before), count, before == 0);
    n += i / count;
    i %= count;
    if (n > kLastPoint || (n >= 0xD800 && n <= 0xDFFF)) return std::nullopt;
    points.insert(points.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::uint32_t>(n));
    ++i;
  }
  std::string decoded;
  for (const std::uint32_t point : points) AppendUtf8(decoded, point);
  return decoded;
}

// Label by label; labels of plain ASCII stay.
std::optional<std::string> DomainToUnicode(std::string_view domain) {
  std::string made;
  for (const std::string_view label : Split(domain, '.')) {
    if (!made.empty()) made += '.';
    if (AsciiLower(label.substr(0, 4)) != "xn--") {
      made += label;
      continue;
    }
    const std::optional<std::string> decoded = Decode(label.substr(4));
    if (!decoded) return std::nullopt;
    made += *decoded;
  }
  return made;
}

std::optional<std::string> DomainToAscii(std::string_view domain) {
  // The full stops of other scripts part labels too.
  std::string dotted(domain);
  for (const std::string_view stop : {"\u3002", "\uFF61", "\uFF0E"}) {
    for (std::size_t at = dotted.find(stop); at != std::string::npos; at = dotted.find(stop, at)) {
      dotted.replace(at, stop.size(), ".");
    }
  }
  std::string made;
  for (const std::string_view label : Split(dotted, '.')) {
    if (!made.empty()) made += '.';
    const bool ascii = std::all_of(label.begin(), label.end(), [](char c) {
      return static_cast<unsigned char>(c) < kFirstPoint;
    });
    const std::optional<std::string> encoded = ascii ? std::nullopt : Encode(label);
    if (!ascii && !encoded) return std::nullopt;
    made += ascii ? std::string(label) : "xn--" + *encoded;
  }
  return made;
}

using Conversion = std::optional<std::string> (*)(std::string_view text);

template <Conversion kConvert>
ColumnPtr Converted(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    out.Text(kConvert(TextView(*a[0], row, buffer)).value_or(""));
  });
}

}  // namespace

// Of domains it is ..._from_string that decodes, as in Kusto.
FunctionList PunycodeFunctions() {
  return Declare({
      {"punycode_domain_from_string(domain: string): string", &Converted<&DomainToUnicode>},
      {"punycode_domain_to_string(domain: string): string", &Converted<&DomainToAscii>},
      {"punycode_from_string(text: string): string", &Converted<&Encode>},
      {"punycode_to_string(text: string): string", &Converted<&Decode>},
  });
}

}  // namespace picket::kql
