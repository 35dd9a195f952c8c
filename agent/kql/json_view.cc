#include "agent/kql/json_view.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "agent/kql/lexer.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMaxDepth = 128;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t SkipSpace(std::string_view json, std::size_t at) {
  while (at < json.size() && IsSpace(json[at])) ++at;
  return at;
}

// Past the string that starts at `at`.
std::size_t SkipString(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

// Past the value that starts at `at`.
std::size_t SkipValue(std::string_view json, std::size_t at) {
  if (at >= json.size()) return json.size();
  if (json[at] == '"') return SkipString(json, at);
  if (json[at] == '{' || json[at] == '[') {
    int depth = 0;
    while (at < json.size()) {
      const char c = json[at];
      if (c == '"') {
        at = SkipString(json, at);
        continue;
      }
      ++at;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return json.size();
  }
  while (at < json.size() && json[at] != ',' && json[at] != '}' && json[at] != ']' &&
         !IsSpace(json[at])) {
    ++at;
  }
  return at;
}

std::string_view Trimmed(std::string_view json) {
  const std::size_t begin = SkipSpace(json, 0);
  return json.substr(begin);
}

// Checks JSON and writes it again without space.
class Compactor {
 public:
  Compactor(std::string_view text, const ForeignValue* foreign)
      : text_(text), relaxed_(foreign != nullptr), foreign_(foreign) {}

  std::optional<std::string> Run() {
    Space();
    if (!Value(0)) return std::nullopt;
    Space();
    if (at_ != text_.size()) return std::nullopt;
    return std::move(out_);
  }

 private:
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void Space() { at_ = SkipSpace(text_, at_); }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }

  bool Value(int depth) {
    if (depth > kMaxDepth) return false;
    const char c = Peek();
    if (c == '{') return Object(depth);
    if (c == '[') return Array(depth);
    if (c == '"' || (relaxed_ && c == '\'')) return String(c);
    if (c == '-' || std::isdigit(static_cast<unsigned char>(c)) != 0) {
      return (relaxed_ && Foreign()) || Number();
    }
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        out_ += word;
        return true;
      }
    }
    return relaxed_ && Foreign();
  }

  bool Foreign() {
    std::size_t length = 0;
    const std::optional<std::string> json = (*foreign_)(text_.substr(at_), length);
    if (!json) return false;
    at_ += length;
    out_ += *json;
    return true;
  }

  bool Object(int depth) {
    out_ += '{';
    ++at_;
    Space();
    if (Take('}')) {
      out_ += '}';
      return true;
    }
    while (true) {
      Space();
      const char quote = Peek();
      if (quote != '"' && !(relaxed_ && quote == '\'')) return false;
      if (!String(quote)) return false;
      Space();
      if (!Take(':')) return false;
      out_ += ':';
      Space();
      if (!Value(depth + 1)) return false;
      Space();
      if (Take('}')) {
        out_ += '}';
        return true;
      }
      if (!Take(',')) return false;
      out_ += ',';
    }
  }

  bool Array(int depth) {
    out_ += '[';
    ++at_;
    Space();
    if (Take(']')) {
      out_ += ']';
      return true;
    }
    while (true) {
      Space();
      if (!Value(depth + 1)) return false;
      Space();
      if (Take(']')) {
        out_ += ']';
        return true;
      }
      if (!Take(',')) return false;
      out_ += ',';
    }
  }

  bool String(char quote) {
    ++at_;
    out_ += '"';
    while (true) {
      if (at_ >= text_.size()) return false;
      const char c = text_[at_++];
      if (c == quote) break;
      if (c == '\\') {
        if (!Escape()) return false;
      } else if (c == '"') {
        out_ += "\\\"";
      } else if (static_cast<unsigned char>(c) < 0x20) {
        if (!relaxed_) return false;
        out_ += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out_ += c;
      }
    }
    out_ += '"';
    return true;
  }

  bool Escape() {
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos && c != '\0') {
      out_ += '\\';
      out_ += c;
      return true;
    }
    if (c == '\'' && relaxed_) {
      out_ += c;
      return true;
    }
    if (c != 'u' || at_ + 4 > text_.size()) return false;
    for (std::size_t i = 0; i < 4; ++i) {
      if (std::isxdigit(static_cast<unsigned char>(text_[at_ + i])) == 0) return false;
    }
    out_ += "\\u";
    out_ += text_.substr(at_, 4);
    at_ += 4;
    return true;
  }

  bool Number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) ++at_;
      return at_ > first;
    };
    Take('-');
    if (Take('0')) {
      if (std::isdigit(static_cast<unsigned char>(Peek())) != 0) return false;
    } else if (!digits()) {
      return false;
    }
    if (Take('.') && !digits()) return false;
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (!digits()) return false;
    }
    out_ += text_.substr(begin, at_ - begin);
    return true;
  }

  const std::string_view text_;
  const bool relaxed_;
  const ForeignValue* const foreign_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

JsonKind KindOf(std::string_view json) {
  json = Trimmed(json);
  switch (json.empty() ? 'n' : json.front()) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 't':
    case 'f':
      return JsonKind::kBool;
    case 'n':
      return JsonKind::kNull;
    default:
      return JsonKind::kNumber;
  }
}

void ForEachMember(std::string_view json,
                   const std::function<bool(std::string_view, std::string_view)>& visit) {
  std::size_t at = SkipSpace(json, 0);
  if (at >= json.size() || json[at] != '{') return;
  ++at;
  while (true) {
    at = SkipSpace(json, at);
    if (at >= json.size() || json[at] != '"') return;
    const std::size_t name_end = SkipString(json, at);
    const std::string_view quoted = json.substr(at, name_end - at);
    at = SkipSpace(json, name_end);
    if (at >= json.size() || json[at] != ':') return;
    at = SkipSpace(json, at + 1);
    const std::size_t end = SkipValue(json, at);
    const std::string_view value = json.substr(at, end - at);
    const bool plain = quoted.find('\\') == std::string_view::npos && quoted.size() >= 2;
    if (plain ? !visit(quoted.substr(1, quoted.size() - 2), value)
              : !visit(UnquoteJson(quoted), value)) {
      return;
    }
    at = SkipSpace(json, end);
    if (at >= json.size() || json[at] != ',') return;
    ++at;
  }
}

void ForEachElement(std::string_view json, const std::function<bool(std::string_view)>& visit) {
  std::size_t at = SkipSpace(json, 0);
  if (at >= json.size() || json[at] != '[') return;
  ++at;
  while (true) {
    at = SkipSpace(json, at);
    if (at >= json.size() || json[at] == ']') return;
    const std::size_t end = SkipValue(json, at);
    if (end == at) return;
    if (!visit(json.substr(at, end - at))) return;
    at = SkipSpace(json, end);
    if (at >= json.size() || json[at] != ',') return;
    ++at;
  }
}

std::optional<std::string_view> JsonMember(std::string_view json, std::string_view name) {
  std::optional<std::string_view> found;
  ForEachMember(json, [&](std::string_view member, std::string_view value) {
    if (member == name) found = value;
    return !found.has_value();
  });
  return found;
}

std::int64_t JsonLength(std::string_view json) {
  std::int64_t length = 0;
  if (KindOf(json) == JsonKind::kObject) {
    ForEachMember(json, [&](std::string_view, std::string_view) {
      ++length;
      return true;
    });
  } else {
    ForEachElement(json, [&](std::string_view) {
      ++length;
      return true;
    });
  }
  return length;
}

std::optional<std::string_view> JsonElement(std::string_view json, std::int64_t index) {
  if (index < 0) index += JsonLength(json);
  if (index < 0) return std::nullopt;
  std::optional<std::string_view> found;
  ForEachElement(json, [&](std::string_view element) {
    if (index-- == 0) found = element;
    return !found.has_value();
  });
  return found;
}

std::string UnquoteJson(std::string_view json) {
  std::string text;
  if (json.size() < 2 || json.front() != '"') return std::string(json);
  const auto hex = [&](std::size_t at) {
    std::uint32_t value = 0;
    if (at + 4 <= json.size()) {
      std::from_chars(json.data() + at, json.data() + at + 4, value, 16);
    }
    return value;
  };
  for (std::size_t i = 1; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') {
      text += json[i];
      continue;
    }
    switch (json[++i]) {
      case 'n':
        text += '\n';
        break;
      case 't':
        text += '\t';
        break;
      case 'r':
        text += '\r';
        break;
      case 'b':
        text += '\b';
        break;
      case 'f':
        text += '\f';
        break;
      case 'u': {
        std::uint32_t point = hex(i + 1);
        i += 4;
        if (point >= 0xD800 && point < 0xDC00 && json.substr(i + 1, 2) == "\\u") {
          const std::uint32_t low = hex(i + 3);
          if (low >= 0xDC00 && low < 0xE000) {
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
          }
        }
        AppendUtf8(text, point >= 0xD800 && point < 0xE000 ? 0xFFFD : point);
        break;
      }
      default:
        text += json[i];
    }
  }
  return text;
}

std::string QuoteJson(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        json += "\\\"";
        break;
      case '\\':
        json += "\\\\";
        break;
      case '\n':
        json += "\\n";
        break;
      case '\r':
        json += "\\r";
        break;
      case '\t':
        json += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          json += c;
        }
    }
  }
  return json + "\"";
}

std::optional<std::string> CompactJson(std::string_view text) {
  return Compactor(text, nullptr).Run();
}

std::optional<std::string> CompactLiteral(std::string_view text, const ForeignValue& foreign) {
  return Compactor(text, &foreign).Run();
}

}  // namespace picket::kql
