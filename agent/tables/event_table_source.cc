#include "agent/tables/event_table_source.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "agent/kql/dictionary.h"
#include "agent/tables/column_value.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"

namespace picket::tables {
namespace {

using kql::ColumnBuilder;
using kql::DictionaryBuilder;
using kql::Type;
using kql::Value;

// Where a wanted column's values come from.
struct Wanted {
  const ColumnMapping* column = nullptr;
  std::optional<std::size_t> typed{};  // place in the scan's columns
  bool member = false;                 // the text of a member of the column, which is typed
  std::optional<Value> constant{};     // in every row of the source's own

  [[nodiscard]] Type type() const { return member ? Type::kString : column->type; }
};

// The store's `created` is this column; other columns of the same path are read from the JSON, for
// an exported row has them in cells of their own.
bool IsTime(const ColumnMapping& column) { return column.name == "TimeGenerated"; }

void AppendTyped(ColumnBuilder& out, const storage::EventScan& scan, std::size_t place, Type type) {
  if (scan.IsNull(place)) return out.Null();
  if (type == Type::kReal) return out.Real(scan.Real(place));
  out.Number(scan.Int(place));
}

void AppendText(DictionaryBuilder& out, const storage::EventScan& scan, std::size_t place) {
  const storage::EventScan::TextCell cell = scan.Cell(place);
  if (cell.null) return out.Null();
  if (cell.word != 0) {
    const std::uint64_t key = DictionaryBuilder::KeyOfNumber(cell.word);
    if (!out.Known(key)) out.View(key, scan.WordText(cell.word));
    return;
  }
  const std::optional<std::uint64_t> key = DictionaryBuilder::KeyOfShort(cell.text);
  if (!key || !out.Known(*key)) out.Text(key, cell.text);
}

// One column of the batch that is being built: texts of typed columns, or anything else.
using AnyBuilder = std::variant<ColumnBuilder, DictionaryBuilder>;

class NewestReadings final : public kql::TableScan {
 public:
  NewestReadings(const TableMapping& table, const Guid& tenant, std::vector<Wanted> wanted,
                 storage::EventScan scan)
      : table_(table),
        tenant_(tenant),
        wanted_(std::move(wanted)),
        members_(table),
        scan_(std::move(scan)) {}

  Result<kql::Batch> Next(std::size_t most) override {
    kql::Batch batch;
    if (done_) return batch;
    BeginBatch(most);
    while (batch.rows < most) {
      PK_ASSIGN_OR_RETURN(const bool more, scan_.Next());
      if (!more) {
        done_ = true;
        break;
      }
      PK_RETURN_IF_ERROR(AddRow());
      batch.keys.push_back(scan_.key());
      ++batch.rows;
    }
    for (AnyBuilder& builder : builders_) {
      batch.columns.push_back(std::visit([](auto& each) { return each.Finish(); }, builder));
    }
    return batch;
  }

 private:
  void BeginBatch(std::size_t rows) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const Type type = wanted_[i].type();
      if (!wanted_[i].typed || !kql::IsText(type)) {
        ColumnBuilder builder(type, rows);
        i < builders_.size() ? void(builders_[i] = std::move(builder))
                             : void(builders_.emplace_back(std::move(builder)));
      } else if (i == builders_.size()) {
        builders_.emplace_back(std::in_place_type<DictionaryBuilder>, type, rows);
        std::get<DictionaryBuilder>(builders_.back()).Keep(scan_.words());
      }
    }
  }

  Status AddRow() {
    bool read = false;  // the JSON, only if something needs it
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const Wanted& wanted = wanted_[i];
      if (auto* text = std::get_if<DictionaryBuilder>(&builders_[i])) {
        AppendText(*text, scan_, *wanted.typed);
        continue;
      }
      ColumnBuilder& builder = std::get<ColumnBuilder>(builders_[i]);
      if (wanted.typed) {
        AppendTyped(builder, scan_, *wanted.typed, wanted.type());
        continue;
      }
      if (wanted.constant && scan_.rank() > static_cast<int>(Rank::kImport)) {
        builder.Append(*wanted.constant);
        continue;
      }
      if (IsTime(*wanted.column)) {
        builder.Number(scan_.created().ticks);
        continue;
      }
      if (!std::exchange(read, true)) {
        PK_ASSIGN_OR_RETURN(const std::string_view json, scan_.Json());
        members_.Read(json);
      }
      builder.Append(ColumnValue(table_, *wanted.column, members_, tenant_));
    }
    return {};
  }

  const TableMapping& table_;
  const Guid tenant_;
  const std::vector<Wanted> wanted_;
  RecordMembers members_;
  storage::EventScan scan_;
  std::vector<AnyBuilder> builders_;
  bool done_ = false;
};

// All from JSON. The order, by (TimeGenerated, Id), is found first; the readings are then taken
// from their frames one by one.
class EveryReading final : public kql::TableScan {
 public:
  EveryReading(const TableMapping& table, const Guid& tenant, std::vector<Wanted> wanted,
               storage::EventStore& events)
      : table_(table),
        tenant_(tenant),
        wanted_(std::move(wanted)),
        events_(events),
        members_(table) {}

  Status Gather(storage::VersionScan versions, const kql::ScanRequest& request) {
    const ColumnMapping& time = table_.TimeColumn();
    const ColumnMapping* id = table_.Column("Id");
    PK_CHECK(id != nullptr, "a table of versions has Id");
    while (true) {
      if (request.stop.stop_requested()) {
        return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
      }
      PK_ASSIGN_OR_RETURN(const bool more, versions.Next());
      if (!more) break;
      PK_ASSIGN_OR_RETURN(const std::string_view json, versions.Json());
      members_.Read(json);
      const Value t = ColumnValue(table_, time, members_, tenant_);
      const std::int64_t ticks = t.null ? versions.created().ticks : t.number;
      if (request.from && ticks < request.from->ticks) continue;
      if (request.until && ticks > request.until->ticks) continue;
      rows_.push_back({ticks, ColumnValue(table_, *id, members_, tenant_).text, versions.key(),
                       versions.place()});
    }
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      return a.time != b.time ? a.time < b.time : a.id < b.id;
    });
    return {};
  }

  Result<kql::Batch> Next(std::size_t most) override {
    kql::Batch batch;
    std::vector<ColumnBuilder> builders;
    for (const Wanted& wanted : wanted_) builders.emplace_back(wanted.column->type, most);
    for (; batch.rows < most && at_ < rows_.size(); ++at_, ++batch.rows) {
      const Row& row = rows_[at_];
      PK_ASSIGN_OR_RETURN(const std::string_view json, events_.JsonAt(row.place));
      members_.Read(json);
      for (std::size_t i = 0; i < wanted_.size(); ++i) {
        builders[i].Append(ColumnValue(table_, *wanted_[i].column, members_, tenant_));
      }
      batch.keys.push_back(row.key);
    }
    for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.Finish());
    return batch;
  }

 private:
  struct Row {
    std::int64_t time;
    std::string id;
    std::int64_t key;
    storage::ReadingPlace place;
  };
  const TableMapping& table_;
  const Guid tenant_;
  const std::vector<Wanted> wanted_;
  storage::EventStore& events_;
  RecordMembers members_;
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

// Of a table that is declared and not collected.
class NoRows final : public kql::TableScan {
 public:
  Result<kql::Batch> Next(std::size_t /*most*/) override { return kql::Batch(); }
};

std::optional<storage::ColumnCondition::Operator> OperatorOf(kql::Condition::Operator op) {
  switch (op) {
    case kql::Condition::Operator::kEqual:
      return storage::ColumnCondition::Operator::kEqual;
    case kql::Condition::Operator::kLess:
      return storage::ColumnCondition::Operator::kLess;
    case kql::Condition::Operator::kLessEqual:
      return storage::ColumnCondition::Operator::kLessEqual;
    case kql::Condition::Operator::kGreater:
      return storage::ColumnCondition::Operator::kGreater;
    case kql::Condition::Operator::kGreaterEqual:
      return storage::ColumnCondition::Operator::kGreaterEqual;
  }
  return std::nullopt;
}

// The conditions that the store can check: on typed columns. A text that is absent is NULL there
// and '' in KQL, so an equality with '' is not one of them.
void AddConditions(const TableMapping& table, const kql::ScanRequest& request,
                   const std::map<std::size_t, std::size_t>& typed, storage::ScanSpec& spec) {
  for (const kql::Condition& condition : request.conditions) {
    const auto place = typed.find(condition.column);
    const auto op = OperatorOf(condition.op);
    if (place == typed.end() || !op) continue;
    const Type type = table.columns[condition.column].type;
    if (type == Type::kDynamic) continue;
    if (kql::IsText(type)) {
      if (condition.op != kql::Condition::Operator::kEqual || condition.value.text.empty()) {
        continue;
      }
      spec.conditions.push_back({place->second, *op, condition.value.text});
    } else if (type == Type::kReal) {
      spec.conditions.push_back({place->second, *op, condition.value.real});
    } else {
      spec.conditions.push_back({place->second, *op, condition.value.number});
    }
  }
}

// A table's column → the same of the stream's schema.
std::map<std::size_t, std::size_t> TypedColumns(const TableMapping& table) {
  std::map<std::size_t, std::size_t> typed;
  for (std::size_t i = 0, place = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].typed) typed.emplace(i, place++);
  }
  return typed;
}

std::size_t PlaceOfMember(const TableMapping& table, const kql::ScanColumn& asked) {
  const std::string_view column = table.columns[asked.column].name;
  for (std::size_t i = 0; i < table.members.size(); ++i) {
    if (table.members[i].column == column && table.members[i].member == asked.member) return i;
  }
  PK_CHECK(false, "a scan for a member that the catalog does not keep");
}

}  // namespace

Result<std::unique_ptr<kql::TableScan>> EventTableSource::Scan(const kql::ScanRequest& request) {
  const TableMapping* table = FindTable(request.table);
  if (table == nullptr) return std::unique_ptr<kql::TableScan>(std::make_unique<NoRows>());
  const std::map<std::size_t, std::size_t> typed = TypedColumns(*table);
  storage::ScanSpec spec;
  std::vector<Wanted> wanted;
  for (const kql::ScanColumn& asked : request.columns) {
    const ColumnMapping& column = table->columns[asked.column];
    Wanted want{.column = &column, .constant = ConstantValue(column, tenant_)};
    std::optional<std::size_t> place;
    if (!asked.member.empty()) {
      want.member = true;
      place = typed.size() + PlaceOfMember(*table, asked);
    } else if (const auto found = typed.find(asked.column); found != typed.end()) {
      place = found->second;
    }
    if (place && !table->shows_versions) {
      want.typed = spec.columns.size();
      spec.columns.push_back(*place);
    }
    wanted.push_back(std::move(want));
  }
  const std::string stream(table->stream);
  if (table->shows_versions) {
    PK_ASSIGN_OR_RETURN(storage::VersionScan versions,
                        store_.events().Versions(stream, request.after_seq, request.until_seq));
    auto readings =
        std::make_unique<EveryReading>(*table, tenant_, std::move(wanted), store_.events());
    PK_RETURN_IF_ERROR(readings->Gather(std::move(versions), request));
    return std::unique_ptr<kql::TableScan>(std::move(readings));
  }
  spec.from = request.from;
  spec.until = request.until;
  spec.after_seq = request.after_seq;
  spec.until_seq = request.until_seq;
  AddConditions(*table, request, typed, spec);
  PK_ASSIGN_OR_RETURN(storage::EventScan scan, store_.events().Scan(stream, spec));
  return std::unique_ptr<kql::TableScan>(
      std::make_unique<NewestReadings>(*table, tenant_, std::move(wanted), std::move(scan)));
}

bool EventTableSource::Cheap(std::string_view table, const kql::ScanColumn& column) const {
  const TableMapping* found = FindTable(table);
  if (found == nullptr || found->shows_versions) return false;
  const ColumnMapping& mapping = found->columns[column.column];
  return !column.member.empty() || mapping.typed || IsTime(mapping) ||
         ConstantValue(mapping, tenant_).has_value();
}

}  // namespace picket::tables
