// join, lookup and union: every row against every row.

#include <algorithm>

#include "tests/kql/oracle/evaluate.h"

namespace picket::kql::oracle {
namespace {

std::vector<std::size_t> Places(const Columns& columns, const std::vector<std::string>& names) {
  std::vector<std::size_t> places;
  for (const std::string& name : names) {
    places.push_back(static_cast<std::size_t>(IndexOf(columns, name)));
  }
  return places;
}

Row Empty(const Columns& columns) {
  Row row;
  for (const Column& column : columns) row.push_back(Null(column.type));
  return row;
}

// The left side's columns, then the right side's; a name that is taken gets a 1.
Columns Beside(const Columns& left, const Columns& right) {
  Columns all = left;
  for (const Column& column : right) {
    std::string name = column.name;
    if (IndexOf(left, name) >= 0) name += "1";
    if (IndexOf(all, name) >= 0 || (name != column.name && IndexOf(right, name) >= 0)) {
      throw Unspecified{"the name of a second collision"};
    }
    all.push_back({name, column.type});
  }
  return all;
}

Row Beside(const Row& left, const Row& right) {
  Row row = left;
  row.insert(row.end(), right.begin(), right.end());
  return row;
}

struct Sides {
  const Table& left;
  const Table& right;
  std::vector<std::size_t> left_keys, right_keys;

  [[nodiscard]] bool Match(const Row& a, const Row& b) const {
    for (std::size_t i = 0; i < left_keys.size(); ++i) {
      if (!Same(a[left_keys[i]], b[right_keys[i]])) return false;
    }
    return true;
  }
  [[nodiscard]] bool SameKey(const Row& a, const Row& b) const {
    return std::all_of(left_keys.begin(), left_keys.end(),
                       [&](std::size_t key) { return Same(a[key], b[key]); });
  }
};

// One row of each key: the first, if the order of rows is known.
Table FirstOfEachKey(const Sides& sides) {
  Table out{.columns = sides.left.columns, .rows = {}, .ordered = false};
  for (const Row& row : sides.left.rows) {
    const auto same = std::find_if(out.rows.begin(), out.rows.end(),
                                   [&](const Row& each) { return sides.SameKey(each, row); });
    if (same == out.rows.end()) {
      out.rows.push_back(row);
    } else if (!sides.left.ordered && !SameRow(*same, row)) {
      throw Unspecified{"which row of a key is kept"};
    }
  }
  return out;
}

// Rows of one side that have (or have no) match on the other.
Table HalfJoin(const Sides& sides, bool keep_left, bool wanted) {
  const Table& kept = keep_left ? sides.left : sides.right;
  const Table& other = keep_left ? sides.right : sides.left;
  Table out{.columns = kept.columns, .rows = {}, .ordered = false};
  for (const Row& row : kept.rows) {
    const bool found = std::any_of(other.rows.begin(), other.rows.end(), [&](const Row& each) {
      return keep_left ? sides.Match(row, each) : sides.Match(each, row);
    });
    if (found == wanted) out.rows.push_back(row);
  }
  return out;
}

void AddMatches(const Sides& sides, bool unmatched_left, bool unmatched_right, Table& out) {
  const Row no_left = Empty(sides.left.columns);
  const Row no_right = Empty(sides.right.columns);
  for (const Row& a : sides.left.rows) {
    bool found = false;
    for (const Row& b : sides.right.rows) {
      if (!sides.Match(a, b)) continue;
      found = true;
      out.rows.push_back(Beside(a, b));
    }
    if (!found && unmatched_left) out.rows.push_back(Beside(a, no_right));
  }
  if (!unmatched_right) return;
  for (const Row& b : sides.right.rows) {
    const bool found = std::any_of(sides.left.rows.begin(), sides.left.rows.end(),
                                   [&](const Row& a) { return sides.Match(a, b); });
    if (!found) out.rows.push_back(Beside(no_left, b));
  }
}

}  // namespace

Table Join(const Step& step, const Table& left, const Table& right) {
  const Sides sides{left, right, Places(left.columns, step.columns),
                    Places(right.columns, step.others)};
  if (step.kind == "leftsemi") return HalfJoin(sides, true, true);
  if (step.kind == "leftanti") return HalfJoin(sides, true, false);
  if (step.kind == "rightsemi") return HalfJoin(sides, false, true);
  if (step.kind == "rightanti") return HalfJoin(sides, false, false);
  Table out{.columns = Beside(left.columns, right.columns), .rows = {}, .ordered = false};
  if (step.kind.empty() || step.kind == "innerunique") {
    const Table firsts = FirstOfEachKey(sides);
    AddMatches({firsts, right, sides.left_keys, sides.right_keys}, false, false, out);
    return out;
  }
  const bool unmatched_left = step.kind == "leftouter" || step.kind == "fullouter";
  const bool unmatched_right = step.kind == "rightouter" || step.kind == "fullouter";
  AddMatches(sides, unmatched_left, unmatched_right, out);
  return out;
}

// A join whose right keys are not repeated.
Table Lookup(const Step& step, const Table& left, const Table& right) {
  Step join = step;
  join.kind = step.kind.empty() ? "leftouter" : step.kind;
  Table renamed = right;  // so that no name collides with the left side's
  for (const std::size_t key : Places(right.columns, step.others)) {
    renamed.columns[key].name += "_key";
  }
  for (const Column& column : renamed.columns) {
    if (IndexOf(left.columns, column.name) >= 0) throw Unspecified{"a collision in lookup"};
  }
  join.others.clear();
  for (const std::string& name : step.others) join.others.push_back(name + "_key");
  const Table joined = Join(join, left, renamed);
  Table out{.columns = {}, .rows = {}, .ordered = false};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < joined.columns.size(); ++i) {
    const std::string& name = joined.columns[i].name;
    const bool key = i >= left.columns.size() &&
                     std::find(join.others.begin(), join.others.end(), name) != join.others.end();
    if (key) continue;
    places.push_back(i);
    out.columns.push_back(joined.columns[i]);
  }
  for (const Row& row : joined.rows) {
    Row picked;
    for (const std::size_t place : places) picked.push_back(row[place]);
    out.rows.push_back(std::move(picked));
  }
  return out;
}

namespace {

// Where the columns of both tables go: by name and type.
struct UnionPlan {
  Columns columns;
  std::vector<int> first, second;  // for each of the columns, its place there, or -1
};

// A name of two types makes two columns, one beside the other.
UnionPlan PlanUnion(const Columns& first, const Columns& second, bool inner) {
  UnionPlan plan;
  const auto add = [&](const std::string& name, Type type, int a, int b) {
    if (IndexOf(plan.columns, name) >= 0) throw Unspecified{"a name twice in a union"};
    plan.columns.push_back({name, type});
    plan.first.push_back(a);
    plan.second.push_back(b);
  };
  const auto split = [](const Column& column) {
    return column.name + "_" + std::string(TypeName(column.type));
  };
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto at = static_cast<int>(i);
    const int place = IndexOf(second, first[i].name);
    if (place < 0) {
      if (!inner) add(first[i].name, first[i].type, at, -1);
      continue;
    }
    const Column& other = second[static_cast<std::size_t>(place)];
    if (other.type == first[i].type) {
      add(other.name, other.type, at, place);
      continue;
    }
    if (inner) throw Unspecified{"a common name of two types"};
    add(split(first[i]), first[i].type, at, -1);
    add(split(other), other.type, -1, place);
  }
  for (std::size_t i = 0; i < second.size() && !inner; ++i) {
    if (IndexOf(first, second[i].name) >= 0) continue;
    add(second[i].name, second[i].type, -1, static_cast<int>(i));
  }
  return plan;
}

void AddRows(const Table& table, const Columns& columns, const std::vector<int>& places,
             Table& out) {
  for (const Row& row : table.rows) {
    Row made;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      made.push_back(places[i] < 0 ? Null(columns[i].type)
                                   : row[static_cast<std::size_t>(places[i])]);
    }
    out.rows.push_back(std::move(made));
  }
}

}  // namespace

Table Union(const Step& step, const Table& first, const Table& second) {
  const UnionPlan plan = PlanUnion(first.columns, second.columns, step.kind == "inner");
  if (plan.columns.empty()) throw Unspecified{"a union of no columns"};
  Table out{.columns = plan.columns, .rows = {}, .ordered = false};
  AddRows(first, plan.columns, plan.first, out);
  AddRows(second, plan.columns, plan.second, out);
  return out;
}

}  // namespace picket::kql::oracle
