#pragma once

#include <map>
#include <optional>
#include <string>

#include "tests/kql/oracle/tree.h"

namespace picket::kql::oracle {

// What names stand for.
struct Names {
  std::map<std::string, Table> tables;  // of the catalog, and lets
  std::map<std::string, Datum> scalars;
};

// Where an expression is looked at: one row of a table.
struct Place {
  const Names& names;
  const Table& table;
  std::size_t row;
};

// Each throws Unspecified.
Datum Evaluate(const Expr& expr, const Place& place);
// The table after one step.
Table Apply(const Step& step, const Table& table, const Names& names);
Table Evaluate(const Query& query, const Names& names);
Table Evaluate(const Program& program);

// More rows than this are refused as Unspecified: the tables are to stay small.
inline constexpr std::size_t kMostRows = 600;

// The kinds of functions, each by its file; nullopt: it is none of them. Arguments are values.
using Values = std::vector<Datum>;
std::optional<Datum> OperatorOf(const std::string& op, const Values& args);
std::optional<Datum> TextFunctionOf(const std::string& op, const Values& args);
std::optional<Datum> TimeFunctionOf(const std::string& op, const Values& args);
std::optional<Datum> DynamicFunctionOf(const std::string& op, const Values& args);
std::optional<Datum> ConversionOf(const std::string& op, const Values& args);

// The steps of more than a few lines.
Table Join(const Step& step, const Table& left, const Table& right);
Table Lookup(const Step& step, const Table& left, const Table& right);
Table Union(const Step& step, const Table& first, const Table& second);
Table Summarize(const Step& step, const Table& table, const Names& names);
Table MvExpand(const Step& step, const Table& table, const Names& names);

// -1: not there.
int IndexOf(const Columns& columns, const std::string& name);
// The name that a value without one gets: its column's, or that of what bin() and tostring() are
// of. Throws Unspecified when it has none.
std::string NameOf(const Named& named);
bool SameRow(const Row& a, const Row& b);

}  // namespace picket::kql::oracle
