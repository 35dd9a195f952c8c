#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/kql/oracle/datum.h"

namespace picket::kql::oracle {

// A query as a tree: what the generator makes, Print() writes as KQL and Evaluate() answers.

struct Expr;
struct Query;
using ExprPtr = std::shared_ptr<const Expr>;
using QueryPtr = std::shared_ptr<const Query>;

struct Expr {
  // "literal", "column", "let" (a scalar by its name), "member" (d.name), "element" (d[0]), an
  // operator ("==", "in", "and" …) or a function's name.
  std::string op;
  Type type = Type::kString;
  std::vector<ExprPtr> args;
  Datum value;       // of a literal
  std::string name;  // of a column, a let, a member
  QueryPtr table;    // of toscalar(…) and of `in (…)`, which have their values from it
};

struct Column {
  std::string name;
  Type type = Type::kString;
  bool operator==(const Column&) const = default;
};
using Columns = std::vector<Column>;
using Row = std::vector<Datum>;

struct Table {
  Columns columns;
  std::vector<Row> rows;
  bool ordered = false;  // the rows' order is known, not only which they are
};

struct Named {
  std::string name;  // "": the name comes of itself
  ExprPtr value;
};

struct SortKey {
  ExprPtr value;
  bool descending = true;
  int nulls = 0;  // 0: as the direction has them; 1: first; 2: last
};

struct Aggregate {
  std::string name;
  std::string op;             // "count", "sumif", …; sorted lists are "sorted_set", "sorted_list"
  std::vector<ExprPtr> args;  // the condition of an …if comes last
};

struct Step {
  // "where", "extend", "project", "project-away", "project-keep", "project-rename", "distinct",
  // "sort", "take", "top", "count", "summarize", "join", "lookup", "union", "mv-expand",
  // "serialize"
  std::string op;
  std::string kind{};  // of a join, lookup, union; the index column of mv-expand
  std::vector<Named> values{};
  std::vector<std::string> columns{};  // of project-away …; the keys of a join
  std::vector<std::string> others{};   // a join's keys on the right side
  std::vector<SortKey> keys{};
  std::vector<Aggregate> aggregates{};
  std::vector<Type> types{};  // mv-expand's, kDynamic: none
  std::int64_t count = 0;
  QueryPtr table{};
};

struct Query {
  std::string name;                      // of a table or a let; "": the cells
  std::shared_ptr<const Table> cells{};  // a datatable
  std::vector<Step> steps{};
};

struct Let {
  std::string name;
  ExprPtr value{};    // a scalar
  QueryPtr table{};   // or a table
  bool kept = false;  // by materialize()
};

struct Program {
  std::map<std::string, Table> tables;  // of the catalog
  std::vector<Let> lets{};
  QueryPtr query{};
};

std::string Print(const Program& program);
std::string Print(const Query& query);
std::string Print(const Expr& expr);

}  // namespace picket::kql::oracle
