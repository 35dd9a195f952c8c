#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/kql/diagnostic.h"
#include "agent/kql/type.h"

namespace picket::kql {

struct Pipeline;

enum class AstKind : std::uint8_t {
  kLiteral,  // value
  kName,     // text
  kStar,
  kCall,     // text(children…); operators too: "==", "and", "-" (one child: negation)
  kMember,   // children[0].text
  kIndex,    // children[0][children[1]]
  kList,     // (a, b, …) at the right of `in`; children
  kTable,    // a tabular expression in an expression: (T | …), toscalar(…)
  kAssign,   // text = children[0]; also (a, b) = … with more names in `names`
};

struct Ast {
  AstKind kind = AstKind::kLiteral;
  Span span;
  std::string text;
  std::vector<std::string> names;
  Value value;
  std::vector<std::unique_ptr<Ast>> children;
  std::unique_ptr<Pipeline> table;
};
using AstPtr = std::unique_ptr<Ast>;

struct SortKey {
  AstPtr expression;
  bool ascending = false;
  bool nulls_first = false;
};

// One operator of a pipeline, as written.
struct OperatorAst {
  std::string name;  // "where", "summarize", … after aliases (filter, limit, order)
  Span span;
  std::vector<AstPtr> expressions;  // columns, predicates, aggregates
  std::vector<AstPtr> by;           // summarize … by
  std::vector<SortKey> sort;
  AstPtr count;                     // take, top
  std::vector<std::pair<std::string, std::string>> options;  // kind=inner, isfuzzy=true
  std::vector<std::unique_ptr<Pipeline>> tables;             // union's legs, join's right side
};

// Where a pipeline's rows come from.
struct SourceAst {
  enum class Kind : std::uint8_t { kName, kDatatable, kRange, kPrint, kUnion, kPipeline };
  Kind kind = Kind::kName;
  Span span;
  std::string name;                                  // of a table, or of a let
  std::vector<AstPtr> arguments;                     // of a let function; range's; print's
  std::vector<std::pair<std::string, Type>> columns;  // datatable
  std::vector<AstPtr> values;                        // datatable's cells
  std::unique_ptr<Pipeline> inner;                   // (…)
  OperatorAst union_legs;
};

struct Pipeline {
  SourceAst source;
  std::vector<OperatorAst> operators;
};

struct LetAst {
  std::string name;
  Span span;
  AstPtr scalar;                   // let x = 1;
  std::unique_ptr<Pipeline> table;  // let T = …;
};

struct QueryAst {
  std::vector<LetAst> lets;
  std::unique_ptr<Pipeline> body;
};

}  // namespace picket::kql
