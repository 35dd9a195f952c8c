// Functions of strings.

#include <fmt/format.h>
#include <re2/re2.h>

#include <map>
#include <mutex>

#include "agent/kql/fold.h"
#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr std::size_t kMaxText = std::size_t{4} << 20;

std::size_t PointLength(char c) {
  const auto b = static_cast<unsigned char>(c);
  return b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : b >= 0xC0 ? 2 : 1;
}

// Byte offset of the n-th code point.
std::size_t Offset(std::string_view text, std::int64_t points) {
  std::size_t at = 0;
  while (points-- > 0 && at < text.size()) at += PointLength(text[at]);
  return std::min(at, text.size());
}

std::int64_t Points(std::string_view text) {
  std::int64_t points = 0;
  for (std::size_t at = 0; at < text.size(); at += PointLength(text[at])) ++points;
  return points;
}

ColumnPtr Strcat(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string text;
    for (const ColumnPtr& column : a) text += ToText(*column, row);
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

ColumnPtr StrcatDelim(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string delimiter = ToText(*a[0], row);
    std::string text;
    for (std::size_t i = 1; i < a.size(); ++i) {
      text += (i > 1 ? delimiter : "") + ToText(*a[i], row);
    }
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

ColumnPtr Strlen(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    out.Number(Points(TextView(*a[0], row, buffer)));
  });
}

ColumnPtr Lower(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows,
                 [&](ColumnBuilder& out, std::size_t row) { out.Text(Fold(ToText(*a[0], row))); });
}

ColumnPtr Upper(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Text(Unfold(ToText(*a[0], row)));
  });
}

ColumnPtr Substring(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::string_view text = TextView(*a[0], row, buffer);
    const std::int64_t length = Points(text);
    std::int64_t start = ToLong(*a[1], row).value_or(0);
    if (start < 0) start = std::max<std::int64_t>(0, length + start);
    std::int64_t count = a.size() > 2 ? ToLong(*a[2], row).value_or(0) : length;
    if (start >= length || count <= 0) return out.Text("");
    count = std::min(count, length - start);
    const std::size_t begin = Offset(text, start);
    out.Text(std::string(text.substr(begin, Offset(text.substr(begin), count))));
  });
}

ColumnPtr IndexOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string part = ToText(*a[1], row);
    const std::int64_t start = a.size() > 2 ? ToLong(*a[2], row).value_or(0) : 0;
    const std::size_t at = text.find(part, Offset(text, std::max<std::int64_t>(0, start)));
    out.Number(at == std::string::npos ? -1 : Points(std::string_view(text).substr(0, at)));
  });
}

// split(s, d) gives an array; split(s, d, i) the array of that one part, null beyond.
ColumnPtr SplitKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string delimiter = ToText(*a[1], row);
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (!delimiter.empty()) {
      const std::size_t end = text.find(delimiter, at);
      if (end == std::string::npos) break;
      parts.push_back(text.substr(at, end - at));
      at = end + delimiter.size();
    }
    parts.push_back(text.substr(at));
    if (a.size() > 2) {
      const std::int64_t index = ToLong(*a[2], row).value_or(-1);
      if (index < 0 || static_cast<std::size_t>(index) >= parts.size()) return out.Null();
      return out.Text("[" + QuoteJson(parts[static_cast<std::size_t>(index)]) + "]");
    }
    std::string json = "[";
    for (const std::string& part : parts) json += (json.size() > 1 ? "," : "") + QuoteJson(part);
    out.Text(json + "]");
  });
}

// Compiled once a pattern; null for one that RE2 refuses.
std::shared_ptr<const RE2> Pattern(const std::string& pattern) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const RE2>> cache;
  const std::lock_guard lock(mutex);
  if (cache.size() > 512) cache.clear();
  std::shared_ptr<const RE2>& entry = cache[pattern];
  if (!entry) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(8 << 20);
    entry = std::make_shared<const RE2>(pattern, options);
  }
  return entry;
}

ColumnPtr Matches(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const auto pattern = Pattern(ToText(*a[1], row));
    std::string buffer;
    out.Number(pattern->ok() && RE2::PartialMatch(TextView(*a[0], row, buffer), *pattern) ? 1 : 0);
  });
}

ColumnPtr Extract(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const auto pattern = Pattern(ToText(*a[0], row));
    const std::int64_t group = ToLong(*a[1], row).value_or(0);
    const std::string text = ToText(*a[2], row);
    std::vector<re2::StringPiece> groups(17);
    const bool found = pattern->ok() && group >= 0 && group <= 16 &&
                       group <= pattern->NumberOfCapturingGroups() &&
                       pattern->Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(),
                                      static_cast<int>(group) + 1);
    if (!found) return out.Text("");
    const re2::StringPiece& piece = groups[static_cast<std::size_t>(group)];
    out.Text(std::string(piece.data() == nullptr ? "" : piece.data(), piece.size()));
  });
}

ColumnPtr ReplaceRegex(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string text = ToText(*a[0], row);
    const auto pattern = Pattern(ToText(*a[1], row));
    if (pattern->ok()) RE2::GlobalReplace(&text, *pattern, ToText(*a[2], row));
    text.resize(std::min(text.size(), kMaxText));
    out.Text(std::move(text));
  });
}

ColumnPtr ReplaceString(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string from = ToText(*a[1], row);
    const std::string to = ToText(*a[2], row);
    if (from.empty()) return out.Text(text);
    std::string replaced;
    std::size_t at = 0;
    for (std::size_t found = text.find(from);
         found != std::string::npos && replaced.size() < kMaxText; found = text.find(from, at)) {
      replaced += text.substr(at, found - at) + to;
      at = found + from.size();
    }
    out.Text(replaced + text.substr(at));
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
      const auto pattern = Pattern("\\A(?:" + regex + ")");
      if (pattern->ok()) RE2::Replace(&text, *pattern, "");
    }
    if (kSide != Side::kStart) {
      const auto pattern = Pattern("(?:" + regex + ")\\z");
      if (pattern->ok()) RE2::Replace(&text, *pattern, "");
    }
    out.Text(std::move(text));
  });
}

ColumnPtr Reverse(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    std::string reversed;
    for (std::size_t at = 0; at < text.size(); at += PointLength(text[at])) {
      reversed.insert(0, text.substr(at, PointLength(text[at])));
    }
    out.Text(std::move(reversed));
  });
}

ColumnPtr CountOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    const std::string part = ToText(*a[1], row);
    std::int64_t count = 0;
    for (std::size_t at = text.find(part); !part.empty() && at != std::string::npos;
         at = text.find(part, at + 1)) {
      ++count;
    }
    out.Number(count);
  });
}

ColumnPtr HashSha256(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Text(Sha256Hex(ToText(*a[0], row)));
  });
}

}  // namespace

FunctionList TextFunctions() {
  return {
      {"strcat", 1, 64, &BindString, &Strcat},
      {"strcat_delim", 2, 64, &BindString, &StrcatDelim},
      {"strlen", 1, 1, &BindLong, &Strlen},
      {"tolower", 1, 1, &BindString, &Lower},
      {"toupper", 1, 1, &BindString, &Upper},
      {"substring", 2, 3, &BindString, &Substring},
      {"indexof", 2, 3, &BindLong, &IndexOf},
      {"split", 2, 3, &BindDynamic, &SplitKernel},
      {"matches regex", 2, 2, &BindBool, &Matches},
      {"extract", 3, 3, &BindString, &Extract},
      {"replace_regex", 3, 3, &BindString, &ReplaceRegex},
      {"replace_string", 3, 3, &BindString, &ReplaceString},
      {"trim", 2, 2, &BindString, &TrimKernel<Side::kBoth>},
      {"trim_start", 2, 2, &BindString, &TrimKernel<Side::kStart>},
      {"trim_end", 2, 2, &BindString, &TrimKernel<Side::kEnd>},
      {"reverse", 1, 1, &BindString, &Reverse},
      {"countof", 2, 2, &BindLong, &CountOf},
      {"hash_sha256", 1, 1, &BindString, &HashSha256},
  };
}

}  // namespace picket::kql
