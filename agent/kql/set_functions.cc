// Functions that take dynamic arrays as sets, in order of first appearance.

#include <unordered_set>

#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

using Keys = std::unordered_set<std::string>;

Keys KeysAt(const Column& column, std::size_t row) {
  Keys keys;
  for (const std::string_view element : ElementsAt(column, row)) keys.insert(ElementKey(element));
  return keys;
}

ColumnPtr SetUnion(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    JsonArray json;
    Keys seen;
    bool any = false;
    for (const ColumnPtr& column : a) {
      any = any || IsArrayAt(*column, row);
      for (const std::string_view element : ElementsAt(*column, row)) {
        if (seen.insert(ElementKey(element)).second) json.Add(element);
      }
    }
    if (!any) return out.Null();
    out.Text(json.Text());
  });
}

// The first set's elements that all the others have (kIn), or none of them.
template <bool kIn>
ColumnPtr SetFilter(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    std::vector<Keys> others;
    for (std::size_t i = 1; i < a.size(); ++i) others.push_back(KeysAt(*a[i], row));
    JsonArray json;
    Keys seen;
    for (const std::string_view element : ElementsAt(*a[0], row)) {
      const std::string key = ElementKey(element);
      const auto holds = [&](const Keys& keys) { return keys.contains(key) == kIn; };
      if (std::all_of(others.begin(), others.end(), holds) && seen.insert(key).second) {
        json.Add(element);
      }
    }
    out.Text(json.Text());
  });
}

ColumnPtr SetHasElement(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    out.Bool(KeysAt(*a[0], row).contains(ElementKey(ToJsonText(*a[1], row))));
  });
}

ColumnPtr SetEquals(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row) || !IsArrayAt(*a[1], row)) return out.Null();
    out.Bool(KeysAt(*a[0], row) == KeysAt(*a[1], row));
  });
}

// |common elements| / |all elements|
ColumnPtr JaccardIndex(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row) || !IsArrayAt(*a[1], row)) return out.Null();
    const Keys left = KeysAt(*a[0], row);
    const Keys right = KeysAt(*a[1], row);
    double common = 0;
    for (const std::string& key : left) common += right.contains(key) ? 1 : 0;
    const double all = static_cast<double>(left.size() + right.size()) - common;
    out.Real(common / all);
  });
}

}  // namespace

FunctionList SetFunctions() {
  return Declare({
      {"set_difference(set: array, other: array, ... 64): dynamic", &SetFilter<false>},
      {"set_equals(set: array, other: array): bool", &SetEquals},
      {"set_has_element(set: array, value: scalar): bool", &SetHasElement},
      {"set_intersect(set: array, other: array, ... 64): dynamic", &SetFilter<true>},
      {"set_union(set: array, other: array, ... 64): dynamic", &SetUnion},
      {"jaccard_index(set: array, other: array): real", &JaccardIndex},
  });
}

}  // namespace picket::kql
