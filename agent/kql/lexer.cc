#include "agent/kql/lexer.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>

#include "agent/kql/decimal.h"
#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::kql {
namespace {

constexpr int kMostLiterals = 16;  // dynamic(…) within dynamic(…)

bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  LexResult Run() {
    while (!error_) {
      SkipSpace();
      if (at_ >= query_.size()) break;
      start_ = at_;
      Next();
    }
    start_ = query_.size();
    at_ = query_.size();
    Add(TokenKind::kEnd, "");
    return {.tokens = std::move(tokens_), .error = std::move(error_)};
  }

 private:
  [[nodiscard]] char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
  }

  void Fail(std::string message) {
    error_ = Diagnostic{.code = "KS001",
                        .message = std::move(message),
                        .span = {start_, std::min(at_ + 1, query_.size())}};
    Locate(*error_, query_);
  }

  void SkipSpace() {
    while (at_ < query_.size()) {
      const char c = query_[at_];
      if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        ++at_;
      } else if (c == '/' && Peek(1) == '/') {
        while (at_ < query_.size() && query_[at_] != '\n') ++at_;
      } else if (query_.substr(at_, 3) == "\xEF\xBB\xBF" || query_.substr(at_, 2) == "\xC2\xA0") {
        at_ += query_.substr(at_, 2) == "\xC2\xA0" ? 2U : 3U;  // a no-break space, a BOM
      } else {
        return;
      }
    }
  }

  void Add(TokenKind kind, std::string text, Value value = {}) {
    tokens_.push_back(
        {.kind = kind, .text = std::move(text), .value = std::move(value), .span = {start_, at_}});
  }

  void Next() {
    const char c = Peek();
    if (IsNameStart(c) || c == '$') return Name();
    if (IsDigit(c)) return Number();
    if (c == '"' || c == '\'') return String(/*verbatim=*/false);
    if (c == '@' && (Peek(1) == '"' || Peek(1) == '\'')) {
      ++at_;
      return String(/*verbatim=*/true);
    }
    if (query_.substr(at_, 3) == "```") return MultiLine();
    if (c == '[' && (Peek(1) == '\'' || Peek(1) == '"') && QuotedNameStarts()) return QuotedName();
    if (c == '!' && IsNameStart(Peek(1))) {
      ++at_;
      return Name();
    }
    Mark();
  }

  // `!in`, `in~`, `project-away`, literals such as datetime(…), and h"obfuscated" strings.
  void Name() {
    while (IsNamePart(Peek()) || Peek() == '$') ++at_;
    std::string text(query_.substr(start_, at_ - start_));
    if ((text == "h" || text == "H") && (Peek() == '"' || Peek() == '\'' || Peek() == '@')) {
      const bool verbatim = Peek() == '@';
      if (verbatim) ++at_;
      return String(verbatim);
    }
    if (Peek() == '~' && (text == "in" || text == "!in")) {
      ++at_;
      text += '~';
    }
    static constexpr std::array<std::string_view, 23> kHyphened = {"project-away",
                                                                   "project-keep",
                                                                   "project-rename",
                                                                   "project-reorder",
                                                                   "mv-expand",
                                                                   "mv-apply",
                                                                   "make-series",
                                                                   "parse-where",
                                                                   "parse-kv",
                                                                   "make-graph",
                                                                   "graph-match",
                                                                   "graph-to-table",
                                                                   "graph-shortest-paths",
                                                                   "graph-mark-components",
                                                                   "top-nested",
                                                                   "top-hitters",
                                                                   "project-smart",
                                                                   "project-by-names",
                                                                   "sample-distinct",
                                                                   "macro-expand",
                                                                   "assert-schema",
                                                                   "granny-asc",
                                                                   "granny-desc"};
    for (const std::string_view name : kHyphened) {
      if (name.substr(0, text.size() + 1) == text + "-" &&
          query_.substr(start_, name.size()) == name &&
          !IsNamePart(Peek(name.size() - text.size()))) {
        at_ = start_ + name.size();
        return Add(TokenKind::kName, std::string(name));
      }
    }
    for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
      if (text == word) return Add(TokenKind::kLiteral, text, Value::Bool(word.size() == 4));
    }
    if (LiteralOf(text)) return;
    Add(TokenKind::kName, std::move(text));
  }

  // datetime(…), dynamic(…) …: their inside is no expression.
  bool LiteralOf(const std::string& name) {
    const std::optional<Type> type = ParseType(name);
    if (!type || name == "string") return false;
    std::size_t open = at_;
    while (open < query_.size() && std::isspace(static_cast<unsigned char>(query_[open])) != 0) {
      ++open;
    }
    if (open >= query_.size() || query_[open] != '(') return false;
    const std::optional<std::size_t> close = Closing(query_, open);
    if (!close) return false;
    const std::string_view inside = Trim(query_.substr(open + 1, *close - open - 1));
    const std::optional<Value> value = ReadLiteral(*type, inside);
    if (!value) {
      at_ = *close;
      Fail(fmt::format("'{}' is no {} literal", EscapeTerminal(inside.substr(0, 40)), name));
      return true;
    }
    at_ = *close + 1;
    Add(TokenKind::kLiteral, name, *value);
    return true;
  }

  static std::optional<std::size_t> Closing(std::string_view text, std::size_t open) {
    int depth = 0;
    char quote = '\0';
    for (std::size_t i = open; i < text.size(); ++i) {
      const char c = text[i];
      if (quote != '\0') {
        if (c == '\\') {
          ++i;
        } else if (c == quote) {
          quote = '\0';
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        return i;
      }
    }
    return std::nullopt;
  }

  // datetime(…), dynamic(…) … within dynamic(…).
  static std::optional<std::string> LiteralWithin(std::string_view text, std::size_t& length,
                                                  int depth) {
    const std::size_t sign = text.substr(0, 1) == "-" ? 1 : 0;
    std::size_t open = sign;
    while (open < text.size() && (IsNamePart(text[open]) || text[open] == '.')) ++open;
    if (open > sign && IsDigit(text[sign])) {  // 1h, -1.5d
      const std::string_view span = text.substr(0, open);
      if (span.find_first_of("dhmst") == std::string_view::npos) return std::nullopt;
      const auto ticks = ParseTimespanText(span);
      if (!ticks) return std::nullopt;
      length = open;
      return QuoteJson(FormatTimespanText(*ticks));
    }
    const std::optional<Type> type = ParseType(text.substr(0, open));
    if (!type || depth > kMostLiterals || open >= text.size() || text[open] != '(') {
      return std::nullopt;
    }
    const std::optional<std::size_t> close = Closing(text, open);
    if (!close) return std::nullopt;
    const std::optional<Value> value =
        ReadLiteral(*type, Trim(text.substr(open + 1, *close - open - 1)), depth);
    if (!value) return std::nullopt;
    length = *close + 1;
    return ToJsonText(*ConstantColumn(*value, 1), 0);
  }

  static std::optional<Value> ReadLiteral(Type type, std::string_view text, int depth = 0) {
    if (text == "null" && type != Type::kDynamic) return Value::Null(type);
    if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
        text.back() == text.front() && type != Type::kDynamic) {
      text = text.substr(1, text.size() - 2);
    }
    switch (type) {
      case Type::kBool:
        if (text == "true" || text == "1") return Value::Bool(true);
        if (text == "false" || text == "0") return Value::Bool(false);
        return std::nullopt;
      case Type::kInt:
      case Type::kLong: {
        const bool negative = !text.empty() && text.front() == '-';
        std::string_view digits = negative ? text.substr(1) : text;
        const bool hex = digits.substr(0, 2) == "0x";
        if (hex) digits.remove_prefix(2);
        std::uint64_t size = 0;
        const auto [end, code] =
            std::from_chars(digits.data(), digits.data() + digits.size(), size, hex ? 16 : 10);
        constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
        const bool fits = size <= kMost + (negative ? 1 : 0);
        if (code != std::errc{} || end != digits.data() + digits.size() || !fits) {
          return std::nullopt;
        }
        return Value{.type = type, .number = static_cast<std::int64_t>(negative ? 0 - size : size)};
      }
      case Type::kReal: {
        if (text == "nan" || text == "NaN") return Value::Real(std::stod("nan"));
        if (text == "+inf") return Value::Real(std::stod("inf"));
        if (text == "-inf") return Value::Real(-std::stod("inf"));
        double real = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), real);
        if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
        return Value::Real(real);
      }
      case Type::kDecimal: {
        const auto decimal = ParseDecimal(text);
        if (!decimal) return std::nullopt;
        return Value{.type = Type::kDecimal, .text = ToString(*decimal)};
      }
      case Type::kDateTime: {
        const auto ticks = ParseDateTimeText(text);
        if (!ticks) return std::nullopt;
        return Value::DateTime(Instant{*ticks});
      }
      case Type::kTimespan: {
        if (const auto ticks = ParseTimespanText(text)) return Value::Span(Timespan{*ticks});
        const LexResult inner = Lex(text);
        if (!inner.error && inner.tokens.size() == 2 &&
            inner.tokens[0].value.type == Type::kTimespan) {
          return inner.tokens[0].value;
        }
        return std::nullopt;
      }
      case Type::kGuid: {
        const Result<Guid> guid = ParseGuid(text);
        if (!guid) return std::nullopt;
        return Value{.type = Type::kGuid, .text = ToString(*guid)};
      }
      case Type::kDynamic: {
        if (text.empty()) return std::nullopt;
        auto json = CompactLiteral(text, [depth](std::string_view within, std::size_t& length) {
          return LiteralWithin(within, length, depth + 1);
        });
        if (!json) return std::nullopt;
        if (*json == "null") return Value::Null(Type::kDynamic);
        return Value::Dynamic(*std::move(json));
      }
      case Type::kString:
        break;
    }
    return std::nullopt;
  }

  void Number() {
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) {
      at_ += 2;
      std::int64_t number = 0;
      const char* begin = query_.data() + at_;
      const auto [end, code] = std::from_chars(begin, query_.data() + query_.size(), number, 16);
      at_ += static_cast<std::size_t>(end - begin);
      if (code != std::errc{}) return Fail("no hexadecimal number");
      return Add(TokenKind::kLiteral, "", Value::Long(number));
    }
    while (IsDigit(Peek())) ++at_;
    bool real = false;
    if (Peek() == '.' && Peek(1) != '.' && !IsNameStart(Peek(1)) && Peek(1) != '[') {
      real = true;  // also `0.`
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if ((Peek() == 'e' || Peek() == 'E') &&
        (IsDigit(Peek(1)) || ((Peek(1) == '-' || Peek(1) == '+') && IsDigit(Peek(2))))) {
      real = true;
      at_ += 2;
      while (IsDigit(Peek())) ++at_;
    }
    const std::string digits(query_.substr(start_, at_ - start_));
    const std::size_t unit_at = at_;
    while (IsNamePart(Peek())) ++at_;
    const std::string_view unit = query_.substr(unit_at, at_ - unit_at);
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!unit.empty()) {
      const std::optional<std::int64_t> size = UnitTicks(unit);
      if (!size) return Fail(fmt::format("'{}{}' is no number", digits, EscapeTerminal(unit)));
      const double ticks = value * static_cast<double>(*size);
      if (ticks > 9.2e18) return Fail("the timespan is too long");
      return Add(TokenKind::kLiteral, "", Value::Span(Timespan{static_cast<std::int64_t>(ticks)}));
    }
    if (real) return Add(TokenKind::kLiteral, "", Value::Real(value));
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc{}) {
      // The least long is read as the negation of what no long can hold.
      const bool negated = !tokens_.empty() && tokens_.back().text == "-" &&
                           tokens_.back().kind == TokenKind::kPunct;
      if (!negated || digits != "9223372036854775808") {
        return Fail("the number is too large for a long");
      }
      number = INT64_MIN;
    }
    Add(TokenKind::kLiteral, "", Value::Long(number));
  }

  void AddString(std::string text) {
    if (!tokens_.empty() && tokens_.back().kind == TokenKind::kLiteral &&
        tokens_.back().value.type == Type::kString && tokens_.back().text == "\"") {
      tokens_.back().value.text += text;
      tokens_.back().span.end = at_;
      return;
    }
    Add(TokenKind::kLiteral, "\"", Value::String(std::move(text)));
  }

  void String(bool verbatim) {
    std::string text;
    if (ReadString(verbatim, text)) AddString(std::move(text));
  }

  // False: it failed.
  bool ReadString(bool verbatim, std::string& text) {
    const char quote = Peek();
    ++at_;
    while (true) {
      const char c = Peek();
      if (at_ >= query_.size() || (c == '\n' && !verbatim)) {
        Fail("the string has no end");
        return false;
      }
      ++at_;
      if (c == quote) {
        if (!verbatim || Peek() != quote) return true;
        ++at_;
        text += quote;
      } else if (c == '\\' && !verbatim) {
        if (!Escape(text)) {
          Fail("unknown escape in a string");
          return false;
        }
      } else {
        text += c;
      }
    }
  }

  bool Escape(std::string& text) {
    const char c = Peek();
    ++at_;
    switch (c) {
      case 'n':
        text += '\n';
        return true;
      case 't':
        text += '\t';
        return true;
      case 'r':
        text += '\r';
        return true;
      case 'a':
        text += '\a';
        return true;
      case 'b':
        text += '\b';
        return true;
      case 'f':
        text += '\f';
        return true;
      case 'v':
        text += '\v';
        return true;
      case '0':
        text += '\0';
        return true;
      case '\\':
      case '\'':
      case '"':
        text += c;
        return true;
      case 'u':
      case 'x': {
        const std::size_t digits = c == 'u' ? 4 : 2;
        std::uint32_t point = 0;
        const char* begin = query_.data() + at_;
        if (at_ + digits > query_.size()) return false;
        const auto [end, code] = std::from_chars(begin, begin + digits, point, 16);
        if (code != std::errc{} || end != begin + digits) return false;
        at_ += digits;
        AppendUtf8(text, point);
        return true;
      }
      default:
        return false;
    }
  }

  void MultiLine() {
    at_ += 3;
    const std::size_t end = query_.find("```", at_);
    if (end == std::string_view::npos) {
      at_ = query_.size();
      return Fail("the string has no end");
    }
    std::string text(query_.substr(at_, end - at_));
    at_ = end + 3;
    AddString(std::move(text));
  }

  // ['name'] after a name or at the start of an operand is a name; after a value it is an index,
  // which reads the same way: a member of that name.
  [[nodiscard]] bool QuotedNameStarts() const {
    const char quote = Peek(1);
    std::size_t end = at_ + 2;
    while (end < query_.size() && query_[end] != quote && query_[end] != '\n') {
      end += query_[end] == '\\' ? 2U : 1U;
    }
    return end + 1 < query_.size() && query_[end] == quote && query_[end + 1] == ']';
  }

  // A string within brackets, with a string's escapes.
  void QuotedName() {
    ++at_;
    std::string text;
    if (!ReadString(/*verbatim=*/false, text)) return;
    ++at_;
    Add(TokenKind::kQuoted, std::move(text));
  }

  void Mark() {
    static constexpr std::array<std::string_view, 9> kTwo = {
        "==", "!=", "=~", "!~", "<=", ">=", "..", "=>", "<>"};
    for (const std::string_view mark : kTwo) {
      if (query_.substr(at_, 2) == mark) {
        at_ += 2;
        return Add(TokenKind::kPunct, std::string(mark));
      }
    }
    static constexpr std::string_view kOne = "()[]{},;|.:<>=+-*/%";
    if (kOne.find(Peek()) == std::string_view::npos) return Fail("a character that no query has");
    ++at_;
    Add(TokenKind::kPunct, std::string(query_.substr(start_, 1)));
  }

  const std::string_view query_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  std::vector<Token> tokens_;
  std::optional<Diagnostic> error_;
};

}  // namespace

LexResult Lex(std::string_view query) {
  LexResult result;
  if (query.size() > kMaxQueryBytes) {
    result.error = Diagnostic{.code = "PK002", .message = "the query is larger than 1 MiB"};
  } else if (!IsValidUtf8(query)) {
    result.error = Diagnostic{.code = "PK001", .message = "the query is not UTF-8"};
  } else {
    return Lexer(query).Run();
  }
  Locate(*result.error, query);
  result.tokens.push_back({});
  return result;
}

}  // namespace picket::kql
