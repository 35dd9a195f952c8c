// Arrays, bags and paths into them. What is missing or of another kind is null.

#include <algorithm>

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

bool Is(const Datum& value, Json::value_t kind) {
  return !value.null && value.type == Type::kDynamic && value.json->type() == kind;
}
bool IsArray(const Datum& value) { return Is(value, Json::value_t::array); }

Datum Element(const Datum& of, const Datum& at) {
  if (at.type == Type::kString) {
    if (!Is(of, Json::value_t::object)) return Null(Type::kDynamic);
    const auto found = of.json->find(at.text);
    return found == of.json->end() ? Null(Type::kDynamic) : Dynamic(*found);
  }
  if (at.null || !IsArray(of)) return Null(Type::kDynamic);
  const auto size = static_cast<std::int64_t>(of.json->size());
  const std::int64_t index = at.number < 0 ? at.number + size : at.number;
  if (index < 0 || index >= size) return Null(Type::kDynamic);
  return Dynamic((*of.json)[static_cast<std::size_t>(index)]);
}

Datum ArraySlice(const Values& args) {
  if (args[1].null || args[2].null) throw Unspecified{"array_slice from null"};
  if (!IsArray(args[0])) return Null(Type::kDynamic);
  const auto size = static_cast<std::int64_t>(args[0].json->size());
  const auto place = [&](std::int64_t index) { return index < 0 ? index + size : index; };
  const std::int64_t from = place(args[1].number);
  const std::int64_t to = place(args[2].number);
  if (from < 0 || to < 0 || from >= size || from > to) {
    throw Unspecified{"array_slice beyond the array"};
  }
  Json part = Json::array();
  for (std::int64_t i = from; i <= std::min(to, size - 1); ++i) {
    part.push_back((*args[0].json)[static_cast<std::size_t>(i)]);
  }
  return Dynamic(part);
}

Datum ArrayConcat(const Values& args) {
  Json all = Json::array();
  for (const Datum& each : args) {
    if (!IsArray(each)) throw Unspecified{"array_concat of no arrays"};
    all.insert(all.end(), each.json->begin(), each.json->end());
  }
  return Dynamic(all);
}

Datum IndexInArray(const Values& args) {
  if (!IsArray(args[0]) || args[1].null) throw Unspecified{"array_index_of no array"};
  const auto found = std::find(args[0].json->begin(), args[0].json->end(), ToJson(args[1]));
  return Long(found == args[0].json->end() ? -1 : found - args[0].json->begin());
}

Datum PackArray(const Values& args) {
  Json all = Json::array();
  for (const Datum& each : args) all.push_back(ToJson(each));
  return Dynamic(all);
}

Datum PackBag(const Values& args) {
  Json bag = Json::object();
  for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
    if (bag.contains(args[i].text)) throw Unspecified{"a name twice in a bag"};
    bag[args[i].text] = ToJson(args[i + 1]);
  }
  return Dynamic(bag);
}

Datum ParseJson(const Datum& text) {
  if (text.type == Type::kDynamic) return text;
  if (text.text.empty()) return Null(Type::kDynamic);
  Json parsed = Json::parse(text.text, nullptr, false);
  return parsed.is_discarded() ? Dynamic(text.text) : Dynamic(std::move(parsed));
}

}  // namespace

std::optional<Datum> DynamicFunctionOf(const std::string& op, const Values& args) {
  if (op == "element" || op == "member") return Element(args[0], args[1]);
  if (op == "array_length") {
    if (!IsArray(args[0])) return Null(Type::kLong);
    return Long(static_cast<std::int64_t>(args[0].json->size()));
  }
  if (op == "array_slice") return ArraySlice(args);
  if (op == "array_concat") return ArrayConcat(args);
  if (op == "array_index_of") return IndexInArray(args);
  if (op == "array_reverse") {
    if (!IsArray(args[0])) throw Unspecified{"array_reverse of no array"};
    Json all = *args[0].json;
    std::reverse(all.begin(), all.end());
    return Dynamic(all);
  }
  if (op == "set_has_element") {
    if (!IsArray(args[0]) || args[1].null) throw Unspecified{"set_has_element of no array"};
    return Bool(IndexInArray(args).number >= 0);
  }
  if (op == "bag_has_key") {
    if (!Is(args[0], Json::value_t::object)) throw Unspecified{"bag_has_key of no bag"};
    return Bool(args[0].json->contains(args[1].text));
  }
  if (op == "pack_array") return PackArray(args);
  if (op == "bag_pack") return PackBag(args);
  if (op == "parse_json" || op == "todynamic") return ParseJson(args[0]);
  return std::nullopt;
}

}  // namespace picket::kql::oracle
