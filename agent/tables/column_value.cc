#include "agent/tables/column_value.h"

#include <algorithm>
#include <charconv>

#include "agent/kql/json_view.h"
#include "agent/kql/lexer.h"
#include "base/text.h"
#include "base/time.h"

namespace picket::tables {
namespace {

using kql::JsonKind;
using kql::Type;
using kql::Value;

constexpr int kMaxPruneDepth = 64;

std::string_view FirstMember(std::string_view path) { return path.substr(0, path.find('/')); }

// The JSON at a path below a value.
std::optional<std::string_view> Below(std::string_view json, std::string_view path) {
  while (true) {
    const std::string_view name = FirstMember(path);
    const auto member = kql::JsonMember(json, name);
    if (!member || name.size() == path.size()) return member;
    json = *member;
    path.remove_prefix(name.size() + 1);
  }
}

bool HasPath(Conversion conversion) {
  switch (conversion) {
    case Conversion::kZero:
    case Conversion::kConstant:
    case Conversion::kTenant:
    case Conversion::kTenantResource:
    case Conversion::kNone:
      return false;
    default:
      return true;
  }
}

std::string ScalarText(std::string_view json) {
  switch (kql::KindOf(json)) {
    case JsonKind::kNull:
      return {};
    case JsonKind::kString:
      return kql::UnquoteJson(json);
    default:
      return std::string(json);
  }
}

std::string Pruned(std::string_view json, int depth = 0) {
  if (kql::KindOf(json) != JsonKind::kObject || depth > kMaxPruneDepth) {
    return kql::CompactJson(json).value_or("null");
  }
  std::string out = "{";
  kql::ForEachMember(json, [&](std::string_view name, std::string_view value) {
    if (kql::KindOf(value) != JsonKind::kNull) {
      out += (out.size() > 1 ? "," : "") + kql::QuoteJson(name) + ":" + Pruned(value, depth + 1);
    }
    return true;
  });
  return out + "}";
}

// As tostring() of a dynamic has it.
std::string TextOfMember(std::string_view json) {
  switch (kql::KindOf(json)) {
    case JsonKind::kObject:
    case JsonKind::kArray:
      return Pruned(json);
    default:
      return ScalarText(json);
  }
}

Value DynamicOf(std::string json) {
  if (json.empty() || json == "null") return Value::Null(Type::kDynamic);
  return Value::Dynamic(std::move(json));
}

// JSON within a text; a text that is none is itself the value.
Value DynamicOfText(const std::string& text) {
  if (Trim(text).empty()) return Value::Null(Type::kDynamic);
  auto json = kql::CompactJson(text);
  return DynamicOf(json ? *std::move(json) : kql::QuoteJson(text));
}

Value TimeOf(std::string_view json) {
  const auto ticks = kql::ParseDateTimeText(ScalarText(json));
  return ticks ? Value::DateTime(Instant{*ticks}) : Value::Null(Type::kDateTime);
}

Value BoolOf(std::string_view json) {
  const std::string text = AsciiLower(ScalarText(json));
  if (text == "true" || text == "1") return Value::Bool(true);
  if (text == "false" || text == "0") return Value::Bool(false);
  return Value::Null(Type::kBool);
}

Value NumberOf(std::string_view json, Type type) {
  const std::string text = ScalarText(json);
  const char* end = text.data() + text.size();
  Value value{.type = type};
  const std::from_chars_result parsed = type == Type::kReal
                                            ? std::from_chars(text.data(), end, value.real)
                                            : std::from_chars(text.data(), end, value.number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return Value::Null(type);
  return value;
}

// An exported row: the cell as the export had it, read by the column's type.
Value OfCell(Type type, std::string_view cell) {
  const JsonKind kind = kql::KindOf(cell);
  if (kind == JsonKind::kNull) return Value::Null(type);
  switch (type) {
    case Type::kString:
      return Value::String(kind == JsonKind::kString ? kql::UnquoteJson(cell) : std::string(cell));
    case Type::kDateTime:
      return TimeOf(cell);
    case Type::kBool:
      return BoolOf(cell);
    case Type::kInt:
    case Type::kLong:
    case Type::kReal:
      return NumberOf(cell, type);
    case Type::kDecimal:  // no table has such a column
      break;
    case Type::kDynamic:
      if (kind == JsonKind::kString) return DynamicOfText(kql::UnquoteJson(cell));
      return DynamicOf(kql::CompactJson(cell).value_or("null"));
    case Type::kTimespan: {
      const auto ticks = kql::ParseTimespanText(ScalarText(cell));
      return ticks ? Value::Span(Timespan{*ticks}) : Value::Null(type);
    }
    case Type::kGuid: {
      const Result<Guid> guid = ParseGuid(ScalarText(cell));
      return guid ? Value{.type = type, .text = ToString(*guid)} : Value::Null(type);
    }
  }
  return Value::Null(type);
}

std::string Capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

Value OfConstant(const ColumnMapping& column, const Guid& tenant) {
  switch (column.conversion) {
    case Conversion::kConstant:
      return Value::String(std::string(column.path));
    case Conversion::kTenant:
      return Value::String(ToString(tenant));
    case Conversion::kTenantResource:
      return Value::String("/tenants/" + ToString(tenant) + "/providers/Microsoft.aadiam");
    case Conversion::kZero:
      return Value{.type = column.type};
    default:
      return Value::Null(column.type);
  }
}

Value OfPresent(const ColumnMapping& column, const RecordMembers& record, std::string_view json) {
  switch (column.conversion) {
    case Conversion::kText:
      return Value::String(ScalarText(json));
    case Conversion::kCapital:
      return Value::String(Capital(ScalarText(json)));
    case Conversion::kFailureReason: {
      const auto code = record.At("status/errorCode");
      std::string text = ScalarText(json);
      return Value::String(code && *code == "0" && text == "Other." ? "" : std::move(text));
    }
    case Conversion::kJsonText:
      return Value::String(kql::CompactJson(json).value_or(""));
    case Conversion::kPrunedText:
      return Value::String(Pruned(json));
    case Conversion::kDynamic:
      return DynamicOf(kql::CompactJson(json).value_or("null"));
    case Conversion::kPruned:
      return DynamicOf(Pruned(json));
    case Conversion::kEmbeddedJson:
      return DynamicOfText(ScalarText(json));
    case Conversion::kBool:
      return BoolOf(json);
    case Conversion::kNumber:
      return NumberOf(json, column.type);
    case Conversion::kDateTime:
      return TimeOf(json);
    case Conversion::kIsRisky: {
      const std::string state = ScalarText(json);
      if (state.empty() || state == "hidden") return Value::Null(Type::kBool);
      return Value::Bool(state == "atRisk" || state == "confirmedCompromised");
    }
    default:
      return Value::Null(column.type);
  }
}

}  // namespace

RecordMembers::RecordMembers(const TableMapping& table) : table_(table) {
  std::vector<std::string_view> names = {table.time_member, "status", kImportedRow, kImportedTime,
                                         kImportedId};
  for (const std::string_view name : {table.updated_member, table.id_member}) {
    if (!name.empty()) names.push_back(name);
  }
  for (const ColumnMapping& column : table.columns) {
    names.push_back(column.name);
    if (HasPath(column.conversion)) names.push_back(FirstMember(column.path));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string_view name : names) members_.push_back({.name = name, .value = {}});
  for (const ColumnMapping& column : table.columns) {
    columns_.push_back(HasPath(column.conversion) ? PlaceOfPath(column.path) : Place());
  }
  for (const MemberMapping& member : table.members) mapped_.push_back(PlaceOfPath(member.path));
}

std::size_t RecordMembers::PlaceOf(std::string_view name) const {
  const auto found =
      std::lower_bound(members_.begin(), members_.end(), name,
                       [](const Member& member, std::string_view n) { return member.name < n; });
  if (found == members_.end() || found->name != name) return members_.size();
  return static_cast<std::size_t>(found - members_.begin());
}

RecordMembers::Place RecordMembers::PlaceOfPath(std::string_view path) {
  Place place{.member = PlaceOf(FirstMember(path)), .inner = {}, .rest = {}};
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return place;
  const std::string_view below = path.substr(slash + 1);
  const std::string_view name = FirstMember(below);
  std::vector<Inner>& inners = members_[place.member].inners;
  const auto found = std::find_if(inners.begin(), inners.end(),
                                  [&](const Inner& inner) { return inner.name == name; });
  place.inner = static_cast<std::size_t>(found - inners.begin());
  if (found == inners.end()) inners.push_back({.name = name, .value = {}});
  if (below.size() > name.size()) place.rest = below.substr(name.size() + 1);
  return place;
}

void RecordMembers::Clear() {
  for (Member& member : members_) {
    member.value = {};
    member.opened = false;
  }
  next_ = 0;
  in_row_ = false;
}

void RecordMembers::Put(std::string_view name, std::string_view value) {
  constexpr std::size_t kMostRemembered = 256;
  std::size_t place = 0;
  if (next_ < order_.size() && order_[next_].name == name) {
    place = order_[next_].place;
  } else {
    place = PlaceOf(name);
    if (next_ == order_.size() && next_ < kMostRemembered) order_.emplace_back();
    if (next_ < order_.size()) order_[next_] = {.name = std::string(name), .place = place};
  }
  ++next_;
  if (place < members_.size() && members_[place].value.data() == nullptr) {
    members_[place].value = value;
  }
}

void RecordMembers::Read(std::string_view json) {
  Clear();
  kql::ForEachMember(json, [this](std::string_view name, std::string_view value) {
    Put(name, value);
    return true;
  });
  if (IsImportedRow(json)) EnterRow();
}

bool RecordMembers::EnterRow() {
  const auto row = At(kImportedRow);
  if (!row) return false;
  const std::optional<std::string_view> time = At(kImportedTime);
  const std::optional<std::string_view> id = At(kImportedId);
  Clear();
  kql::ForEachMember(*row, [this](std::string_view name, std::string_view value) {
    Put(name, value);
    return true;
  });
  if (time) Put(kImportedTime, *time);
  if (id) Put(kImportedId, *id);
  in_row_ = true;
  return true;
}

void RecordMembers::Open(const Member& member) const {
  member.opened = true;
  for (Inner& inner : member.inners) inner.value = {};
  if (kql::KindOf(member.value) != JsonKind::kObject) return;
  kql::ForEachMember(member.value, [&](std::string_view name, std::string_view value) {
    for (Inner& inner : member.inners) {
      if (inner.name == name && inner.value.data() == nullptr) inner.value = value;
    }
    return true;
  });
}

std::optional<std::string_view> RecordMembers::At(const ColumnMapping& column) const {
  return At(columns_[static_cast<std::size_t>(&column - table_.columns.data())]);
}

std::optional<std::string_view> RecordMembers::At(const MemberMapping& member) const {
  return At(mapped_[static_cast<std::size_t>(&member - table_.members.data())]);
}

std::optional<std::string_view> RecordMembers::At(const Place& place) const {
  const Member& member = members_[place.member];
  std::string_view json = member.value;
  if (json.data() != nullptr && place.inner) {
    if (!member.opened) Open(member);
    json = member.inners[*place.inner].value;
  }
  if (json.data() == nullptr) return std::nullopt;
  return place.rest.empty() ? std::optional(json) : Below(json, place.rest);
}

std::optional<std::string_view> RecordMembers::At(std::string_view path) const {
  const std::string_view first = FirstMember(path);
  const std::size_t place = PlaceOf(first);
  if (place == members_.size() || members_[place].value.data() == nullptr) return std::nullopt;
  if (first.size() == path.size()) return members_[place].value;
  return Below(members_[place].value, path.substr(first.size() + 1));
}

Value ColumnValue(const TableMapping& table, const ColumnMapping& column,
                  const RecordMembers& record, const Guid& tenant) {
  if (record.in_row()) {
    const auto cell = record.At(column.name);
    if (column.name == "TimeGenerated") {
      // What stands beside the row was put there because the row's own time says nothing.
      if (const auto time = record.At(kImportedTime)) return TimeOf(*time);
    }
    return cell ? OfCell(column.type, *cell) : Value::Null(column.type);
  }
  if (!HasPath(column.conversion)) return OfConstant(column, tenant);
  const auto found = record.At(column);
  if (column.conversion == Conversion::kUpdatedTime) {
    Value time = found ? TimeOf(*found) : Value::Null(Type::kDateTime);
    if (!time.null) return time;
    const auto own = record.At(table.time_member);
    return own ? TimeOf(*own) : Value::Null(Type::kDateTime);
  }
  if (!found || kql::KindOf(*found) == JsonKind::kNull) return Value::Null(column.type);
  return OfPresent(column, record, *found);
}

std::string MemberText(const TableMapping& table, const MemberMapping& member,
                       const RecordMembers& record) {
  if (!record.in_row()) {
    const auto json = record.At(member);
    return json ? TextOfMember(*json) : std::string();
  }
  const ColumnMapping* column = table.Column(member.column);
  const Value value = ColumnValue(table, *column, record, Guid{});
  const auto json = kql::CompactJson(value.text);
  const auto found = json ? kql::JsonMember(*json, member.member) : std::nullopt;
  return found ? TextOfMember(*found) : std::string();
}

std::optional<Value> ConstantValue(const ColumnMapping& column, const Guid& tenant) {
  if (HasPath(column.conversion)) return std::nullopt;
  return OfConstant(column, tenant);
}

Value ColumnValue(const TableMapping& table, const ColumnMapping& column, std::string_view json,
                  const Guid& tenant) {
  RecordMembers record(table);
  record.Read(json);
  return ColumnValue(table, column, record, tenant);
}

}  // namespace picket::tables
