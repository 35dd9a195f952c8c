#include "agent/kql/decimal.h"

#include <algorithm>
#include <charconv>

namespace picket::kql {
namespace {

using Digits = Decimal::Digits;

constexpr int kMostScale = 34;

constexpr Digits PowerOfTen(int exponent) {
  Digits power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}
constexpr Digits kMost = PowerOfTen(34);  // fewer than this

// Without zeros at the end of the fraction, and within what a decimal holds.
std::optional<Decimal> Settled(Decimal value) {
  while (value.scale > 0 && (value.digits >= kMost || value.scale > kMostScale)) {
    value.digits /= 10;
    --value.scale;
  }
  while (value.scale > 0 && value.digits % 10 == 0) {
    value.digits /= 10;
    --value.scale;
  }
  while (value.scale < 0 && value.digits < kMost) {
    value.digits *= 10;
    ++value.scale;
  }
  if (value.digits >= kMost || value.scale < 0) return std::nullopt;
  if (value.digits == 0) return Decimal{};
  return value;
}

// Gives both the same scale; digits at the end are cut off where there is no room.
void Align(Decimal& a, Decimal& b) {
  Decimal& fine = a.scale > b.scale ? a : b;
  Decimal& coarse = a.scale > b.scale ? b : a;
  while (coarse.scale < fine.scale && coarse.digits < kMost) {
    coarse.digits *= 10;
    ++coarse.scale;
  }
  while (fine.scale > coarse.scale) {
    fine.digits /= 10;
    --fine.scale;
  }
}

}  // namespace

std::optional<Decimal> ParseDecimal(std::string_view text) {
  Decimal value;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    value.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  bool any = false;
  bool point = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (value.digits >= kMost) {
        if (!point) return std::nullopt;
        continue;
      }
      value.digits = value.digits * 10 + static_cast<unsigned>(c - '0');
      if (point) ++value.scale;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    std::string_view exponent = text.substr(at + 1);
    if (!exponent.empty() && exponent.front() == '+') exponent.remove_prefix(1);
    int power = 0;
    const auto [end, code] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    if (code != std::errc{} || end != exponent.data() + exponent.size()) return std::nullopt;
    if (power > 400 || power < -400) return power > 0 ? std::nullopt : std::optional(Decimal{});
    value.scale -= power;
  }
  return Settled(value);
}

std::string ToString(Decimal value) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(value.digits % 10));
    value.digits /= 10;
  } while (value.digits > 0);
  const auto scale = static_cast<std::size_t>(value.scale);
  if (text.size() <= scale) text.append(scale + 1 - text.size(), '0');
  std::reverse(text.begin(), text.end());
  if (scale > 0) text.insert(text.size() - scale, ".");
  return value.negative ? "-" + text : text;
}

std::optional<Decimal> Add(Decimal a, Decimal b) {
  Align(a, b);
  if (a.negative == b.negative) {
    a.digits += b.digits;
  } else if (a.digits >= b.digits) {
    a.digits -= b.digits;
  } else {
    a.digits = b.digits - a.digits;
    a.negative = b.negative;
  }
  return Settled(a);
}

std::optional<Decimal> Multiply(Decimal a, Decimal b) {
  // The product must fit: digits of the longer factor's fraction are cut off until it does.
  while (a.digits != 0 && b.digits > ~Digits{0} / a.digits) {
    Decimal& longer = a.digits > b.digits ? a : b;
    if (longer.scale == 0) return std::nullopt;
    longer.digits /= 10;
    --longer.scale;
  }
  return Settled({.digits = a.digits * b.digits,
                  .scale = a.scale + b.scale,
                  .negative = a.negative != b.negative});
}

std::optional<Decimal> Divide(const Decimal& a, const Decimal& b) {
  if (b.digits == 0) return std::nullopt;
  Decimal quotient{.digits = a.digits / b.digits,
                   .scale = a.scale - b.scale,
                   .negative = a.negative != b.negative};
  Digits rest = a.digits % b.digits;
  while ((rest != 0 || quotient.scale < 0) && quotient.digits < kMost / 10 &&
         quotient.scale < kMostScale) {
    rest *= 10;
    quotient.digits = quotient.digits * 10 + rest / b.digits;
    rest %= b.digits;
    ++quotient.scale;
  }
  return Settled(quotient);
}

Decimal Floor(const Decimal& value) {
  Digits unit = 1;
  for (int i = 0; i < value.scale; ++i) unit *= 10;
  const bool up = value.negative && value.digits % unit != 0;  // away from zero
  return {.digits = value.digits / unit + (up ? 1U : 0U), .scale = 0, .negative = value.negative};
}

Decimal Negated(Decimal value) {
  value.negative = value.digits != 0 && !value.negative;
  return value;
}

int Compare(const Decimal& a, const Decimal& b) {
  const std::optional<Decimal> difference = Add(a, Negated(b));
  if (!difference) return a.negative ? -1 : 1;
  if (difference->digits == 0) return 0;
  return difference->negative ? -1 : 1;
}

}  // namespace picket::kql
