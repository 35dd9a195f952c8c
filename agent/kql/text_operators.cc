// has, contains, startswith … and their relatives.

#include <array>

#include "agent/kql/fold.h"
#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

using Test = bool (*)(std::string_view text, std::string_view pattern);

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}
bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// The dynamic's own JSON is searched, as the real engine does.
std::string_view Searched(const Column& column, std::size_t row, std::string& buffer) {
  if (column.IsNull(row)) return {};
  if (column.type == Type::kDynamic && KindOf(column.Text(row)) != JsonKind::kString) {
    return column.Text(row);
  }
  return TextView(column, row, buffer);
}

template <Test kTest, bool kFold, bool kWanted>
ColumnPtr TextTest(const EvalContext&, const Arguments& a, std::size_t rows) {
  std::string constant_pattern;
  if (a[1]->constant) {
    constant_pattern = ToText(*a[1], 0);
    if (kFold) constant_pattern = Fold(constant_pattern);
  }
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    std::string folded;
    std::string_view text = Searched(*a[0], row, buffer);
    if (kFold) text = FoldInto(text, folded);
    bool holds = false;
    if (a[1]->constant) {
      holds = kTest(text, constant_pattern);
    } else {
      const std::string pattern = ToText(*a[1], row);
      holds = kTest(text, kFold ? Fold(pattern) : pattern);
    }
    out.Number(holds == kWanted ? 1 : 0);
  });
}

// The patterns of has_any and has_all: texts, or dynamic arrays of them.
std::vector<std::string> Patterns(const Arguments& a, std::size_t row) {
  std::vector<std::string> patterns;
  for (std::size_t i = 1; i < a.size(); ++i) {
    const Column& column = *a[i];
    if (column.IsNull(row)) continue;
    if (column.type == Type::kDynamic && KindOf(column.Text(row)) == JsonKind::kArray) {
      ForEachElement(column.Text(row), [&](std::string_view element) {
        patterns.push_back(Fold(KindOf(element) == JsonKind::kString ? UnquoteJson(element)
                                                                     : std::string(element)));
        return true;
      });
    } else {
      patterns.push_back(Fold(ToText(column, row)));
    }
  }
  return patterns;
}

template <bool kAll>
ColumnPtr HasSeveral(const EvalContext&, const Arguments& a, std::size_t rows) {
  bool constant = true;
  for (std::size_t i = 1; i < a.size(); ++i) constant = constant && a[i]->constant;
  const std::vector<std::string> fixed = constant ? Patterns(a, 0) : std::vector<std::string>();
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    std::string folded;
    const std::string_view text = FoldInto(Searched(*a[0], row, buffer), folded);
    const std::vector<std::string> varying =
        constant ? std::vector<std::string>() : Patterns(a, row);
    const std::vector<std::string>& patterns = constant ? fixed : varying;
    const auto holds = [&](const std::string& pattern) { return HasTerm(text, pattern); };
    out.Number((kAll ? std::all_of(patterns.begin(), patterns.end(), holds)
                     : std::any_of(patterns.begin(), patterns.end(), holds))
                   ? 1
                   : 0);
  });
}

template <Test kTest>
void AddFamily(FunctionList& list, const std::array<std::string_view, 4>& names) {
  list.push_back({names[0], 2, 2, &BindBool, &TextTest<kTest, true, true>});
  list.push_back({names[1], 2, 2, &BindBool, &TextTest<kTest, true, false>});
  list.push_back({names[2], 2, 2, &BindBool, &TextTest<kTest, false, true>});
  list.push_back({names[3], 2, 2, &BindBool, &TextTest<kTest, false, false>});
}

}  // namespace

FunctionList TextOperators() {
  FunctionList list;
  AddFamily<&HasTerm>(list, {"has", "!has", "has_cs", "!has_cs"});
  AddFamily<&Contains>(list, {"contains", "!contains", "contains_cs", "!contains_cs"});
  AddFamily<&StartsWith>(list, {"startswith", "!startswith", "startswith_cs", "!startswith_cs"});
  AddFamily<&EndsWith>(list, {"endswith", "!endswith", "endswith_cs", "!endswith_cs"});
  AddFamily<&HasTermPrefix>(list, {"hasprefix", "!hasprefix", "hasprefix_cs", "!hasprefix_cs"});
  AddFamily<&HasTermSuffix>(list, {"hassuffix", "!hassuffix", "hassuffix_cs", "!hassuffix_cs"});
  list.push_back({"has_any", 1, 10'000, &BindBool, &HasSeveral<false>});
  list.push_back({"has_all", 1, 10'000, &BindBool, &HasSeveral<true>});
  return list;
}

}  // namespace picket::kql
