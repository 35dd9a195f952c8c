// Functions of strings, without those of regular expressions (regex_functions.cc) and of encodings
// (encoding_functions.cc).

#include <fmt/format.h>

#include <deque>
#include <unordered_map>

#include "agent/kql/code_points.h"
#include "agent/kql/dynamic_kernel.h"
#include "agent/kql/fold.h"
#include "agent/kql/search_window.h"

namespace picket::kql {
namespace {

constexpr std::size_t kMaxText = std::size_t{4} << 20;
constexpr std::int64_t kMostRepeats = 1024;

// f(text) → the text of the row
template <class F>
ColumnPtr MapText(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    out.Text(f(TextView(*a[0], row, buffer)));
  });
}

ColumnPtr Strcat(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string text;
    for (const ColumnPtr& column : a) {
      if (text.size() < kMaxText) text += ToText(*column, row);
    }
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

ColumnPtr StrcatDelim(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string delimiter = ToText(*a[0], row);
    std::string text;
    for (std::size_t i = 1; i < a.size() && text.size() < kMaxText; ++i) {
      text += (i > 1 ? delimiter : "") + ToText(*a[i], row);
    }
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

ColumnPtr Strcmp(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const int order = ToText(*a[0], row).compare(ToText(*a[1], row));
    out.Number(order < 0 ? -1 : order > 0 ? 1 : 0);
  });
}

ColumnPtr Strrep(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string value = ToText(*a[0], row);
    const std::string delimiter = a.size() > 2 ? ToText(*a[2], row) : "";
    const std::int64_t count = std::min(ToLong(*a[1], row).value_or(0), kMostRepeats);
    std::string text;
    for (std::int64_t i = 0; i < count && text.size() < kMaxText; ++i) {
      text += (i > 0 ? delimiter : "") + value;
    }
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

ColumnPtr Strlen(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    out.Number(CountPoints(TextView(*a[0], row, buffer)));
  });
}

ColumnPtr StringSize(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    out.Number(static_cast<std::int64_t>(TextView(*a[0], row, buffer).size()));
  });
}

ColumnPtr Lower(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapText(a, rows, [](std::string_view text) { return Fold(text); });
}

ColumnPtr Upper(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapText(a, rows, [](std::string_view text) { return Unfold(text); });
}

ColumnPtr Substring(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::string_view text = TextView(*a[0], row, buffer);
    const std::int64_t length = CountPoints(text);
    std::int64_t start = ToLong(*a[1], row).value_or(0);
    if (start < 0) start += length;
    std::int64_t count = a.size() > 2 ? ToLong(*a[2], row).value_or(0) : length;
    if (start < 0 || start >= length || count <= 0) return out.Text("");
    count = std::min(count, length - start);
    const std::size_t begin = PointOffset(text, start);
    out.Text(std::string(text.substr(begin, PointOffset(text.substr(begin), count))));
  });
}

// indexof(text, part, start, length, which): -1 when none begins within the length; null for an
// empty part.
ColumnPtr IndexOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string part = ToText(*a[1], row);
    const std::optional<SearchWindow> window = SearchWindowOf(text, a, row);
    if (!window || part.empty()) return out.Null();
    std::int64_t which = window->which;
    for (std::size_t at = text.find(part, window->begin); at < window->end;
         at = text.find(part, at + 1)) {
      if (--which == 0) return out.Number(CountPoints(std::string_view(text).substr(0, at)));
    }
    out.Number(-1);
  });
}

// split(s, d) gives an array; split(s, d, i) the array of that one part, null beyond.
ColumnPtr SplitKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string delimiter = ToText(*a[1], row);
    // Only this one, if it is asked for.
    std::optional<std::int64_t> wanted;
    if (a.size() > 2) wanted = ToLong(*a[2], row).value_or(-1);
    JsonArray json;
    std::int64_t count = 0;
    const auto add = [&](std::size_t begin, std::size_t end) {
      if (!wanted || *wanted == count) json.Add(QuoteJson(text.substr(begin, end - begin)));
      ++count;
    };
    std::size_t at = 0;
    while (!delimiter.empty()) {
      const std::size_t end = text.find(delimiter, at);
      if (end == std::string::npos) break;
      add(at, end);
      at = end + delimiter.size();
    }
    add(at, text.size());
    if (wanted && (*wanted < 0 || *wanted >= count)) return out.Null();
    out.Text(json.Text());
  });
}

std::string Replaced(const std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return text;
  std::string replaced;
  std::size_t at = 0;
  for (std::size_t found = text.find(from);
       found != std::string::npos && replaced.size() < kMaxText; found = text.find(from, at)) {
    replaced += text.substr(at, found - at) + to;
    at = found + from.size();
  }
  return replaced + text.substr(at);
}

ColumnPtr ReplaceString(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Text(Replaced(ToText(*a[0], row), ToText(*a[1], row), ToText(*a[2], row)));
  });
}

// One pair after the other; what one has replaced is not looked at by the next.
ColumnPtr ReplaceStrings(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    // A view: of the text, or of a replacement.
    struct Piece {
      std::string_view text;
      bool replaced = false;
    };
    const std::string source = ToText(*a[0], row);
    std::deque<std::string> replacements;
    std::vector<Piece> pieces = {{source}};
    const std::vector<std::string_view> from = ElementsAt(*a[1], row);
    const std::vector<std::string_view> to = ElementsAt(*a[2], row);
    for (std::size_t i = 0; i < from.size(); ++i) {
      const std::string search = ElementText(from[i]);
      if (search.empty()) continue;
      // What is no text replaces nothing, but keeps the others from it.
      const bool text = i < to.size() && KindOf(to[i]) == JsonKind::kString;
      const std::string& replacement =
          replacements.emplace_back(text ? UnquoteJson(to[i]) : search);
      std::vector<Piece> next;
      for (Piece& piece : pieces) {
        std::size_t at = 0;
        for (std::size_t found = piece.text.find(search);
             !piece.replaced && found != std::string::npos; found = piece.text.find(search, at)) {
          next.push_back({piece.text.substr(at, found - at)});
          next.push_back({replacement, true});
          at = found + search.size();
        }
        piece.text.remove_prefix(at);
        next.push_back(piece);
      }
      pieces = std::move(next);
    }
    std::string text;
    for (const Piece& piece : pieces) {
      if (text.size() < kMaxText) text += piece.text;
    }
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

// Each character of the list becomes the one at its place in the other; where that is shorter, its
// last one, and nothing when it is empty.
ColumnPtr Translate(const EvalContext&, const Arguments& a, std::size_t rows) {
  const auto points = [](std::string_view text) {
    std::vector<std::string_view> list;
    for (std::size_t at = 0; at < text.size(); at += PointLength(text[at])) {
      list.push_back(text.substr(at, PointLength(text[at])));
    }
    return list;
  };
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string search = ToText(*a[0], row);
    const std::string replace = ToText(*a[1], row);
    const std::string source = ToText(*a[2], row);
    const std::vector<std::string_view> from = points(search);
    const std::vector<std::string_view> to = points(replace);
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < from.size(); ++i) places.emplace(from[i], i);
    std::string text;
    for (const std::string_view point : points(source)) {
      const auto found = places.find(point);
      if (found == places.end()) {
        text += point;
      } else if (!to.empty()) {
        text += to[std::min(found->second, to.size() - 1)];
      }
    }
    out.Text(std::move(text));
  });
}

ColumnPtr Reverse(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapText(a, rows, [](std::string_view text) {
    std::string reversed;
    reversed.reserve(text.size());
    for (std::size_t end = text.size(); end > 0;) {
      std::size_t begin = end - 1;
      while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
      reversed += text.substr(begin, end - begin);
      end = begin;
    }
    return reversed;
  });
}

// The place of the first pattern that the text has as a term; -1 for none.
ColumnPtr HasAnyIndex(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = Fold(ToText(*a[0], row));
    const std::vector<std::string_view> patterns = ElementsAt(*a[1], row);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (HasTerm(text, Fold(ElementText(patterns[i])))) {
        return out.Number(static_cast<std::int64_t>(i));
      }
    }
    out.Number(-1);
  });
}

ColumnPtr ToHex(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    const auto width =
        std::clamp<std::int64_t>(a.size() > 1 ? ToLong(*a[1], row).value_or(0) : 0, 0, 64);
    // A negative number is its two's complement, of as many bits as its type has.
    const auto value = static_cast<std::uint64_t>(a[0]->Number(row));
    out.Text(fmt::format("{:0{}x}", a[0]->type == Type::kInt ? value & 0xFFFFFFFFU : value, width));
  });
}

}  // namespace

FunctionList StringFunctions() {
  return Declare({
      {"has_any_index(text: text, patterns: array): long", &HasAnyIndex},
      {"indexof(text: scalar, part: scalar, start: integer?, length: integer?, "
       "occurrence: integer?): long",
       &IndexOf},
      {"replace_string(text: string, from: string, to: string): string", &ReplaceString},
      {"replace_strings(text: string, from: array, to: array): string", &ReplaceStrings},
      {"reverse(text: scalar): string", &Reverse},
      {"split(text: scalar, delimiter: string, index: integer?): dynamic", &SplitKernel, nullptr,
       kNameOfFirst},
      {"strcat(value: scalar, ... 64): string", &Strcat},
      {"strcat_delim(delimiter: scalar, value: scalar, value: scalar, ... 65): string",
       &StrcatDelim},
      {"strcmp(text: scalar, other: scalar): long", &Strcmp},
      {"string_size(text: text): long", &StringSize, nullptr, "string_size_"},
      {"strlen(text: text): long", &Strlen, nullptr, "strlen_"},
      {"strrep(value: scalar, count: long, delimiter: scalar?): string", &Strrep},
      {"substring(text: scalar, start: integer, length: integer?): string", &Substring},
      {"tohex(value: integer, width: integer?): string", &ToHex, nullptr, kNameOfFirst},
      {"tolower(text: scalar): string", &Lower},
      {"toupper(text: scalar): string", &Upper},
      {"translate(from: string, to: string, text: string): string", &Translate},
  });
}

}  // namespace picket::kql
