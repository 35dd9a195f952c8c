// Functions of texts. They count in characters.

#include <algorithm>

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

std::int64_t Size(const std::u32string& text) { return static_cast<std::int64_t>(text.size()); }

// A start below zero counts from the end.
Datum Substring(const Values& args) {
  if (args[1].null || (args.size() > 2 && args[2].null)) throw Unspecified{"substring at null"};
  const std::u32string text = Characters(args[0].text);
  std::int64_t from = args[1].number;
  std::int64_t length = args.size() > 2 ? args[2].number : Size(text);
  if (from < 0 && from + Size(text) < 0) throw Unspecified{"substring from before the start"};
  if (from < 0) from += Size(text);
  if (length <= 0 || from >= Size(text)) return Text("");
  length = std::min(length, Size(text) - from);
  return Text(FromCharacters(
      text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(length))));
}

Datum IndexOf(const Values& args) {
  const std::u32string text = Characters(args[0].text);
  const std::u32string part = Characters(args[1].text);
  if (part.empty()) throw Unspecified{"the place of nothing"};
  const std::size_t at = text.find(part);
  return Long(at == std::u32string::npos ? -1 : static_cast<std::int64_t>(at));
}

Datum ReplaceString(const Values& args) {
  const std::string& part = args[1].text;
  if (part.empty()) return args[0];
  std::string out;
  std::size_t from = 0;
  while (true) {
    const std::size_t at = args[0].text.find(part, from);
    out += args[0].text.substr(from, at - from);
    if (at == std::string::npos) return Text(out);
    out += args[2].text;
    from = at + part.size();
  }
}

Datum Split(const Values& args) {
  const std::string& delimiter = args[1].text;
  if (delimiter.empty()) throw Unspecified{"split by nothing"};
  Json parts = Json::array();
  std::size_t from = 0;
  while (true) {
    const std::size_t at = args[0].text.find(delimiter, from);
    parts.push_back(args[0].text.substr(from, at - from));
    if (at == std::string::npos) break;
    from = at + delimiter.size();
  }
  if (args.size() == 2) return Dynamic(parts);
  const std::int64_t index = args[2].number;
  if (args[2].null || index < 0) throw Unspecified{"split at null or below zero"};
  if (index >= static_cast<std::int64_t>(parts.size())) return Null(Type::kDynamic);
  return Dynamic(Json::array({parts[static_cast<std::size_t>(index)]}));
}

// Occurrences may overlap.
Datum CountOf(const Values& args) {
  if (args[1].text.empty()) throw Unspecified{"how often nothing stands"};
  std::int64_t count = 0;
  for (std::size_t at = args[0].text.find(args[1].text); at != std::string::npos;
       at = args[0].text.find(args[1].text, at + 1)) {
    ++count;
  }
  return Long(count);
}

template <class F>
Datum Mapped(const Datum& text, F map) {
  std::u32string characters = Characters(text.text);
  std::transform(characters.begin(), characters.end(), characters.begin(), map);
  return Text(FromCharacters(characters));
}

Datum Strcat(const Values& args, const std::string& delimiter, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < args.size(); ++i) {
    text += (i > first ? delimiter : "") + TextOf(args[i]);
  }
  return Text(text);
}

}  // namespace

std::optional<Datum> TextFunctionOf(const std::string& op, const Values& args) {
  if (op == "strcat") return Strcat(args, "", 0);
  if (op == "strcat_delim") return Strcat(args, args[0].text, 1);
  if (op == "strlen") return Long(Size(Characters(args[0].text)));
  if (op == "substring") return Substring(args);
  if (op == "tolower") return Mapped(args[0], &Lower);
  if (op == "toupper") return Mapped(args[0], &Upper);
  if (op == "indexof") return IndexOf(args);
  if (op == "replace_string") return ReplaceString(args);
  if (op == "split") return Split(args);
  if (op == "countof") return CountOf(args);
  if (op == "reverse") {
    std::u32string characters = Characters(TextOf(args[0]));
    std::reverse(characters.begin(), characters.end());
    return Text(FromCharacters(characters));
  }
  if (op == "strrep") {
    if (args[1].null || args[1].number < 0) throw Unspecified{"strrep of null times"};
    std::string text;
    for (std::int64_t i = 0; i < args[1].number; ++i) {
      text += (i > 0 && args.size() > 2 ? args[2].text : "") + TextOf(args[0]);
    }
    return Text(text);
  }
  return std::nullopt;
}

}  // namespace picket::kql::oracle
