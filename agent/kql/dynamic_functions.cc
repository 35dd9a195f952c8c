// Members, elements, and functions that make or measure dynamic values.

#include <fmt/format.h>

#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"

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

ColumnPtr ArrayLength(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || KindOf(a[0]->Text(row)) != JsonKind::kArray) return out.Null();
    out.Number(JsonLength(a[0]->Text(row)));
  });
}

ColumnPtr PackArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string json = "[";
    for (const ColumnPtr& column : a)
      json += (json.size() > 1 ? "," : "") + ToJsonText(*column, row);
    out.Text(json + "]");
  });
}

std::optional<Type> BindPack(const std::vector<Type>& types, std::string& why) {
  if (types.size() % 2 == 0) return Type::kDynamic;
  why = "names and values must come in pairs";
  return std::nullopt;
}

ColumnPtr Pack(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string json = "{";
    for (std::size_t i = 0; i + 1 < a.size(); i += 2) {
      json += (i > 0 ? "," : "") + QuoteJson(ToText(*a[i], row)) + ":" + ToJsonText(*a[i + 1], row);
    }
    out.Text(json + "}");
  });
}

ColumnPtr BagKeys(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || KindOf(a[0]->Text(row)) != JsonKind::kObject) return out.Null();
    std::string json = "[";
    ForEachMember(a[0]->Text(row), [&](std::string_view name, std::string_view) {
      json += (json.size() > 1 ? "," : "") + QuoteJson(name);
      return true;
    });
    out.Text(json + "]");
  });
}

ColumnPtr StrcatArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string text;
    bool first = true;
    if (!a[0]->IsNull(row)) {
      ForEachElement(a[0]->Text(row), [&](std::string_view element) {
        if (!first) text += ToText(*a[1], row);
        first = false;
        text += KindOf(element) == JsonKind::kString ? UnquoteJson(element) : std::string(element);
        return true;
      });
    }
    out.Text(std::move(text));
  });
}

}  // namespace

FunctionList DynamicFunctions() {
  return {
      {"member", 2, 2, &BindOfDynamic, &Member},
      {"index", 2, 2, &BindOfDynamic, &Index},
      {"array_length", 1, 1, &BindLong, &ArrayLength},
      {"pack_array", 1, 1000, &BindDynamic, &PackArray},
      {"pack", 2, 1000, &BindPack, &Pack},
      {"bag_pack", 2, 1000, &BindPack, &Pack},
      {"bag_keys", 1, 1, &BindDynamic, &BagKeys},
      {"strcat_array", 2, 2, &BindString, &StrcatArray},
  };
}

}  // namespace picket::kql
