#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// A decimal of up to 34 digits, ±digits / 10^scale, as Kusto's decimal holds it. Columns hold its
// canonical text ("0.3", "-12"), so that equal values have equal texts.
struct Decimal {
  __extension__ using Digits = unsigned __int128;

  Digits digits = 0;
  int scale = 0;
  bool negative = false;
};

// "12", "-0.5", "1e-3"; digits beyond the 34th are cut off. nullopt: no number, or too large.
std::optional<Decimal> ParseDecimal(std::string_view text);
std::string ToString(Decimal value);

// nullopt: the result is too large, or it is a division by zero.
std::optional<Decimal> Add(Decimal a, Decimal b);
std::optional<Decimal> Multiply(Decimal a, Decimal b);
std::optional<Decimal> Divide(const Decimal& a, const Decimal& b);
Decimal Floor(const Decimal& value);
Decimal Negated(Decimal value);
// -1, 0, 1
int Compare(const Decimal& a, const Decimal& b);

}  // namespace picket::kql
