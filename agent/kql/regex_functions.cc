// Functions of regular expressions. A pattern that is none matches nothing.

#include <re2/re2.h>

#include <map>
#include <mutex>

#include "agent/kql/code_points.h"
#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/regex.h"
#include "agent/kql/search_window.h"

namespace picket::kql {
namespace {

constexpr std::size_t kMaxText = std::size_t{4} << 20;
constexpr int kMostGroups = 16;
// Each may take 8 MB for what it has learnt of texts, all together the budget of a query.
constexpr std::size_t kMostCached = 32;

// What stands for \d, \w, \s: inside of [...] and outside.
struct UnicodeClass {
  char letter;
  const char* inside;
  const char* outside;
};
constexpr UnicodeClass kClasses[] = {
    {'d', R"(\p{Nd})", R"(\p{Nd})"},
    {'D', R"(\P{Nd})", R"(\P{Nd})"},
    {'w', R"(\p{L}\p{M}\p{Nd}\p{Pc})", R"([\p{L}\p{M}\p{Nd}\p{Pc}])"},
    {'W', nullptr, R"([^\p{L}\p{M}\p{Nd}\p{Pc}])"},
    {'s', R"(\s\x{0B}\x{85}\p{Z})", R"([\s\x{0B}\x{85}\p{Z}])"},
    {'S', nullptr, R"([^\s\x{0B}\x{85}\p{Z}])"},
};

std::string WithUnicodeClasses(const std::string& pattern) {
  std::string written;
  bool inside = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      const char* unicode = nullptr;
      for (const UnicodeClass& known : kClasses) {
        if (known.letter == next) unicode = inside ? known.inside : known.outside;
      }
      written += unicode != nullptr ? unicode : std::string{c, next};
      continue;
    }
    if (c == '[' && !inside) {
      inside = true;
      written += c;
      // A ']' right behind the beginning is a character of the class.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') written += pattern[++i];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') written += pattern[++i];
      continue;
    }
    // [[:alpha:]]
    if (c == '[' && inside && i + 1 < pattern.size() && pattern[i + 1] == ':') {
      const std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string::npos) {
        written += pattern.substr(i, end + 2 - i);
        i = end + 1;
        continue;
      }
    }
    if (c == ']') inside = false;
    written += c;
  }
  return written;
}

using Regex = std::shared_ptr<const RE2>;

// The compiled pattern of each row; a constant one is looked up once.
class Patterns {
 public:
  explicit Patterns(const Column& column) : column_(column) {
    if (column.constant) constant_ = CompileRegex(ToText(column, 0));
  }
  [[nodiscard]] Regex At(std::size_t row) const {
    return constant_ ? constant_ : CompileRegex(ToText(column_, row));
  }

 private:
  const Column& column_;
  Regex constant_;
};

std::string TextOf(const re2::StringPiece& piece) {
  return piece.data() == nullptr ? std::string() : std::string(piece.data(), piece.size());
}

ColumnPtr Matches(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Patterns patterns(*a[1]);
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Regex pattern = patterns.At(row);
    std::string buffer;
    out.Bool(pattern->ok() && RE2::PartialMatch(TextView(*a[0], row, buffer), *pattern));
  });
}

ColumnPtr Extract(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Patterns patterns(*a[0]);
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Regex pattern = patterns.At(row);
    const std::int64_t group = ToLong(*a[1], row).value_or(0);
    const std::string text = ToText(*a[2], row);
    std::vector<re2::StringPiece> groups(kMostGroups + 1);
    const bool found = pattern->ok() && group >= 0 && group <= kMostGroups &&
                       group <= pattern->NumberOfCapturingGroups() &&
                       pattern->Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(),
                                      static_cast<int>(group) + 1);
    out.Text(found ? TextOf(groups[static_cast<std::size_t>(group)]) : "");
  });
}

// Calls with the groups of each match, from left to right; false ends it.
template <class F>
void ForEachMatch(const RE2& pattern, std::string_view text, F f) {
  const int count = std::min(pattern.NumberOfCapturingGroups(), kMostGroups) + 1;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(count));
  std::size_t at = 0;
  while (at <= text.size() && pattern.Match(re2::StringPiece(text.data(), text.size()), at,
                                            text.size(), RE2::UNANCHORED, groups.data(), count)) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    if (!f(groups, begin)) return;
    const std::size_t end = begin + groups[0].size();
    // Behind an empty match the next one begins a character later.
    at = !groups[0].empty() ? end : end + (end < text.size() ? PointLength(text[end]) : 1);
  }
}

// The groups that are asked for, by number or by name; all without such a list.
std::vector<std::size_t> GroupsOf(const RE2& pattern, const Column* asked, std::size_t row) {
  std::vector<std::size_t> groups;
  const int count = std::min(pattern.NumberOfCapturingGroups(), kMostGroups);
  if (asked == nullptr) {
    for (int i = 1; i <= count; ++i) groups.push_back(static_cast<std::size_t>(i));
    return groups;
  }
  for (const std::string_view element : ElementsAt(*asked, row)) {
    int group = -1;
    if (KindOf(element) == JsonKind::kString) {
      const auto found = pattern.NamedCapturingGroups().find(UnquoteJson(element));
      if (found != pattern.NamedCapturingGroups().end()) group = found->second;
    } else {
      group = static_cast<int>(std::clamp(ElementNumber(element).value_or(-1), -1.0, 99.0));
    }
    if (group >= 0 && group <= count) groups.push_back(static_cast<std::size_t>(group));
  }
  return groups;
}

// extract_all(regex, groups, text): an array of texts for one group, of arrays for several; null
// without a match.
ColumnPtr ExtractAll(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Patterns patterns(*a[0]);
  const Column* asked = a.size() > 2 ? a[1].get() : nullptr;
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Regex pattern = patterns.At(row);
    if (!pattern->ok()) return out.Null();
    std::vector<std::size_t> wanted = GroupsOf(*pattern, asked, row);
    if (wanted.empty()) wanted.push_back(0);
    JsonArray matches;
    bool any = false;
    ForEachMatch(*pattern, ToText(*a.back(), row), [&](const auto& groups, std::size_t) {
      any = true;
      if (wanted.size() == 1) {
        matches.Add(QuoteJson(TextOf(groups[wanted[0]])));
      } else {
        JsonArray tuple;
        for (const std::size_t group : wanted) tuple.Add(QuoteJson(TextOf(groups[group])));
        matches.Add(tuple.Text());
      }
      return matches.bytes() < kMaxText;
    });
    if (!any) return out.Null();
    out.Text(matches.Text());
  });
}

// As RE2::GlobalReplace, but it ends when the text has become too long.
std::string Replaced(const RE2& pattern, const std::string& text, const std::string& rewrite) {
  const int count = 1 + RE2::MaxSubmatch(rewrite);
  if (count > 1 + std::min(pattern.NumberOfCapturingGroups(), kMostGroups)) return text;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(count));
  std::string out;
  std::size_t at = 0;  // where the next match may begin
  std::optional<std::size_t> last_end;
  while (at <= text.size() && out.size() < kMaxText &&
         pattern.Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), count)) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    out.append(text, at, begin - at);
    if (groups[0].empty() && begin == last_end) {
      // No empty match right behind another match: a character further.
      const std::size_t length = begin < text.size() ? PointLength(text[begin]) : 1;
      out.append(text, begin, std::min(length, text.size() - begin));
      at = begin + length;
      continue;
    }
    pattern.Rewrite(&out, rewrite, groups.data(), count);
    at = begin + groups[0].size();
    last_end = at;
  }
  if (at < text.size()) out.append(text, at, text.size() - at);
  return out;
}

// Where the text, the pattern and the rewriting stand among the arguments.
template <std::size_t kText, std::size_t kPattern, std::size_t kRewrite>
ColumnPtr ReplaceRegex(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Patterns patterns(*a[kPattern]);
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string text = ToText(*a[kText], row);
    const Regex pattern = patterns.At(row);
    if (pattern->ok()) text = Replaced(*pattern, text, ToText(*a[kRewrite], row));
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

enum class Side : std::uint8_t { kBoth, kStart, kEnd };

// trim(regex, text) removes matches of the regex at the ends.
template <Side kSide>
ColumnPtr TrimKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string regex = ToText(*a[0], row);
    std::string text = ToText(*a[1], row);
    if (kSide != Side::kEnd) {
      const Regex pattern = CompileRegex("\\A(?:" + regex + ")");
      if (pattern->ok()) RE2::Replace(&text, *pattern, "");
    }
    if (kSide != Side::kStart) {
      const Regex pattern = CompileRegex("(?:" + regex + ")\\z");
      if (pattern->ok()) RE2::Replace(&text, *pattern, "");
    }
    out.Text(std::move(text));
  });
}

// countof(text, part, "regex"): plain parts may overlap, matches may not.
ColumnPtr CountOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string part = ToText(*a[1], row);
    std::int64_t count = 0;
    if (a.size() > 2 && ToText(*a[2], row) == "regex") {
      const Regex pattern = CompileRegex(part);
      if (pattern->ok()) {
        ForEachMatch(*pattern, text, [&](const auto&, std::size_t) { return ++count > 0; });
      }
      return out.Number(count);
    }
    for (std::size_t at = text.find(part); !part.empty() && at != std::string::npos;
         at = text.find(part, at + 1)) {
      ++count;
    }
    out.Number(count);
  });
}

// indexof_regex(text, regex, start, length, which): -1 when no match begins within the length.
ColumnPtr IndexOfRegex(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Patterns patterns(*a[1]);
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::optional<SearchWindow> window = SearchWindowOf(text, a, row);
    if (!window) return out.Null();
    std::int64_t which = window->which;
    std::int64_t found = -1;
    const Regex pattern = patterns.At(row);
    if (pattern->ok()) {
      ForEachMatch(*pattern, text, [&](const auto&, std::size_t at) {
        if (at < window->begin) return true;
        if (at >= window->end) return false;
        if (--which > 0) return true;
        found = CountPoints(std::string_view(text).substr(0, at));
        return false;
      });
    }
    out.Number(found);
  });
}

ColumnPtr RegexQuote(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string quoted;
    for (const char c : ToText(*a[0], row)) {
      if (std::string_view(R"(\.+*?()|[]{}^$#&-~)").find(c) != std::string_view::npos) {
        quoted += '\\';
      }
      quoted += c;
    }
    out.Text(std::move(quoted));
  });
}

// A constant pattern must be one; kGroups: with a group in it.
template <std::size_t kPattern, bool kGroups = false>
std::optional<std::string> CheckPattern(const std::vector<const Value*>& values) {
  if (values[kPattern] == nullptr) return std::nullopt;
  const Regex pattern = CompileRegex(values[kPattern]->text);
  if (!pattern->ok()) return "the regular expression is not valid: " + pattern->error();
  if (kGroups && pattern->NumberOfCapturingGroups() == 0) {
    return "the regular expression has no group in parentheses";
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const RE2> CompileRegex(const std::string& pattern) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const RE2>> cache;
  const std::lock_guard lock(mutex);
  if (cache.size() > kMostCached) cache.clear();
  std::shared_ptr<const RE2>& entry = cache[pattern];
  if (!entry) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(8 << 20);
    entry = std::make_shared<const RE2>(WithUnicodeClasses(pattern), options);
  }
  return entry;
}

FunctionList RegexFunctions() {
  FunctionList list = Declare({
      {"countof(text: string, search: string, kind: string?): long", &CountOf},
      {"extract(regex: string, group: long, text: string): string", &Extract},
      {"extract_all(regex: string, text_or_groups: string, text: string?): dynamic", &ExtractAll},
      {"indexof_regex(text: scalar, regex: scalar, start: integer?, length: integer?, "
       "occurrence: integer?): long",
       &IndexOfRegex},
      {"regex_quote(text: scalar): string", &RegexQuote},
      {"replace(regex: string, rewrite: string, text: string): string", &ReplaceRegex<2, 0, 1>},
      {"replace_regex(text: string, regex: string, rewrite: string): string",
       &ReplaceRegex<0, 1, 2>},
      {"trim(regex: string, text: string): string", &TrimKernel<Side::kBoth>},
      {"trim_end(regex: string, text: string): string", &TrimKernel<Side::kEnd>},
      {"trim_start(regex: string, text: string): string", &TrimKernel<Side::kStart>},
  });
  list.push_back({"matches regex", 2, 2, &BindBool, &Matches});
  list.back().check = &CheckPattern<1>;
  for (Function& function : list) {
    if (function.name == "extract" || function.name == "replace") function.check = &CheckPattern<0>;
    if (function.name == "extract_all") function.check = &CheckPattern<0, true>;
    if (function.name == "replace_regex" || function.name == "indexof_regex") {
      function.check = &CheckPattern<1>;
    }
    if (function.name.starts_with("trim")) function.check = &CheckPattern<0>;
  }
  return list;
}

}  // namespace picket::kql
