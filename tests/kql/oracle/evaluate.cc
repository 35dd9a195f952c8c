// Expressions, and a query's steps one after the other.

#include "tests/kql/oracle/evaluate.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace picket::kql::oracle {
namespace {

// false and null is false, true or null is true.
Datum AndOr(bool is_and, const Datum& a, const Datum& b) {
  const auto decides = [&](const Datum& each) {
    return !each.null && (each.number != 0) != is_and;
  };
  if (decides(a) || decides(b)) return Bool(!is_and);
  return a.null || b.null ? Null(Type::kBool) : Bool(is_and);
}

// Functions that look at other rows.
std::optional<Datum> WindowFunction(const Expr& expr, const Place& place) {
  const bool is =
      expr.op == "row_number" || expr.op == "prev" || expr.op == "next" || expr.op == "row_cumsum";
  if (!is) return std::nullopt;
  if (!place.table.ordered) throw Unspecified{"the order of rows"};
  const auto row = static_cast<std::int64_t>(place.row);
  if (expr.op == "row_number") return Long(row + 1);
  if (expr.op == "row_cumsum") {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i <= place.row; ++i) {
      const Datum each = Evaluate(*expr.args[0], {place.names, place.table, i});
      if (each.null) throw Unspecified{"a running sum of null"};
      if (__builtin_add_overflow(sum, each.number, &sum)) throw Unspecified{"a running overflow"};
    }
    return Long(sum);
  }
  const std::int64_t step = expr.args.size() > 1 ? expr.args[1]->value.number : 1;
  const std::int64_t other = expr.op == "prev" ? row - step : row + step;
  if (other >= 0 && other < static_cast<std::int64_t>(place.table.rows.size())) {
    return Evaluate(*expr.args[0], {place.names, place.table, static_cast<std::size_t>(other)});
  }
  return expr.args.size() > 2 ? Evaluate(*expr.args[2], place) : Null(expr.type);
}

std::optional<Datum> Function(const std::string& op, const Values& args) {
  using Kind = std::optional<Datum> (*)(const std::string&, const Values&);
  for (const Kind kind :
       {&OperatorOf, &ConversionOf, &TextFunctionOf, &DynamicFunctionOf, &TimeFunctionOf}) {
    if (std::optional<Datum> value = kind(op, args)) return value;
  }
  return std::nullopt;
}

// As the choice's type: a long among reals is a real.
Datum As(Datum value, Type type) {
  if (type == Type::kReal && value.type != Type::kReal) {
    return value.null ? Null(Type::kReal) : Real(RealOf(value));
  }
  return value;
}

Datum Choice(const Expr& expr, const Place& place) {
  for (std::size_t i = 0; i + 1 < expr.args.size(); i += 2) {
    const Datum condition = Evaluate(*expr.args[i], place);
    if (!condition.null && condition.number != 0) {
      return As(Evaluate(*expr.args[i + 1], place), expr.type);
    }
  }
  return As(Evaluate(*expr.args.back(), place), expr.type);
}

Values ValuesOf(const Expr& expr, const Place& place) {
  Values values;
  for (const ExprPtr& arg : expr.args) values.push_back(Evaluate(*arg, place));
  if (expr.op == "member") values.push_back(Text(expr.name));
  if (expr.table) {  // the list of `in`
    for (const Row& row : Evaluate(*expr.table, place.names).rows) values.push_back(row[0]);
  }
  return values;
}

Table Map(const Step& step, const Table& table, const Names& names, bool keep) {
  Table out{.columns = keep ? table.columns : Columns{}, .rows = {}, .ordered = table.ordered};
  std::vector<int> places;
  for (const Named& named : step.values) {
    const std::string name = NameOf(named);
    int at = IndexOf(out.columns, name);
    if (at < 0) {
      at = static_cast<int>(out.columns.size());
      out.columns.push_back({name, named.value->type});
    }
    out.columns[static_cast<std::size_t>(at)].type = named.value->type;
    places.push_back(at);
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Row row = keep ? table.rows[i] : Row{};
    row.resize(out.columns.size());
    for (std::size_t k = 0; k < places.size(); ++k) {
      row[static_cast<std::size_t>(places[k])] = Evaluate(*step.values[k].value, {names, table, i});
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

Table Pick(const Table& table, const std::vector<std::size_t>& places) {
  Table out{.columns = {}, .rows = {}, .ordered = table.ordered};
  for (const std::size_t place : places) out.columns.push_back(table.columns[place]);
  for (const Row& row : table.rows) {
    Row picked;
    for (const std::size_t place : places) picked.push_back(row[place]);
    out.rows.push_back(std::move(picked));
  }
  return out;
}

// project-away and project-keep keep the table's order of columns, distinct takes the list's.
Table PickNamed(const Step& step, const Table& table) {
  std::vector<std::size_t> places;
  const auto listed = [&](const std::string& name) {
    return std::find(step.columns.begin(), step.columns.end(), name) != step.columns.end();
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (listed(table.columns[i].name) == (step.op == "project-keep")) places.push_back(i);
  }
  return Pick(table, places);
}

Table Distinct(const Step& step, const Table& table) {
  std::vector<std::size_t> places;
  for (const std::string& name : step.columns) {
    places.push_back(static_cast<std::size_t>(IndexOf(table.columns, name)));
  }
  Table out = Pick(table, places);
  std::vector<Row> rows;
  for (const Row& row : out.rows) {
    const bool seen =
        std::any_of(rows.begin(), rows.end(), [&](const Row& each) { return SameRow(each, row); });
    if (!seen) rows.push_back(row);
  }
  out.rows = std::move(rows);
  out.ordered = false;
  return out;
}

// -1, 0, 1 as the key puts them.
int OrderBy(const SortKey& key, const Datum& a, const Datum& b) {
  const auto odd = [](const Datum& each) {
    return !each.null && each.type == Type::kReal && std::isnan(each.real);
  };
  if (a.null != b.null) {
    if (odd(a) || odd(b)) throw Unspecified{"NaN beside null"};
    const bool nulls_first = key.nulls == 0 ? !key.descending : key.nulls == 1;
    return a.null == nulls_first ? -1 : 1;
  }
  if (a.null) return 0;
  const std::optional<int> order = Order(a, b);
  if (!order) {
    if (Same(a, b)) return 0;
    throw Unspecified{"where NaN is sorted"};
  }
  return key.descending ? -*order : *order;
}

Table Sort(const Step& step, const Table& table, const Names& names) {
  std::vector<std::pair<Values, const Row*>> keyed;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Values values;
    for (const SortKey& key : step.keys) values.push_back(Evaluate(*key.value, {names, table, i}));
    keyed.emplace_back(std::move(values), &table.rows[i]);
  }
  const auto order = [&](const Values& a, const Values& b) {
    for (std::size_t i = 0; i < step.keys.size(); ++i) {
      if (const int by = OrderBy(step.keys[i], a[i], b[i]); by != 0) return by;
    }
    return 0;
  };
  // A plain insertion sort, which no order that is none can lead astray.
  std::vector<std::pair<Values, const Row*>> sorted;
  for (auto& each : keyed) {
    auto at = sorted.end();
    while (at != sorted.begin() && order(each.first, (at - 1)->first) < 0) --at;
    sorted.insert(at, std::move(each));
  }
  Table out{.columns = table.columns, .rows = {}, .ordered = true};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const bool tie = i > 0 && order(sorted[i - 1].first, sorted[i].first) == 0;
    if (tie && !SameRow(*sorted[i - 1].second, *sorted[i].second)) out.ordered = false;
    out.rows.push_back(*sorted[i].second);
  }
  return out;
}

Table Take(std::int64_t count, Table table) {
  const auto most = static_cast<std::size_t>(std::max<std::int64_t>(0, count));
  if (most < table.rows.size()) {
    if (!table.ordered) throw Unspecified{"which rows are taken"};
    table.rows.resize(most);
  }
  return table;
}

Table Where(const Step& step, const Table& table, const Names& names) {
  Table out{.columns = table.columns, .rows = {}, .ordered = table.ordered};
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Datum holds = Evaluate(*step.values[0].value, {names, table, i});
    if (!holds.null && holds.number != 0) out.rows.push_back(table.rows[i]);
  }
  return out;
}

Table Rename(const Step& step, Table table) {
  table.columns[static_cast<std::size_t>(IndexOf(table.columns, step.others[0]))].name =
      step.columns[0];
  return table;
}

Table ApplyOne(const Step& step, const Table& table, const Names& names) {
  if (step.op == "where") return Where(step, table, names);
  if (step.op == "extend") return Map(step, table, names, true);
  if (step.op == "project") return Map(step, table, names, false);
  if (step.op == "project-away" || step.op == "project-keep") return PickNamed(step, table);
  if (step.op == "project-rename") return Rename(step, table);
  if (step.op == "distinct") return Distinct(step, table);
  if (step.op == "sort") return Sort(step, table, names);
  if (step.op == "take") return Take(step.count, table);
  if (step.op == "top") return Take(step.count, Sort(step, table, names));
  if (step.op == "serialize") return table;
  if (step.op == "count") {
    const auto rows = static_cast<std::int64_t>(table.rows.size());
    return {.columns = {{"Count", Type::kLong}}, .rows = {{Long(rows)}}, .ordered = true};
  }
  if (step.op == "summarize") return Summarize(step, table, names);
  if (step.op == "mv-expand") return MvExpand(step, table, names);
  const Table other = Evaluate(*step.table, names);
  if (step.op == "join") return Join(step, table, other);
  if (step.op == "lookup") return Lookup(step, table, other);
  if (step.op == "union") return Union(step, table, other);
  throw std::logic_error("no step " + step.op);
}

}  // namespace

int IndexOf(const Columns& columns, const std::string& name) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string NameOf(const Named& named) {
  if (!named.name.empty()) return named.name;
  const Expr& value = *named.value;
  if (value.op == "column") return value.name;
  const bool passes = value.op == "bin" || value.op == "tostring" || value.op == "tolong";
  if (passes && value.args[0]->op == "column") return value.args[0]->name;
  throw Unspecified{"the name of " + value.op};
}

bool SameRow(const Row& a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!Same(a[i], b[i])) return false;
  }
  return true;
}

Datum Evaluate(const Expr& expr, const Place& place) {
  if (expr.op == "literal") return expr.value;
  if (expr.op == "let") return place.names.scalars.at(expr.name);
  if (expr.op == "column") {
    const int at = IndexOf(place.table.columns, expr.name);
    if (at < 0) throw std::logic_error("no column " + expr.name);
    return place.table.rows[place.row][static_cast<std::size_t>(at)];
  }
  if (expr.op == "and" || expr.op == "or") {
    return AndOr(expr.op == "and", Evaluate(*expr.args[0], place), Evaluate(*expr.args[1], place));
  }
  if (expr.op == "iff" || expr.op == "case") return Choice(expr, place);
  if (expr.op == "toscalar") {
    const Table table = Evaluate(*expr.table, place.names);
    if (table.rows.empty()) throw Unspecified{"toscalar of no rows"};
    if (table.rows.size() > 1 && !table.ordered) throw Unspecified{"toscalar of several rows"};
    return table.rows[0][0];
  }
  if (std::optional<Datum> value = WindowFunction(expr, place)) return *value;
  const std::optional<Datum> value = Function(expr.op, ValuesOf(expr, place));
  if (!value) throw std::logic_error("no function " + expr.op);
  return *value;
}

Table Apply(const Step& step, const Table& table, const Names& names) {
  Table out = ApplyOne(step, table, names);
  if (out.rows.size() > kMostRows) throw Unspecified{"too many rows"};
  return out;
}

Table Evaluate(const Query& query, const Names& names) {
  Table table = query.name.empty() ? *query.cells : names.tables.at(query.name);
  for (const Step& step : query.steps) table = Apply(step, table, names);
  return table;
}

Table Evaluate(const Program& program) {
  Names names{.tables = program.tables, .scalars = {}};
  const Table nothing{.columns = {}, .rows = {{}}, .ordered = true};
  for (const Let& let : program.lets) {
    if (let.value) {
      names.scalars[let.name] = Evaluate(*let.value, {names, nothing, 0});
    } else {
      names.tables[let.name] = Evaluate(*let.table, names);
    }
  }
  return Evaluate(*program.query, names);
}

}  // namespace picket::kql::oracle
