// parse_xml(): XML as JSON. Attributes are members "@name", the text beside them "#text", elements
// of one name an array. Numbers are numbers. No document type, no external entities.

#include <charconv>
#include <map>

#include "agent/kql/dynamic_kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMostNested = 64;

bool IsNameEnd(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '>' || c == '/' || c == '=';
}

// "&lt;", "&#65;", "&#x41;": resolved; what is unknown stays as it is.
std::string Resolved(std::string_view text) {
  std::string resolved;
  while (!text.empty()) {
    const std::size_t end = text[0] == '&' ? text.find(';') : std::string_view::npos;
    if (end > 10) {  // npos too
      resolved += text[0];
      text.remove_prefix(1);
      continue;
    }
    const std::string_view name = text.substr(1, end - 1);
    static const std::map<std::string_view, char> kNamed = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    const auto known = kNamed.find(name);
    std::uint32_t point = 0;
    if (known != kNamed.end()) {
      resolved += known->second;
    } else if (name.starts_with('#')) {
      const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
      const std::string_view digits = name.substr(hex ? 2 : 1);
      std::from_chars(digits.data(), digits.data() + digits.size(), point, hex ? 16 : 10);
      const bool valid = point > 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
      AppendUtf8(resolved, valid ? point : 0xFFFD);
    } else {
      resolved += text.substr(0, end + 1);
    }
    text.remove_prefix(end + 1);
  }
  return resolved;
}

// A number where the whole text is one that JSON can write.
std::string ScalarJson(std::string_view text) {
  const std::string value = Resolved(text);
  const std::string_view trimmed = Trim(value);
  if (!trimmed.empty() && KindOf(trimmed) == JsonKind::kNumber) {
    if (const auto number = CompactJson(trimmed)) return *number;
  }
  return QuoteJson(value);
}

// Members in order of first appearance; several of one name become an array.
class Members {
 public:
  void Add(const std::string& name, std::string json) {
    const auto [known, added] = places_.emplace(name, members_.size());
    if (added) members_.push_back({name, {}});
    members_[known->second].second.push_back(std::move(json));
  }
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] std::string Text() const {
    JsonBag bag;
    for (const auto& [name, values] : members_) {
      if (values.size() == 1) {
        bag.Add(name, values[0]);
        continue;
      }
      JsonArray array;
      for (const std::string& value : values) array.Add(value);
      bag.Add(name, array.Text());
    }
    return bag.Text();
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> members_;
  std::map<std::string, std::size_t> places_;
};

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}

  // {"root": …}; nullopt for what is no XML.
  std::optional<std::string> Document() {
    if (!SkipMarkup() || !rest_.starts_with('<')) return std::nullopt;
    Members root;
    if (!Element(root, 0) || !SkipMarkup() || !rest_.empty()) return std::nullopt;
    return root.Text();
  }

 private:
  void SkipSpace() {
    rest_ = rest_.substr(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }
  bool SkipPast(std::string_view mark) {
    const std::size_t at = rest_.find(mark);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + mark.size());
    return true;
  }
  // Space, comments and processing instructions.
  bool SkipMarkup() {
    while (true) {
      SkipSpace();
      if (rest_.starts_with("<!--")) {
        if (!SkipPast("-->")) return false;
      } else if (rest_.starts_with("<?")) {
        if (!SkipPast("?>")) return false;
      } else {
        return true;
      }
    }
  }
  std::string_view Name() {
    std::size_t end = 0;
    while (end < rest_.size() && !IsNameEnd(rest_[end])) ++end;
    const std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return name;
  }
  bool Attributes(Members& members) {
    while (true) {
      SkipSpace();
      if (rest_.empty()) return false;
      if (rest_[0] == '>' || rest_[0] == '/') return true;
      const std::string name(Name());
      SkipSpace();
      if (name.empty() || !rest_.starts_with('=')) return false;
      rest_.remove_prefix(1);
      SkipSpace();
      const char quote = rest_.empty() ? '\0' : rest_[0];
      if (quote != '"' && quote != '\'') return false;
      rest_.remove_prefix(1);
      const std::size_t end = rest_.find(quote);
      if (end == std::string_view::npos) return false;
      members.Add("@" + name, ScalarJson(rest_.substr(0, end)));
      rest_.remove_prefix(end + 1);
    }
  }
  bool Element(Members& parent, int depth) {
    if (depth > kMostNested) return false;
    rest_.remove_prefix(1);
    const std::string name(Name());
    Members members;
    if (name.empty() || name[0] == '!' || !Attributes(members)) return false;
    if (rest_.starts_with("/>")) {
      rest_.remove_prefix(2);
      parent.Add(name, members.empty() ? "null" : members.Text());
      return true;
    }
    if (!rest_.starts_with('>')) return false;
    rest_.remove_prefix(1);
    std::string text;
    bool plain = false;
    if (!Content(name, members, text, plain, depth)) return false;
    const bool has_text = plain || !Trim(text).empty();
    if (members.empty()) {
      parent.Add(name, has_text ? (plain ? QuoteJson(text) : ScalarJson(text)) : "null");
      return true;
    }
    if (has_text) members.Add("#text", plain ? QuoteJson(text) : ScalarJson(text));
    parent.Add(name, members.Text());
    return true;
  }
  // Up to and with the end tag. `plain`: a CDATA section, whose text stands as it is.
  bool Content(const std::string& name, Members& members, std::string& text, bool& plain,
               int depth) {
    while (!rest_.empty()) {
      if (rest_.starts_with("</")) {
        rest_.remove_prefix(2);
        const bool same = Name() == name;
        SkipSpace();
        if (!same || !rest_.starts_with('>')) return false;
        rest_.remove_prefix(1);
        return true;
      }
      if (rest_.starts_with("<![CDATA[")) {
        rest_.remove_prefix(9);
        const std::size_t end = rest_.find("]]>");
        if (end == std::string_view::npos) return false;
        text += rest_.substr(0, end);
        plain = true;
        rest_.remove_prefix(end + 3);
      } else if (rest_.starts_with("<!--") || rest_.starts_with("<?")) {
        if (!SkipMarkup()) return false;
      } else if (rest_[0] == '<') {
        if (!Element(members, depth + 1)) return false;
      } else {
        const std::size_t end = std::min(rest_.find('<'), rest_.size());
        text += rest_.substr(0, end);
        rest_.remove_prefix(end);
      }
    }
    return false;
  }

  std::string_view rest_;
};

ColumnPtr ParseXml(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    std::optional<std::string> json = XmlReader(text).Document();
    if (!json) return out.Null();
    out.Text(*std::move(json));
  });
}

}  // namespace

FunctionList XmlFunctions() {
  return Declare({{"parse_xml(text: text): dynamic", &ParseXml, nullptr, kNameOfFirst}});
}

}  // namespace picket::kql
