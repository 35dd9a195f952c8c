// Members and elements, and functions of property bags.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

std::optional<Type> BindOfDynamic(const std::vector<Type>& types, std::string& why) {
  if (types[0] == Type::kDynamic) return Type::kDynamic;
  why = fmt::format("a {} has no members; parse_json() makes a dynamic of a text",
                    TypeName(types[0]));
  return std::nullopt;
}

void Put(ColumnBuilder& out, std::optional<std::string_view> json) {
  if (!json || KindOf(*json) == JsonKind::kNull) return out.Null();
  out.View(*json);  // within the argument's own bytes, whose arenas MapRows keeps
}

ColumnPtr Member(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    std::string buffer;
    Put(out, JsonMember(a[0]->Text(row), TextView(*a[1], row, buffer)));
  });
}

ColumnPtr Index(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || a[1]->IsNull(row)) return out.Null();
    if (IsText(a[1]->type) &&
        !(a[1]->type == Type::kDynamic && KindOf(a[1]->Text(row)) == JsonKind::kNumber)) {
      return Put(out, JsonMember(a[0]->Text(row), ToText(*a[1], row)));
    }
    const std::optional<std::int64_t> index = ToLong(*a[1], row);
    if (!index) return out.Null();
    Put(out, JsonElement(a[0]->Text(row), *index));
  });
}

std::optional<Type> BindPack(const std::vector<Type>& types, std::string& why) {
  if (types.size() % 2 == 0) return Type::kDynamic;
  why = "names and values must come in pairs";
  return std::nullopt;
}

bool IsEmptyValue(const Column& column, std::size_t row) {
  return column.IsNull(row) || (column.type == Type::kString && column.Text(row).empty());
}

template <bool kSkipEmpty>
ColumnPtr Pack(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    JsonBag bag;
    for (std::size_t i = 0; i + 1 < a.size(); i += 2) {
      if (kSkipEmpty && IsEmptyValue(*a[i + 1], row)) continue;
      bag.Add(ToText(*a[i], row), ToJsonText(*a[i + 1], row));
    }
    out.Text(bag.Text());
  });
}

ColumnPtr BagKeys(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsBagAt(*a[0], row)) return out.Null();
    JsonArray json;
    ForEachMember(a[0]->Text(row), [&](std::string_view name, std::string_view) {
      json.Add(QuoteJson(name));
      return true;
    });
    out.Text(json.Text());
  });
}

// Of equal names the leftmost counts; what is no bag is left out.
ColumnPtr BagMerge(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    JsonBag bag;
    std::unordered_set<std::string> seen;
    bool any = false;
    for (const ColumnPtr& column : a) {
      if (!IsBagAt(*column, row)) continue;
      any = true;
      ForEachMember(column->Text(row), [&](std::string_view name, std::string_view value) {
        if (seen.emplace(name).second) bag.Add(name, value);
        return true;
      });
    }
    if (!any) return out.Null();
    out.Text(bag.Text());
  });
}

// A key is a member's name, or a path that begins with "$".
std::vector<JsonStep> PathOfKey(const std::string& key) {
  if (std::optional<std::vector<JsonStep>> path = ParseJsonPath(key); path && !path->empty()) {
    return *std::move(path);
  }
  return {{key, std::nullopt}};
}

ColumnPtr BagHasKey(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsBagAt(*a[0], row)) return out.Null();
    out.Bool(JsonAt(a[0]->Text(row), PathOfKey(ToText(*a[1], row))).has_value());
  });
}

// The bag without what is at the paths; each is looked at from its step `depth` on.
std::string Without(std::string_view bag, const std::vector<std::vector<JsonStep>>& paths,
                    std::size_t depth) {
  JsonBag kept;
  ForEachMember(bag, [&](std::string_view name, std::string_view value) {
    std::vector<std::vector<JsonStep>> deeper;
    for (const std::vector<JsonStep>& path : paths) {
      if (path[depth].index || path[depth].name != name) continue;
      if (path.size() == depth + 1) return true;  // dropped
      deeper.push_back(path);
    }
    const bool inside = !deeper.empty() && KindOf(value) == JsonKind::kObject;
    kept.Add(name, inside ? Without(value, deeper, depth + 1) : std::string(value));
    return true;
  });
  return kept.Text();
}

ColumnPtr BagRemoveKeys(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsBagAt(*a[0], row)) return out.Null();
    std::vector<std::vector<JsonStep>> paths;
    for (const std::string_view key : ElementsAt(*a[1], row)) {
      if (KindOf(key) == JsonKind::kString) paths.push_back(PathOfKey(UnquoteJson(key)));
    }
    out.Text(Without(a[0]->Text(row), paths, 0));
  });
}

// The bag with the value at the path; members on the way that are missing are made.
std::string WithMember(std::string_view bag, const std::vector<JsonStep>& path, std::size_t depth,
                       const std::string& value) {
  JsonBag made;
  bool found = false;
  const bool last = path.size() == depth + 1;
  ForEachMember(bag, [&](std::string_view name, std::string_view old) {
    if (name != path[depth].name) {
      made.Add(name, old);
      return true;
    }
    found = true;
    made.Add(name, last ? value : WithMember(old, path, depth + 1, value));
    return true;
  });
  if (!found) made.Add(path[depth].name, last ? value : WithMember("{}", path, depth + 1, value));
  return made.Text();
}

ColumnPtr BagSetKey(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsBagAt(*a[0], row)) return out.Null();
    out.Text(WithMember(a[0]->Text(row), PathOfKey(ToText(*a[1], row)), 0, ToJsonText(*a[2], row)));
  });
}

// Keys that are no texts go without a member, with their value.
ColumnPtr BagZip(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    const std::vector<std::string_view> keys = ElementsAt(*a[0], row);
    const std::vector<std::string_view> values = ElementsAt(*a[1], row);
    JsonBag bag;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (KindOf(keys[i]) != JsonKind::kString) continue;
      bag.Add(UnquoteJson(keys[i]), i < values.size() ? values[i] : "null");
    }
    out.Text(bag.Text());
  });
}

void AddPaths(std::string_view json, const std::string& path, JsonArray& paths) {
  if (KindOf(json) == JsonKind::kObject) {
    ForEachMember(json, [&](std::string_view name, std::string_view value) {
      const std::string inner = fmt::format("{}['{}']", path, name);
      paths.Add(QuoteJson(inner));
      AddPaths(value, inner, paths);
      return true;
    });
  } else if (KindOf(json) == JsonKind::kArray) {
    // All elements of an array are one path: "[0]".
    std::vector<std::string> bags;
    const std::string inner = path + "[0]";
    paths.Add(QuoteJson(inner));
    if (const auto first = JsonElement(json, 0)) AddPaths(*first, inner, paths);
  }
}

ColumnPtr Treepath(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    JsonArray paths;
    AddPaths(a[0]->Text(row), "", paths);
    out.Text(paths.Text());
  });
}

// Members in order of their names, at every depth.
std::string Canonical(std::string_view json) {
  if (KindOf(json) == JsonKind::kObject) {
    std::map<std::string, std::string> members;
    ForEachMember(json, [&](std::string_view name, std::string_view value) {
      members.emplace(name, Canonical(value));
      return true;
    });
    JsonBag bag;
    for (const auto& [name, value] : members) bag.Add(name, value);
    return bag.Text();
  }
  if (KindOf(json) != JsonKind::kArray) return std::string(json);
  JsonArray array;
  ForEachElement(json, [&](std::string_view element) {
    array.Add(Canonical(element));
    return true;
  });
  return array.Text();
}

ColumnPtr DynamicToJson(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const bool nested = IsBagAt(*a[0], row) || IsArrayAt(*a[0], row);
    out.Text(nested ? Canonical(a[0]->Text(row)) : ToText(*a[0], row));
  });
}

}  // namespace

FunctionList BagFunctions() {
  FunctionList list = Declare({
      {"bag_has_key(bag: bag, key: string): bool", &BagHasKey},
      {"bag_keys(bag: bag): dynamic", &BagKeys},
      {"bag_merge(bag: bag, bag: bag, ... 64): dynamic", &BagMerge},
      {"bag_pack(key: string, value: scalar, ... in pairs): dynamic", &Pack<false>, &BindPack},
      {"bag_remove_keys(bag: bag, keys: array): dynamic", &BagRemoveKeys},
      {"bag_set_key(bag: bag, key: string, value: scalar): dynamic", &BagSetKey},
      {"bag_zip(keys: array, values: array): dynamic", &BagZip},
      {"dynamic_to_json(value: scalar): string", &DynamicToJson},
      {"treepath(bag: bag): dynamic", &Treepath, nullptr, "tree_"},
  });
  list.push_back({"member", 2, 2, &BindOfDynamic, &Member});
  list.push_back({"index", 2, 2, &BindOfDynamic, &Index});
  // What the binder makes of pack_all(true): names and values in pairs.
  list.push_back({"pack_all(true)", 0, 32'767, &BindPack, &Pack<true>});
  return list;
}

}  // namespace picket::kql
