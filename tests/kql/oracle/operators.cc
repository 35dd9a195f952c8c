// Comparison, arithmetic and text operators.

#include <algorithm>
#include <cmath>
#include <regex>

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

bool AnyNull(const Values& args) {
  return std::any_of(args.begin(), args.end(), [](const Datum& each) { return each.null; });
}

std::int64_t Wrapped(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

std::int64_t WholeArithmetic(char op, std::int64_t x, std::int64_t y) {
  const auto a = static_cast<std::uint64_t>(x);
  const auto b = static_cast<std::uint64_t>(y);
  switch (op) {
    case '+':
      return Wrapped(a + b);
    case '-':
      return Wrapped(a - b);
    case '*':
      return Wrapped(a * b);
    default:
      break;
  }
  if (y == -1) {
    if (x == INT64_MIN) throw Unspecified{"the least long divided by -1"};
    return op == '/' ? -x : 0;
  }
  if (op == '/') return x / y;
  const std::int64_t rest = x % y;
  if (rest >= 0) return rest;
  if (y == INT64_MIN) throw Unspecified{"a rest of the least long"};
  return rest + (y < 0 ? -y : y);
}

double RealArithmetic(char op, double x, double y) {
  switch (op) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return x / y;
    default:
      break;
  }
  if (!std::isfinite(x) || !std::isfinite(y) || y == 0) throw Unspecified{"a rest of no number"};
  const double rest = std::fmod(x, y);
  return rest < 0 ? rest + std::fabs(y) : rest;
}

// Times and spans; ticks beyond a long are open, a time beyond its years is null.
std::optional<Datum> TimeArithmetic(char op, const Datum& a, const Datum& b) {
  const bool times = a.type == Type::kDateTime || b.type == Type::kDateTime;
  std::int64_t ticks = 0;
  if (op == '+' || op == '-') {
    const bool lost = op == '+' ? __builtin_add_overflow(a.number, b.number, &ticks)
                                : __builtin_sub_overflow(a.number, b.number, &ticks);
    if (lost) throw Unspecified{"a span beyond its bounds"};
    const bool span = !times || (a.type == Type::kDateTime && b.type == Type::kDateTime);
    if (span) return Whole(Type::kTimespan, ticks);
    if (ticks < 0 || ticks > kLastTick) return Null(Type::kDateTime);
    return Whole(Type::kDateTime, ticks);
  }
  if (op == '/' && b.type == Type::kTimespan) {
    if (b.number == 0) throw Unspecified{"a span by no span"};
    return Real(static_cast<double>(a.number) / static_cast<double>(b.number));
  }
  if (op == '%') throw Unspecified{"a rest of a span"};
  const Datum& span = a.type == Type::kTimespan ? a : b;
  const Datum& factor = a.type == Type::kTimespan ? b : a;
  const double exact = op == '*' ? static_cast<double>(span.number) * RealOf(factor)
                                 : static_cast<double>(span.number) / RealOf(factor);
  if (!(std::fabs(exact) < 9e15) || std::floor(exact) != exact) {
    throw Unspecified{"how a span is rounded"};
  }
  return Whole(Type::kTimespan, static_cast<std::int64_t>(exact));
}

bool IsTime(Type type) { return type == Type::kDateTime || type == Type::kTimespan; }

Type TypeOfArithmetic(const Datum& a, const Datum& b) {
  return a.type == Type::kReal || b.type == Type::kReal ? Type::kReal : Type::kLong;
}

Datum Arithmetic(char op, const Datum& a, const Datum& b) {
  const bool time = IsTime(a.type) || IsTime(b.type);
  if (a.null || b.null) {
    if (!time) return Null(TypeOfArithmetic(a, b));
    if (op == '/' && b.type == Type::kTimespan) return Null(Type::kReal);
    const bool datetime = (a.type == Type::kDateTime) != (b.type == Type::kDateTime);
    return Null(datetime ? Type::kDateTime : Type::kTimespan);
  }
  if (time) return *TimeArithmetic(op, a, b);
  if (TypeOfArithmetic(a, b) == Type::kReal) {
    return Real(RealArithmetic(op, RealOf(a), RealOf(b)));
  }
  if ((op == '/' || op == '%') && b.number == 0) return Null(Type::kLong);
  return Long(WholeArithmetic(op, a.number, b.number));
}

Datum Bin(const Datum& value, const Datum& size) {
  const Type type = IsTime(value.type) ? value.type : TypeOfArithmetic(value, size);
  if (value.null || size.null) return Null(type);
  if (type == Type::kReal) {
    if (!(RealOf(size) > 0)) {
      // What a size of no length or of no number gives is known for whole numbers only.
      throw Unspecified{"bin() by a real that is not above zero"};
    }
    return Real(std::floor(RealOf(value) / RealOf(size)) * RealOf(size));
  }
  if (size.number <= 0) return Null(type);
  const std::int64_t rest = WholeArithmetic('%', value.number, size.number);
  std::int64_t binned = 0;
  if (__builtin_sub_overflow(value.number, rest, &binned)) throw Unspecified{"bin() out of range"};
  return Whole(type, binned);
}

Datum Compare(const std::string& op, const Datum& a, const Datum& b) {
  if (a.null || b.null) return Null(Type::kBool);
  const std::optional<int> order = Order(a, b);
  if (!order) return Bool(false);  // NaN
  if (op == "<") return Bool(*order < 0);
  if (op == "<=") return Bool(*order <= 0);
  if (op == ">") return Bool(*order > 0);
  return Bool(*order >= 0);
}

Datum Between(const Datum& value, const Datum& low, const Datum& high) {
  if (value.null || low.null || high.null) throw Unspecified{"between with nulls"};
  Datum end = high;
  if (value.type == Type::kDateTime && high.type == Type::kTimespan) {
    end = *TimeArithmetic('+', low, high);
    if (end.null) throw Unspecified{"between to the end of time"};
  }
  const std::optional<int> from = Order(value, low);
  const std::optional<int> to = Order(value, end);
  if (!from || !to) throw Unspecified{"between with NaN"};
  return Bool(*from >= 0 && *to <= 0);
}

// A term within a text: no alphanumeric character stands beside an alphanumeric edge of it.
bool HasTerm(const std::u32string& text, const std::u32string& term, bool before, bool after) {
  if (term.empty()) return true;
  for (std::size_t at = text.find(term); at != std::u32string::npos; at = text.find(term, at + 1)) {
    const std::size_t end = at + term.size();
    const bool free_before =
        at == 0 || !IsAlphanumeric(term.front()) || !IsAlphanumeric(text[at - 1]);
    const bool free_after =
        end == text.size() || !IsAlphanumeric(term.back()) || !IsAlphanumeric(text[end]);
    if ((free_before || !before) && (free_after || !after)) return true;
  }
  return false;
}

std::optional<bool> TextTest(const std::string& op, const std::u32string& text,
                             const std::u32string& pattern) {
  if (op == "has") return HasTerm(text, pattern, true, true);
  if (op == "hasprefix") return HasTerm(text, pattern, true, false);
  if (op == "hassuffix") return HasTerm(text, pattern, false, true);
  if (op == "contains") return text.find(pattern) != std::u32string::npos;
  if (op == "startswith") return text.substr(0, pattern.size()) == pattern;
  if (op == "endswith") {
    return text.size() >= pattern.size() && text.substr(text.size() - pattern.size()) == pattern;
  }
  return std::nullopt;
}

// A dynamic is searched as its JSON.
std::string SearchedText(const Datum& value) {
  if (value.type == Type::kDynamic && !value.null && value.json->is_structured()) {
    (void)TextOf(value);  // its numbers must have a known writing
    return value.json->dump();
  }
  return TextOf(value);
}

std::optional<Datum> TextOperator(std::string op, const Values& args) {
  const bool wanted = op[0] != '!';
  if (!wanted) op = op.substr(1);
  const bool cased = op.size() > 3 && op.substr(op.size() - 3) == "_cs";
  if (cased) op = op.substr(0, op.size() - 3);
  if (!TextTest(op, U"", U"")) return std::nullopt;  // another operator
  const std::string text = SearchedText(args[0]);
  const std::string pattern = SearchedText(args[1]);
  const std::optional<bool> holds = TextTest(op, cased ? Characters(text) : Lowered(text),
                                             cased ? Characters(pattern) : Lowered(pattern));
  if (args[0].null || args[1].null) {
    if (pattern.empty()) throw Unspecified{"an empty pattern in null"};
    return Bool(!wanted);
  }
  return Bool(*holds == wanted);
}

Datum HasSeveral(bool all, const Values& args) {
  const std::u32string text = Lowered(SearchedText(args[0]));
  bool any = false;
  bool every = true;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const bool holds = HasTerm(text, Lowered(TextOf(args[i])), true, true);
    any = any || holds;
    every = every && holds;
  }
  return Bool(all ? every : any);
}

Datum In(const std::string& op, const Values& args) {
  const bool wanted = op[0] != '!';
  const bool ignore_case = op.back() == '~';
  for (std::size_t i = 1; i < args.size(); ++i) {
    const std::optional<bool> equal = Equals(args[0], args[i], ignore_case);
    if (!equal) throw Unspecified{"null in a list with null"};
    if (*equal) return Bool(wanted);
  }
  return Bool(!wanted);
}

Datum MatchesRegex(const Values& args) {
  const std::string& text = args[0].text;
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; });
  if (!ascii) throw Unspecified{"std::regex knows bytes, not characters"};
  static std::map<std::string, std::regex> compiled;
  const auto place = compiled.try_emplace(args[1].text, args[1].text).first;
  return Bool(std::regex_search(text, place->second));
}

Datum MinOrMax(bool max, const Values& args) {
  Datum best = Null(args[0].type);
  for (const Datum& each : args) {
    if (each.type == Type::kReal && std::isnan(each.real)) throw Unspecified{"the least of NaN"};
    if (each.null) continue;
    if (best.null || (max ? *Order(each, best) > 0 : *Order(each, best) < 0)) best = each;
  }
  return best;
}

std::optional<Datum> NumberFunction(const std::string& op, const Values& args) {
  const Datum& a = args[0];
  if (op == "abs" || op == "negate") {
    if (a.null) return Null(a.type == Type::kInt ? Type::kLong : a.type);
    if (a.type == Type::kReal) return Real(op == "abs" ? std::fabs(a.real) : -a.real);
    if (a.number == INT64_MIN) throw Unspecified{"the opposite of the least long"};
    const std::int64_t opposite = op == "abs" && a.number > 0 ? a.number : -a.number;
    return Whole(a.type == Type::kTimespan ? a.type : Type::kLong, opposite);
  }
  if (op == "bin" || op == "floor") return Bin(args[0], args[1]);
  if (op == "max_of" || op == "min_of") return MinOrMax(op == "max_of", args);
  if (op == "isnan" || op == "isinf" || op == "isfinite") {
    if (a.null) throw Unspecified{op + " of null"};
    return Bool(op == "isnan"   ? std::isnan(a.real)
                : op == "isinf" ? std::isinf(a.real)
                                : std::isfinite(a.real));
  }
  if (op == "sign") {
    if (a.null || std::isnan(RealOf(a))) throw Unspecified{"the sign of nothing"};
    return Real(RealOf(a) > 0 ? 1 : RealOf(a) < 0 ? -1 : 0);
  }
  if (op.find("binary_") == 0) {
    if (AnyNull(args)) return Null(Type::kLong);
    if (op == "binary_and") return Long(a.number & args[1].number);
    if (op == "binary_or") return Long(a.number | args[1].number);
    if (op == "binary_xor") return Long(a.number ^ args[1].number);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Datum> OperatorOf(const std::string& op, const Values& args) {
  if (op.size() == 1 && std::string("+-*/%").find(op) != std::string::npos) {
    return Arithmetic(op[0], args[0], args[1]);
  }
  if (op == "<" || op == "<=" || op == ">" || op == ">=") return Compare(op, args[0], args[1]);
  if (op == "==" || op == "=~") return Bool(Equals(args[0], args[1], op == "=~"));
  if (op == "!=" || op == "!~") {
    const std::optional<bool> equal = Equals(args[0], args[1], op == "!~");
    return equal ? Bool(!*equal) : Null(Type::kBool);
  }
  if (op == "between") return Between(args[0], args[1], args[2]);
  if (op == "!between") return Bool(Between(args[0], args[1], args[2]).number == 0);
  if (op == "in" || op == "!in" || op == "in~" || op == "!in~") return In(op, args);
  if (op == "has_any" || op == "has_all") return HasSeveral(op == "has_all", args);
  if (op == "matches regex") return MatchesRegex(args);
  if (op == "not") return args[0].null ? args[0] : Bool(args[0].number == 0);
  if (args.size() == 2 && args[0].type != Type::kBool) {
    if (const auto text = TextOperator(op, args)) return text;
  }
  if (!args.empty()) return NumberFunction(op, args);
  return std::nullopt;
}

}  // namespace picket::kql::oracle
