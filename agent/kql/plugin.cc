// Plugins whose columns depend on the data: bag_unpack, pivot, narrow.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "agent/kql/bind_expression.h"
#include "agent/kql/evaluator.h"
#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// Columns that data may make of their own.
constexpr std::size_t kMostMade = 1'000;

Error TooManyColumns(std::string_view plugin) {
  return {.kind = ErrorKind::kLimit,
          .message = fmt::format("{} makes more than {} columns", plugin, kMostMade),
          .hint = "Keep only the values that are needed before it."};
}

// The type that values of a property have in common; none while all are null.
class CommonType {
 public:
  void Add(std::string_view json) {
    const std::optional<Type> type = TypeOf(json);
    if (!type || type == type_) return;
    if (!type_) {
      type_ = type;
    } else if (IsNumeric(*type) && IsNumeric(*type_)) {
      type_ = Type::kReal;
    } else {
      type_ = Type::kDynamic;
    }
  }
  [[nodiscard]] Type type() const { return type_.value_or(Type::kDynamic); }

 private:
  static std::optional<Type> TypeOf(std::string_view json) {
    switch (KindOf(json)) {
      case JsonKind::kNull:
        return std::nullopt;
      case JsonKind::kBool:
        return Type::kBool;
      case JsonKind::kNumber:
        return json.find_first_of(".eE") == std::string_view::npos ? Type::kLong : Type::kReal;
      case JsonKind::kString:
        return Type::kString;
      default:
        return Type::kDynamic;
    }
  }
  std::optional<Type> type_;
};

void AppendJson(ColumnBuilder& out, Type type, std::string_view json) {
  if (KindOf(json) == JsonKind::kNull) return out.Null();
  if (type == Type::kDynamic) return out.Text(std::string(json));
  if (type == Type::kString) return out.Text(UnquoteJson(json));
  const ColumnPtr one = ConstantColumn(Value::Dynamic(std::string(json)), 1);
  out.Append(FindFunction(ConverterTo(type))->run({}, {one}, 1)->Get(0));
}

class Unpack {
 public:
  Unpack(const Plan& plan, ResultTable rows)
      : plan_(plan), rows_(std::move(rows)), bag_(plan.lists[0][0].column) {}

  Result<ResultTable> Run(RunState& state) {
    FindProperties();
    if (types_.size() > kMostMade) return Fail(TooManyColumns("bag_unpack"));
    PK_RETURN_IF_ERROR(MakeSchema());
    for (const Batch& batch : rows_.batches) {
      PK_RETURN_IF_ERROR(state.CheckStop());
      BatchBuilder out(table_.schema, batch.rows);
      for (std::size_t row = 0; row < batch.rows; ++row) AddRow(batch, row, out);
      for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (sources_[i]) out.Keep(batch, *sources_[i], i);
      }
      out.batch().keys = batch.keys;
      out.batch().origins = batch.origins;
      Batch made = out.Finish();
      PK_RETURN_IF_ERROR(state.Charge(BytesOf(made), "bag_unpack"));
      table_.batches.push_back(std::move(made));
    }
    return std::move(table_);
  }

 private:
  void FindProperties() {
    const std::vector<std::string>& ignored = plan_.plugin.ignored;
    for (const Batch& batch : rows_.batches) {
      for (std::size_t row = 0; row < batch.rows; ++row) {
        if (batch.columns[bag_]->IsNull(row)) continue;
        ForEachMember(batch.columns[bag_]->Text(row),
                      [&](std::string_view name, std::string_view value) {
                        if (std::find(ignored.begin(), ignored.end(), name) == ignored.end()) {
                          types_[std::string(name)].Add(value);
                        }
                        return types_.size() <= kMostMade;
                      });
      }
    }
  }

  // The source's columns but the bag; then the properties by name.
  Status MakeSchema() {
    for (std::size_t i = 0; i < rows_.schema.size(); ++i) {
      if (i == bag_) continue;
      table_.schema.push_back(rows_.schema[i]);
      sources_.emplace_back(i);
    }
    using Conflict = Plan::Plugin::Conflict;
    for (const auto& [name, type] : types_) {
      const std::string column = plan_.plugin.prefix + name;
      const auto place = FindColumn(table_.schema, column);
      if (!place) {
        places_[name] = table_.schema.size();
        table_.schema.push_back({column, type.type()});
        sources_.emplace_back(std::nullopt);
      } else if (plan_.plugin.conflict == Conflict::kReplaceSource) {
        places_[name] = *place;
        table_.schema[*place].type = type.type();
        sources_[*place].reset();
      } else if (plan_.plugin.conflict == Conflict::kError) {
        return Fail({.kind = ErrorKind::kRefused,
                     .message = fmt::format("bag_unpack: the column '{}' exists already",
                                            EscapeTerminal(column)),
                     .hint = "Give a prefix, or columnsConflict='replace_source'."});
      }
    }
    return {};
  }

  void AddRow(const Batch& batch, std::size_t row, BatchBuilder& out) {
    found_.assign(table_.schema.size(), std::nullopt);
    if (!batch.columns[bag_]->IsNull(row)) {
      ForEachMember(batch.columns[bag_]->Text(row),
                    [&](std::string_view name, std::string_view value) {
                      const auto place = places_.find(std::string(name));
                      if (place != places_.end()) found_[place->second] = value;
                      return true;
                    });
    }
    for (std::size_t i = 0; i < table_.schema.size(); ++i) {
      if (sources_[i]) {
        out.Copy(i, batch, *sources_[i], row);
      } else if (found_[i]) {
        AppendJson(out[i], table_.schema[i].type, *found_[i]);
      } else {
        out[i].Null();
      }
    }
    out.EndRow();
  }

  const Plan& plan_;
  ResultTable rows_;
  const std::size_t bag_;
  std::map<std::string, CommonType> types_;
  ResultTable table_;
  std::vector<std::optional<std::size_t>> sources_;  // by column: of the rows before
  std::map<std::string, std::size_t> places_;
  std::vector<std::optional<std::string_view>> found_;
};

// Rows of keys, the pivot's text and a value become rows of keys and a column for each text.
class Pivot {
 public:
  Pivot(const Plan& plan, ResultTable rows, bool lineage)
      : rows_(std::move(rows)), keys_(rows_.schema.size() - 2), lineage_(lineage) {
    const BoundAggregate& aggregate = plan.inputs[0]->aggregates[0];
    std::vector<Type> types;
    for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
    nothing_ = aggregate.function->make(types)->Finish()[0];  // where a group has no such row
    nothing_.type = rows_.schema.back().type;
  }

  Result<ResultTable> Run(RunState& state) {
    PK_RETURN_IF_ERROR(Collect(state));
    if (names_.size() > kMostMade) return Fail(TooManyColumns("pivot"));
    ResultTable table;
    table.schema.assign(rows_.schema.begin(),
                        rows_.schema.begin() + static_cast<std::ptrdiff_t>(keys_));
    for (const auto& [name, at] : names_) {
      table.schema.push_back({UniqueName(table.schema, name), rows_.schema.back().type});
    }
    for (std::size_t begin = 0; begin < groups_.size(); begin += kBatchRows) {
      PK_RETURN_IF_ERROR(state.CheckStop());
      const std::size_t end = std::min(groups_.size(), begin + kBatchRows);
      BatchBuilder out(table.schema, end - begin);
      for (std::size_t i = begin; i < end; ++i) AddGroup(groups_[i], out);
      Batch made = out.Finish();
      PK_RETURN_IF_ERROR(state.Charge(BytesOf(made), "pivot"));
      table.batches.push_back(std::move(made));
    }
    return table;
  }

 private:
  struct Group {
    std::vector<Value> keys;
    std::map<std::string, Value> cells;
    Origins origins;
  };

  Status Collect(RunState& state) {
    std::unordered_map<std::string, std::size_t> index;
    for (const Batch& batch : rows_.batches) {
      PK_RETURN_IF_ERROR(state.Charge(batch.rows * 160, "pivot"));
      for (std::size_t row = 0; row < batch.rows; ++row) {
        std::string key;
        for (std::size_t i = 0; i < keys_; ++i) AppendRowKey(key, *batch.columns[i], row);
        const auto [found, made] = index.emplace(std::move(key), groups_.size());
        if (made) groups_.emplace_back();
        Group& group = groups_[found->second];
        for (std::size_t i = 0; made && i < keys_; ++i) {
          group.keys.push_back(batch.columns[i]->Get(row));
        }
        std::string name(batch.columns[keys_]->Text(row));
        names_.emplace(name, 0);
        group.cells.emplace(std::move(name), batch.columns[keys_ + 1]->Get(row));
        if (lineage_) AddOrigins(batch, row, group.origins);
      }
    }
    return {};
  }

  void AddGroup(const Group& group, BatchBuilder& out) const {
    std::size_t column = 0;
    for (const Value& key : group.keys) out[column++].Append(key);
    for (const auto& [name, at] : names_) {
      const auto cell = group.cells.find(name);
      out[column++].Append(cell == group.cells.end() ? nothing_ : cell->second);
    }
    if (lineage_) out.batch().origins.push_back(group.origins);
    out.EndRow();
  }

  ResultTable rows_;
  const std::size_t keys_;
  const bool lineage_;
  Value nothing_;
  std::map<std::string, int> names_;
  std::vector<Group> groups_;
};

// Each cell as a row of its own.
Result<ResultTable> Narrow(const ResultTable& rows, RunState& state) {
  ResultTable table;
  table.schema = {{"Row", Type::kLong}, {"Column", Type::kString}, {"Value", Type::kString}};
  std::int64_t number = 0;
  for (const Batch& batch : rows.batches) {
    PK_RETURN_IF_ERROR(state.CheckStop());
    BatchBuilder out(table.schema, batch.rows * rows.schema.size());
    for (std::size_t row = 0; row < batch.rows; ++row, ++number) {
      for (std::size_t i = 0; i < rows.schema.size(); ++i) {
        out[0].Number(number);
        out[1].Text(rows.schema[i].name);
        out[2].Text(ToText(*batch.columns[i], row));
        AppendLineage(out.batch(), batch, row);
        out.EndRow();
      }
    }
    Batch made = out.Finish();
    PK_RETURN_IF_ERROR(state.Charge(BytesOf(made), "narrow"));
    table.batches.push_back(std::move(made));
  }
  return table;
}

class Stored final : public Operator {
 public:
  Stored(const std::vector<Batch>& batches, RunState& state) : batches_(batches), state_(state) {}
  Result<Batch> Next() override {
    PK_RETURN_IF_ERROR(state_.CheckStop());
    while (at_ < batches_.size()) {
      const Batch& batch = batches_[at_++];
      if (batch.rows > 0) return batch;
    }
    return Batch{};
  }

 private:
  const std::vector<Batch>& batches_;
  RunState& state_;
  std::size_t at_ = 0;
};

}  // namespace

Result<ResultTable> RunPlugin(const Plan& plan, RunState& state) {
  PK_ASSIGN_OR_RETURN(const OperatorPtr input, MakeOperator(*plan.inputs[0], state));
  ResultTable rows{.schema = plan.inputs[0]->schema, .batches = {}};
  const auto hold = [&](Batch batch) -> Status {
    PK_RETURN_IF_ERROR(state.Charge(BytesOf(batch), "evaluate"));
    rows.batches.push_back(std::move(batch));
    return {};
  };
  PK_RETURN_IF_ERROR(ForEachBatch(*input, state, hold));
  switch (plan.plugin.kind) {
    case Plan::Plugin::Kind::kUnpack:
      return Unpack(plan, std::move(rows)).Run(state);
    case Plan::Plugin::Kind::kPivot:
      return Pivot(plan, std::move(rows), state.options.lineage).Run(state);
    case Plan::Plugin::Kind::kNarrow:
      return Narrow(rows, state);
  }
  return rows;
}

OperatorPtr MakeStored(const Plan& plan, RunState& state) {
  const bool held = plan.kind == Plan::Kind::kHeld;
  return std::make_unique<Stored>(held ? *plan.held : state.stored[plan.stored].batches, state);
}

}  // namespace picket::kql
