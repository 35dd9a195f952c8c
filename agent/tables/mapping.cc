#include "agent/tables/mapping.h"

#include <array>

#include "agent/kql/json_view.h"
#include "agent/kql/lexer.h"
#include "base/text.h"
#include "base/time.h"

namespace picket::tables {

extern const TableMapping kSigninLogsTable;
extern const TableMapping kNonInteractiveTable;
extern const TableMapping kServicePrincipalTable;
extern const TableMapping kManagedIdentityTable;
extern const TableMapping kUserRiskEventsTable;
extern const TableMapping kServicePrincipalRiskEventsTable;
extern const TableMapping kRiskyUsersTable;
extern const TableMapping kAuditLogsTable;

namespace {

using kql::JsonKind;
using kql::Type;
using kql::Value;

constexpr int kMaxPruneDepth = 64;

std::optional<std::string_view> AtPath(std::string_view json, std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    const auto member = kql::JsonMember(json, path.substr(0, slash));
    if (!member || slash == std::string_view::npos) return member;
    json = *member;
    path.remove_prefix(slash + 1);
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

Value DynamicOf(std::string json) {
  if (json.empty() || json == "null") return Value::Null(Type::kDynamic);
  return Value::Dynamic(std::move(json));
}

Value TimeOf(std::string_view json) {
  const auto ticks = kql::ParseDateTimeText(ScalarText(json));
  return ticks ? Value::DateTime(Instant{*ticks}) : Value::Null(Type::kDateTime);
}

// An imported row: the cell as the export had it, read by the column's type.
Value ImportedValue(const ColumnMapping& column, std::string_view row) {
  const auto cell = kql::JsonMember(row, column.name);
  if (!cell || kql::KindOf(*cell) == JsonKind::kNull) return Value::Null(column.type);
  switch (column.type) {
    case Type::kString:
      return Value::String(kql::KindOf(*cell) == JsonKind::kString ? kql::UnquoteJson(*cell)
                                                                   : std::string(*cell));
    case Type::kDateTime:
      return TimeOf(*cell);
    case Type::kBool: {
      const std::string text = AsciiLower(ScalarText(*cell));
      if (text == "true" || text == "1") return Value::Bool(true);
      if (text == "false" || text == "0") return Value::Bool(false);
      return Value::Null(Type::kBool);
    }
    case Type::kInt:
    case Type::kLong: {
      const std::string text = ScalarText(*cell);
      char* end = nullptr;
      const std::int64_t number = std::strtoll(text.c_str(), &end, 10);
      if (text.empty() || *end != '\0') return Value::Null(column.type);
      return Value{.type = column.type, .number = number};
    }
    case Type::kReal: {
      const std::string text = ScalarText(*cell);
      char* end = nullptr;
      const double real = std::strtod(text.c_str(), &end);
      if (text.empty() || *end != '\0') return Value::Null(column.type);
      return Value::Real(real);
    }
    case Type::kDynamic: {
      if (kql::KindOf(*cell) != JsonKind::kString) return DynamicOf(std::string(*cell));
      const std::string text = kql::UnquoteJson(*cell);
      if (Trim(text).empty()) return Value::Null(Type::kDynamic);
      auto json = kql::CompactJson(text);
      return DynamicOf(json ? *std::move(json) : kql::QuoteJson(text));
    }
    case Type::kTimespan:
    case Type::kGuid:
      break;
  }
  return Value::Null(column.type);
}

Value OfGraph(const TableMapping& table, const ColumnMapping& column, std::string_view json,
              const Guid& tenant) {
  switch (column.conversion) {
    case Conversion::kConstant:
      return Value::String(std::string(column.path));
    case Conversion::kTenant:
      return Value::String(ToString(tenant));
    case Conversion::kTenantResource:
      return Value::String("/tenants/" + ToString(tenant) + "/providers/Microsoft.aadiam");
    case Conversion::kZero:
      return Value::Long(0);
    case Conversion::kNone:
      return Value::Null(column.type);
    default:
      break;
  }
  const auto found = AtPath(json, column.path);
  if (column.conversion == Conversion::kUpdatedTime) {
    Value time = found ? TimeOf(*found) : Value::Null(Type::kDateTime);
    if (!time.null) return time;
    const auto own = AtPath(json, table.time_member);
    return own ? TimeOf(*own) : Value::Null(Type::kDateTime);
  }
  if (!found || kql::KindOf(*found) == JsonKind::kNull) {
    return column.conversion == Conversion::kIsRisky ? Value::Bool(false)
                                                     : Value::Null(column.type);
  }
  switch (column.conversion) {
    case Conversion::kText:
      return Value::String(ScalarText(*found));
    case Conversion::kCapital: {
      std::string text = ScalarText(*found);
      if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
      }
      return Value::String(std::move(text));
    }
    case Conversion::kFailureReason: {
      const auto code = AtPath(json, "status/errorCode");
      std::string text = ScalarText(*found);
      return Value::String(code && *code == "0" && text == "Other." ? "" : std::move(text));
    }
    case Conversion::kJsonText:
      return Value::String(kql::CompactJson(*found).value_or(""));
    case Conversion::kPrunedText:
      return Value::String(Pruned(*found));
    case Conversion::kDynamic:
      return DynamicOf(kql::CompactJson(*found).value_or("null"));
    case Conversion::kPruned:
      return DynamicOf(Pruned(*found));
    case Conversion::kEmbeddedJson: {
      const std::string text = ScalarText(*found);
      auto parsed = kql::CompactJson(text);
      return DynamicOf(parsed ? *std::move(parsed) : kql::QuoteJson(text));
    }
    case Conversion::kBool:
      return Value::Bool(*found == "true");
    case Conversion::kLong: {
      const std::string text = ScalarText(*found);
      char* end = nullptr;
      const std::int64_t number = std::strtoll(text.c_str(), &end, 10);
      if (text.empty() || *end != '\0') return Value::Null(Type::kLong);
      return Value::Long(number);
    }
    case Conversion::kDateTime:
      return TimeOf(*found);
    case Conversion::kIsRisky: {
      const std::string state = ScalarText(*found);
      return Value::Bool(state == "atRisk" || state == "confirmedCompromised");
    }
    default:
      break;
  }
  return Value::Null(column.type);
}

storage::ColumnType StoredType(Type type) {
  switch (type) {
    case Type::kBool:
      return storage::ColumnType::kBool;
    case Type::kInt:
    case Type::kLong:
      return storage::ColumnType::kInt;
    case Type::kReal:
      return storage::ColumnType::kReal;
    case Type::kDateTime:
    case Type::kTimespan:
      return storage::ColumnType::kTicks;
    case Type::kString:
    case Type::kGuid:
    case Type::kDynamic:
      return storage::ColumnType::kText;
  }
  return storage::ColumnType::kText;
}

}  // namespace

std::span<const TableMapping* const> AllTables() {
  static const std::array<const TableMapping*, 8> tables = {
      &kSigninLogsTable,     &kNonInteractiveTable,  &kServicePrincipalTable,
      &kManagedIdentityTable, &kUserRiskEventsTable, &kServicePrincipalRiskEventsTable,
      &kRiskyUsersTable,     &kAuditLogsTable};
  return tables;
}

const TableMapping* FindTable(std::string_view table) {
  for (const TableMapping* mapping : AllTables()) {
    if (mapping->table == table) return mapping;
  }
  return nullptr;
}

const TableMapping* TableOfStream(std::string_view stream) {
  for (const TableMapping* mapping : AllTables()) {
    if (mapping->stream == stream) return mapping;
  }
  return nullptr;
}

bool IsVolatile(std::string_view member) {
  return member.substr(0, 7) == "@odata." || member == "processingTimeInMilliseconds";
}

std::vector<storage::StreamSchema> StreamSchemas() {
  std::vector<storage::StreamSchema> schemas;
  for (const TableMapping* table : AllTables()) {
    storage::StreamSchema& schema = schemas.emplace_back();
    schema.stream = table->stream;
    schema.mapping_version = kMappingVersion;
    for (const ColumnMapping& column : table->columns) {
      if (column.typed) {
        schema.columns.push_back({std::string(column.name), StoredType(column.type)});
      }
    }
  }
  return schemas;
}

Value ColumnValue(const TableMapping& table, const ColumnMapping& column, std::string_view json,
                  const Guid& tenant) {
  if (json.substr(0, kImportedRow.size() + 2) == "{\"@picket.row") {
    if (const auto row = kql::JsonMember(json, kImportedRow)) return ImportedValue(column, *row);
  }
  return OfGraph(table, column, json, tenant);
}

}  // namespace picket::tables
