// summarize, and mv-expand.

#include <algorithm>
#include <cmath>

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

// The rows of a group, as their numbers within the table.
struct Group {
  Row keys;
  std::vector<std::size_t> rows;
};

// A sum of reals that depends on the order of its terms is not compared.
double RealSum(const Values& values) {
  double forward = 0;
  double backward = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    forward += RealOf(values[i]);
    backward += RealOf(values[values.size() - 1 - i]);
  }
  if (forward != backward && !(std::isnan(forward) && std::isnan(backward))) {
    throw Unspecified{"a sum that depends on the order"};
  }
  return forward;
}

Datum Sum(const Values& values, Type type) {
  if (type == Type::kReal) return Real(RealSum(values));
  std::uint64_t sum = 0;
  for (const Datum& each : values) sum += static_cast<std::uint64_t>(each.number);
  return Whole(type, static_cast<std::int64_t>(sum));
}

Datum Average(const Values& values) {
  for (const Datum& each : values) {
    if (std::fabs(RealOf(each)) > 1e15) throw Unspecified{"an average beyond exact sums"};
  }
  return Real(RealSum(values) / static_cast<double>(values.size()));  // NaN of none
}

Datum Extreme(const Values& values, bool max, Type type) {
  Datum best = Null(type);
  bool any = false;
  for (const Datum& each : values) {
    if (each.type == Type::kReal && std::isnan(each.real)) throw Unspecified{"the least of NaN"};
    const bool better = !any || (max ? *Order(each, best) > 0 : *Order(each, best) < 0);
    if (better) best = each;
    any = true;
  }
  if (!any && type == Type::kString) throw Unspecified{"the least of no texts"};
  return best;
}

Values DistinctOf(const Values& values) {
  Values out;
  for (const Datum& each : values) {
    const bool seen =
        std::any_of(out.begin(), out.end(), [&](const Datum& other) { return Same(other, each); });
    if (!seen) out.push_back(each);
  }
  return out;
}

Datum Collected(Values values, bool sorted) {
  if (sorted) {
    std::stable_sort(values.begin(), values.end(),
                     [](const Datum& a, const Datum& b) { return Order(a, b).value_or(0) < 0; });
  }
  Json array = Json::array();
  for (const Datum& each : values) array.push_back(ToJson(each));
  return Dynamic(array);
}

Datum AnyOf(const Values& values) {
  if (values.empty() || DistinctOf(values).size() > 1) throw Unspecified{"which value is taken"};
  return values[0];
}

class Aggregator {
 public:
  Aggregator(const Table& table, const Names& names) : table_(table), names_(names) {}

  // One value, or those of arg_max and arg_min.
  Values Of(const Aggregate& aggregate, const std::vector<std::size_t>& all) const {
    if (aggregate.op == "arg_max" || aggregate.op == "arg_min") return ArgExtreme(aggregate, all);
    const bool filtered = aggregate.op.size() > 2 &&
                          aggregate.op.substr(aggregate.op.size() - 2) == "if" &&
                          !aggregate.args.empty();
    const std::vector<std::size_t> rows = filtered ? Holding(*aggregate.args.back(), all) : all;
    const std::string op =
        filtered ? aggregate.op.substr(0, aggregate.op.size() - 2) : aggregate.op;
    if (op == "count") return {Long(static_cast<std::int64_t>(rows.size()))};
    Values every;
    for (const std::size_t row : rows) every.push_back(ValueOf(*aggregate.args[0], row));
    Values values = every;
    std::erase_if(values, [](const Datum& each) { return each.null; });
    return {Plain(op, values, every, aggregate.args[0]->type)};
  }

 private:
  [[nodiscard]] Datum ValueOf(const Expr& expr, std::size_t row) const {
    return Evaluate(expr, {names_, table_, row});
  }
  [[nodiscard]] std::vector<std::size_t> Holding(const Expr& condition,
                                                 const std::vector<std::size_t>& rows) const {
    std::vector<std::size_t> out;
    for (const std::size_t row : rows) {
      const Datum holds = ValueOf(condition, row);
      if (!holds.null && holds.number != 0) out.push_back(row);
    }
    return out;
  }
  [[nodiscard]] Datum Plain(const std::string& op, const Values& values, const Values& every,
                            Type type) const {
    if (op == "sum") return Sum(values, type == Type::kInt ? Type::kLong : type);
    if (op == "avg") return Average(values);
    if (op == "min" || op == "max") return Extreme(values, op == "max", type);
    if (op == "dcount") return Long(static_cast<std::int64_t>(DistinctOf(values).size()));
    if (op == "sorted_set") return Collected(DistinctOf(values), true);
    if (op == "sorted_list") return Collected(values, true);
    if (op == "take_any") return AnyOf(every);
    if (!table_.ordered) throw Unspecified{"the order of a list"};
    return Collected(values, false);  // make_list
  }
  [[nodiscard]] Values ArgExtreme(const Aggregate& aggregate,
                                  const std::vector<std::size_t>& rows) const {
    const auto whole = [&](std::size_t row) {
      Values values;
      for (const ExprPtr& arg : aggregate.args) values.push_back(ValueOf(*arg, row));
      return values;
    };
    Values measures;
    for (const std::size_t row : rows) measures.push_back(ValueOf(*aggregate.args[0], row));
    Values present = measures;
    std::erase_if(present, [](const Datum& each) { return each.null; });
    const Datum best = present.empty()
                           ? Null(aggregate.args[0]->type)
                           : Extreme(present, aggregate.op == "arg_max", aggregate.args[0]->type);
    std::optional<Values> found;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!Same(measures[i], best)) continue;
      Values values = whole(rows[i]);
      if (found && !SameRow(*found, values)) throw Unspecified{"a tie of arg_max"};
      found = std::move(values);
    }
    if (!found) throw Unspecified{"arg_max of no rows"};
    return *found;
  }

  const Table& table_;
  const Names& names_;
};

Type TypeOf(const Aggregate& aggregate) {
  const std::string& op = aggregate.op;
  if (op.find("count") == 0 || op.find("dcount") == 0) return Type::kLong;
  if (op.find("avg") == 0) return Type::kReal;
  if (op.find("sorted_") == 0 || op == "make_list") return Type::kDynamic;
  const Type type = aggregate.args[0]->type;
  return op.find("sum") == 0 && type == Type::kInt ? Type::kLong : type;
}

std::string NameOf(const Aggregate& aggregate) {
  if (!aggregate.name.empty()) return aggregate.name;
  const std::string& op = aggregate.op;
  if (op == "count" || op == "countif") return op + "_";
  const Expr& of = *aggregate.args[0];
  if (of.op != "column" || op == "make_list" || op.find("sorted_") == 0) {
    throw Unspecified{"an aggregate's name"};
  }
  return op == "take_any" ? of.name : op + "_" + of.name;
}

void Add(Columns& columns, const std::string& name, Type type) {
  if (IndexOf(columns, name) >= 0) throw Unspecified{"a name twice in summarize"};
  columns.push_back({name, type});
}

std::vector<Group> Groups(const Step& step, const Table& table, const Names& names) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Row keys;
    for (const Named& key : step.values) keys.push_back(Evaluate(*key.value, {names, table, i}));
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& each) { return SameRow(each.keys, keys); });
    if (group == groups.end()) group = groups.insert(group, {keys, {}});
    group->rows.push_back(i);
  }
  if (groups.empty() && step.values.empty()) groups.push_back({});  // one row of what none give
  return groups;
}

}  // namespace

Table Summarize(const Step& step, const Table& table, const Names& names) {
  Table out{.columns = {}, .rows = {}, .ordered = step.values.empty()};
  for (const Named& key : step.values) Add(out.columns, NameOf(key), key.value->type);
  for (const Aggregate& aggregate : step.aggregates) {
    if (aggregate.op != "arg_max" && aggregate.op != "arg_min") {
      Add(out.columns, NameOf(aggregate), TypeOf(aggregate));
      continue;
    }
    for (const ExprPtr& arg : aggregate.args) Add(out.columns, arg->name, arg->type);
  }
  const Aggregator aggregator(table, names);
  for (const Group& group : Groups(step, table, names)) {
    Row row = group.keys;
    for (const Aggregate& aggregate : step.aggregates) {
      for (Datum& value : aggregator.Of(aggregate, group.rows)) row.push_back(std::move(value));
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

namespace {

// What one value gives: an array its elements, a bag a bag of each member, null one null.
std::vector<Json> Parts(const Datum& value) {
  if (value.null) return {nullptr};
  if (value.json->is_array()) return {value.json->begin(), value.json->end()};
  if (!value.json->is_object()) return {*value.json};
  std::vector<Json> parts;
  for (const auto& member : value.json->items()) {
    parts.push_back(Json{{member.key(), member.value()}});
  }
  return parts;
}

// `to typeof` casts; it does not convert.
Datum Cast(const Json& part, Type type) {
  if (type == Type::kDynamic) return Dynamic(part);
  if (type == Type::kString && !part.is_null() && !part.is_string()) {
    throw Unspecified{"a cast to another kind"};
  }
  if (type == Type::kLong && part.is_number_float()) throw Unspecified{"a cast of a real"};
  return FromDynamic(part, type);
}

}  // namespace

Table MvExpand(const Step& step, const Table& table, const Names& names) {
  Table out{.columns = table.columns, .rows = {}, .ordered = table.ordered};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < step.values.size(); ++i) {
    const std::string name = NameOf(step.values[i]);
    int at = IndexOf(out.columns, name);
    if (at < 0) {
      at = static_cast<int>(out.columns.size());
      out.columns.push_back({name, step.types[i]});
    }
    out.columns[static_cast<std::size_t>(at)].type = step.types[i];
    places.push_back(static_cast<std::size_t>(at));
  }
  if (!step.kind.empty()) Add(out.columns, step.kind, Type::kLong);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    std::vector<std::vector<Json>> parts;
    std::size_t most = 0;
    bool null = false;
    for (const Named& named : step.values) {
      const Datum value = Evaluate(*named.value, {names, table, row});
      null = null || value.null;
      parts.push_back(Parts(value));
      most = std::max(most, parts.back().size());
    }
    if (parts.size() > 1 && null) throw Unspecified{"null beside an array in mv-expand"};
    if (step.count > 0) most = std::min(most, static_cast<std::size_t>(step.count));
    for (std::size_t i = 0; i < most; ++i) {
      Row made = table.rows[row];
      made.resize(out.columns.size());
      for (std::size_t k = 0; k < parts.size(); ++k) {
        made[places[k]] = Cast(i < parts[k].size() ? parts[k][i] : Json(nullptr), step.types[k]);
      }
      if (!step.kind.empty()) made.back() = Long(static_cast<std::int64_t>(i));
      out.rows.push_back(std::move(made));
    }
  }
  return out;
}

}  // namespace picket::kql::oracle
