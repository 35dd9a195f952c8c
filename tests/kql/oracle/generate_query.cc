// Makes a query step by step. Each step is applied by the oracle at once: it tells the columns that
// the next one may use, and a step whose answer the language leaves open is dropped for another.

#include <algorithm>
#include <optional>
#include <utility>

#include "tests/kql/oracle/generator.h"

namespace picket::kql::oracle {
namespace {

class Maker {
 public:
  Maker(Dice& dice, const Names& names, Query query)
      : dice_(dice), names_(names), query_(std::move(query)), table_(Evaluate(query_, names)) {}

  // Adds up to `steps` steps.
  void Grow(std::size_t steps, int nesting) {
    for (; steps > 0; --steps) {
      for (int attempt = 0; attempt < 4; ++attempt) {
        if (Try(Make(nesting))) break;
      }
    }
  }
  bool Try(const std::optional<Step>& step) {
    if (!step) return false;
    try {
      Table table = Apply(*step, table_, names_);
      const bool keeps = step->op == "where" || step->op == "extend" || step->op == "project";
      const bool orders = step->op == "sort" || step->op == "top" || step->op == "serialize";
      serialized_ = orders || (keeps && serialized_);
      table_ = std::move(table);
      query_.steps.push_back(*step);
      return true;
    } catch (const Unspecified&) {
      return false;
    }
  }
  [[nodiscard]] const Query& query() const { return query_; }
  [[nodiscard]] const Table& table() const { return table_; }

 private:
  std::string Fresh() {
    std::string name;
    do {
      name = "c" + std::to_string(++fresh_);
    } while (IndexOf(table_.columns, name) >= 0);
    return name;
  }
  Expressions Scope() { return {dice_, names_, table_.columns}; }

  std::optional<Step> Make(int nesting) {
    switch (dice_.Below(nesting > 0 ? 20 : 14)) {
      case 0:
      case 1:
      case 2:
        return Step{.op = "where", .values = {{"", Scope().Condition(3)}}};
      case 3:
      case 4:
        return Extend();
      case 5:
        return Project();
      case 6:
        return Columns_();
      case 7:
        return Sort("sort");
      case 8:
        return dice_.Once(2)
                   ? Sort("top")
                   : Step{.op = "take", .count = static_cast<std::int64_t>(dice_.Below(8))};
      case 9:
      case 10:
        return Summarize();
      case 11:
        return Distinct();
      case 12:
        return MvExpand();
      case 13:
        if (dice_.Once(4)) return Step{.op = "count"};
        return Window();
      case 14:
      case 15:
      case 16:
        return Join();
      case 17:
        return Lookup();
      default:
        return Union(nesting);
    }
  }

  std::optional<Step> Extend() {
    Step step{.op = "extend"};
    for (std::size_t i = 1 + dice_.Below(2); i > 0; --i) {
      const Type type = dice_.Once(5) ? Type::kDynamic : Scope().AnyType();
      const bool replace = dice_.Once(4) && !table_.columns.empty();
      std::string name =
          replace ? table_.columns[dice_.Below(table_.columns.size())].name : Fresh();
      for (const Named& other : step.values) {
        if (other.name == name) name = Fresh();
      }
      step.values.push_back({name, Scope().Of(type, 3)});
    }
    return step;
  }

  std::optional<Step> Project() {
    Step step{.op = "project"};
    for (const Column& column : table_.columns) {
      if (!dice_.Once(3)) step.values.push_back({"", ColumnExpr(column)});
    }
    if (dice_.Once(2)) {
      step.values.push_back({Fresh(), Scope().Of(Scope().AnyType(), 2)});
    }
    if (step.values.empty()) return std::nullopt;
    return step;
  }

  std::optional<Step> Columns_() {
    if (table_.columns.size() < 2) return std::nullopt;
    const std::string& one = table_.columns[dice_.Below(table_.columns.size())].name;
    if (dice_.Once(2)) return Step{.op = "project-rename", .columns = {Fresh()}, .others = {one}};
    return Step{.op = dice_.Once(2) ? "project-away" : "project-keep", .columns = {one}};
  }

  std::optional<Step> Sort(const std::string& op) {
    Step step{.op = op};
    for (std::size_t i = 1 + dice_.Below(2); i > 0; --i) {
      const ExprPtr column = Scope().AnyColumn(false);
      if (column) step.keys.push_back(Key(column));
    }
    if (step.keys.empty()) return std::nullopt;
    // Often the other columns as well, so that the order of rows is known.
    for (const Column& column : table_.columns) {
      if (op == "top" || dice_.Once(8)) break;
      const bool dynamic = column.type == Type::kDynamic;
      step.keys.push_back(Key(dynamic ? Call("tostring", Type::kString, {ColumnExpr(column)})
                                      : ColumnExpr(column)));
    }
    if (op == "top") {
      step.keys.resize(1);
      step.count = static_cast<std::int64_t>(dice_.Below(8));
    }
    return step;
  }
  SortKey Key(ExprPtr value) {
    return {.value = std::move(value),
            .descending = dice_.Once(2),
            .nulls = dice_.Once(3) ? static_cast<int>(1 + dice_.Below(2)) : 0};
  }

  std::optional<Step> Distinct() {
    Step step{.op = "distinct"};
    for (const Column& column : table_.columns) {
      if (column.type != Type::kDynamic && dice_.Once(3)) step.columns.push_back(column.name);
    }
    if (step.columns.empty()) return std::nullopt;
    return step;
  }

  Aggregate RandomAggregate() {
    Expressions scope = Scope();
    const auto value = [&](Type type) {
      const ExprPtr column = scope.ColumnOf(type);
      return column && !dice_.Once(3) ? column : scope.Of(type, 2);
    };
    const Type number = dice_.Of(std::array{Type::kLong, Type::kReal, Type::kTimespan, Type::kInt});
    const Type listed = dice_.Once(2) ? Type::kLong : Type::kString;
    const auto named = [&](std::string op, std::vector<ExprPtr> args) {
      return Aggregate{.name = Fresh(), .op = std::move(op), .args = std::move(args)};
    };
    switch (dice_.Below(13)) {
      case 0:
        return {.name = dice_.Once(2) ? "" : Fresh(), .op = "count", .args = {}};
      case 1:
        return {.name = "", .op = "countif", .args = {scope.Condition(2)}};
      case 2: {
        const ExprPtr column = scope.ColumnOf(number);
        if (!column) return named("count", {});
        return {.name = "", .op = dice_.Once(2) ? "sum" : "max", .args = {column}};
      }
      case 3:
        return named("sum", {value(number)});
      case 4:
        return named("sumif", {value(number), scope.Condition(1)});
      case 5:
        return named(dice_.Once(2) ? "min" : "max", {value(scope.AnyType())});
      case 6:
        return named(dice_.Once(2) ? "minif" : "maxif", {value(number), scope.Condition(1)});
      case 7:
        return named(dice_.Once(2) ? "avg" : "avgif",
                     {value(dice_.Once(2) ? Type::kLong : Type::kReal), scope.Condition(1)});
      case 8:
        return named("dcount", {value(scope.AnyType())});
      case 9:
        return named("dcountif", {value(scope.AnyType()), scope.Condition(1)});
      case 10:
        return named(dice_.Once(2) ? "sorted_set" : "sorted_list", {value(listed)});
      case 11:
        return named("make_list", {value(listed)});
      default:
        return named("take_any", {value(scope.AnyType())});
    }
  }

  std::optional<Step> Summarize() {
    Step step{.op = "summarize"};
    for (std::size_t i = dice_.Below(3); i > 0; --i) {
      Expressions scope = Scope();
      const ExprPtr time = scope.ColumnOf(Type::kDateTime);
      if (time && dice_.Once(3)) {
        step.values.push_back(
            {"", Call("bin", time->type, {time, LiteralOf(Whole(Type::kTimespan, kHour.ticks))})});
      } else if (dice_.Once(4)) {
        step.values.push_back({Fresh(), scope.Of(scope.AnyType(), 2)});
      } else if (const ExprPtr column = scope.AnyColumn(false)) {
        step.values.push_back({"", column});
      }
    }
    for (std::size_t i = dice_.Below(4); i > 0; --i) {
      Aggregate aggregate = RandomAggregate();
      if (aggregate.op == "avg") aggregate.args.resize(1);
      step.aggregates.push_back(std::move(aggregate));
    }
    if (dice_.Once(4)) {
      const ExprPtr of = Scope().AnyColumn(false);
      const ExprPtr other = Scope().AnyColumn(true);
      const bool fits = of && other && of->name != other->name && of->type != Type::kBool;
      if (fits) {
        step.aggregates.push_back(
            {.name = "", .op = dice_.Once(2) ? "arg_max" : "arg_min", .args = {of, other}});
      }
    }
    if (step.values.empty() && step.aggregates.empty()) return std::nullopt;
    return step;
  }

  std::optional<Step> MvExpand() {
    Step step{.op = "mv-expand"};
    Expressions scope = Scope();
    const ExprPtr column = scope.ColumnOf(Type::kDynamic);
    if (column && !dice_.Once(3)) {
      step.values.push_back({"", column});
    } else {
      step.values.push_back({Fresh(), scope.Of(Type::kDynamic, 2)});
    }
    if (dice_.Once(5)) step.values.push_back({Fresh(), scope.Of(Type::kDynamic, 2)});
    for (std::size_t i = 0; i < step.values.size(); ++i) {
      step.types.push_back(dice_.Of(
          std::array{Type::kDynamic, Type::kDynamic, Type::kLong, Type::kString, Type::kReal}));
    }
    if (dice_.Once(4)) step.kind = Fresh();
    if (dice_.Once(4)) step.count = 1 + static_cast<std::int64_t>(dice_.Below(2));
    return step;
  }

  std::optional<Step> Window() {
    if (!serialized_) return Step{.op = "serialize"};
    const ExprPtr column = Scope().AnyColumn(true);
    if (!column) return std::nullopt;
    ExprPtr value;
    switch (dice_.Below(4)) {
      case 0:
        value = Call("row_number", Type::kLong, {});
        break;
      case 1:
        value = Call("row_cumsum", Type::kLong,
                     {Call("strlen", Type::kLong, {Scope().Of(Type::kString, 1)})});
        break;
      default:
        value = Call(dice_.Once(2) ? "prev" : "next", column->type, {column});
        if (dice_.Once(2)) {
          value = Call(value->op, column->type,
                       {column, LiteralOf(Long(static_cast<std::int64_t>(1 + dice_.Below(3))))});
        }
    }
    return Step{.op = "extend", .values = {{Fresh(), value}}};
  }

  // A table to put beside this one.
  Maker Other(std::size_t steps) {
    Maker other(dice_, names_, Source());
    other.fresh_ = fresh_ + 100;
    other.Grow(steps, 0);
    fresh_ = other.fresh_;
    return other;
  }
  Query Source() {
    std::vector<std::string> names;
    for (const auto& [name, table] : names_.tables) names.push_back(name);
    return {.name = names[dice_.Below(names.size())], .cells = {}, .steps = {}};
  }

  // Pairs of columns of one type, up to two; those of one name are likely.
  static constexpr int kMostKeys = 2;
  void PickKeys(const Table& right, Step& step) {
    for (const Column& left : table_.columns) {
      if (left.type == Type::kDynamic || static_cast<int>(step.columns.size()) == kMostKeys) break;
      for (const Column& other : right.columns) {
        const bool fits = other.type == left.type && (other.name == left.name || dice_.Once(4));
        const bool used =
            std::find(step.others.begin(), step.others.end(), other.name) != step.others.end();
        if (!fits || used || dice_.Once(2)) continue;
        step.columns.push_back(left.name);
        step.others.push_back(other.name);
        break;
      }
    }
  }

  std::optional<Step> Join() {
    const Maker other = Other(dice_.Below(3));
    Step step{.op = "join",
              .kind = dice_.Of(std::array<const char*, 10>{"", "innerunique", "inner", "leftouter",
                                                           "rightouter", "fullouter", "leftsemi",
                                                           "leftanti", "rightsemi", "rightanti"})};
    step.table = std::make_shared<Query>(other.query());
    PickKeys(other.table(), step);
    if (step.columns.empty()) return std::nullopt;
    return step;
  }

  std::optional<Step> Lookup() {
    const Maker other = Other(dice_.Below(3));
    Step step{.op = "lookup",
              .kind = dice_.Of(std::array<const char*, 3>{"", "leftouter", "inner"})};
    step.table = std::make_shared<Query>(other.query());
    PickKeys(other.table(), step);
    if (step.columns.empty()) return std::nullopt;
    return step;
  }

  std::optional<Step> Union(int nesting) {
    Maker other = Other(dice_.Below(3));
    if (nesting > 1) other.Grow(1, nesting - 1);
    fresh_ = std::max(fresh_, other.fresh_);
    return Step{.op = "union",
                .kind = dice_.Once(4)   ? "inner"
                        : dice_.Once(3) ? "outer"
                                        : "",
                .table = std::make_shared<Query>(other.query())};
  }

  Dice& dice_;
  const Names& names_;
  Query query_;
  Table table_;
  bool serialized_ = false;
  int fresh_ = 0;
};

// A let of a scalar and one of a table, sometimes.
void AddLets(Dice& dice, Program& program, Names& names) {
  if (dice.Once(4)) {
    const Type type = dice.Of(std::array{Type::kString, Type::kLong, Type::kDateTime});
    Datum value = RandomValue(dice, type);
    program.lets.push_back({.name = "limit_", .value = LiteralOf(value)});
    names.scalars["limit_"] = std::move(value);
  }
  if (dice.Once(4)) {
    Maker maker(dice, names, {.name = dice.Once(2) ? "T" : "U", .cells = {}, .steps = {}});
    maker.Grow(1 + dice.Below(2), 0);
    program.lets.push_back({.name = "B",
                            .value = {},
                            .table = std::make_shared<Query>(maker.query()),
                            .kept = dice.Once(2)});
    names.tables["B"] = maker.table();
  }
}

Query Start(Dice& dice, const Names& names) {
  if (dice.Once(8)) {
    Columns columns;
    const std::size_t count = 1 + dice.Below(4);
    for (std::size_t i = 0; i < count; ++i) {
      const Type type =
          dice.Of(std::array{Type::kString, Type::kLong, Type::kReal, Type::kBool, Type::kDateTime,
                             Type::kTimespan, Type::kInt, Type::kDynamic});
      columns.push_back({"x" + std::to_string(i), type});
    }
    return {.name = "", .cells = std::make_shared<Table>(RandomTable(dice, columns)), .steps = {}};
  }
  const bool let = names.tables.contains("B") && dice.Once(2);
  return {.name = let ? "B" : dice.Once(3) ? "U" : "T", .cells = {}, .steps = {}};
}

}  // namespace

Case MakeCase(Dice& dice) {
  Case made;
  made.program.tables["T"] = RandomTable(dice, ColumnsOfT());
  made.program.tables["U"] = RandomTable(dice, ColumnsOfU());
  Names names{.tables = made.program.tables, .scalars = {}};
  AddLets(dice, made.program, names);
  Maker maker(dice, names, Start(dice, names));
  maker.Grow(1 + dice.Below(5), 2);
  made.program.query = std::make_shared<Query>(maker.query());
  made.answer = maker.table();
  return made;
}

}  // namespace picket::kql::oracle
