#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/diagnostic.h"
#include "agent/kql/type.h"
#include "base/result.h"

namespace picket::kql {

enum class TokenKind : std::uint8_t {
  kName,     // identifiers, keywords, `!in`, `in~`, `project-away`; text is the name
  kQuoted,   // ['a name']
  kLiteral,  // value
  kPunct,    // text is the mark: "==", "|", …
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  Value value;
  Span span;
};

inline constexpr std::size_t kMaxQueryBytes = std::size_t{1} << 20;

// The whole query in tokens, comments left out. Adjacent string literals are joined. The first
// error ends it.
struct LexResult {
  std::vector<Token> tokens;  // the last is kEnd
  std::optional<Diagnostic> error;
};
LexResult Lex(std::string_view query);

// What todatetime() takes: ISO 8601, a date alone, RFC 3339, RFC 1123, the American M-d-y.
std::optional<std::int64_t> ParseDateTimeText(std::string_view text);

}  // namespace picket::kql
