#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/kql/diagnostic.h"
#include "agent/kql/type.h"

namespace picket::kql {

struct Pipeline;
struct QueryAst;

enum class AstKind : std::uint8_t {
  kLiteral,  // value
  kName,     // text; with a `*` in it where a pattern of names may stand
  kStar,
  kCall,    // text(children…); operators too: "==", "and", "negate" (one child)
  kMember,  // children[0].text
  kIndex,   // children[0][children[1]]
  kList,    // (a, b, …) at the right of `in`; children
  kTable,   // a tabular expression in an expression: (T | …)
  kAssign,  // text = children[0]; (a, b) = … with all names in `names`, text the first
  kTyped,   // children[0] to typeof(type); name:type in a parse pattern
};

struct Ast {
  AstKind kind = AstKind::kLiteral;
  Span span;
  std::string text;
  std::vector<std::string> names;
  Value value;
  Type type = Type::kString;
  int depth = 1;  // of the tree below; capped by the parser
  std::vector<std::unique_ptr<Ast>> children;
  std::unique_ptr<Pipeline> table;

  Ast();
  ~Ast();
  Ast(const Ast&) = delete;
  Ast& operator=(const Ast&) = delete;
};
using AstPtr = std::unique_ptr<Ast>;

struct SortKey {
  AstPtr expression;
  bool ascending = false;
  bool nulls_first = false;
};

// A word of an operator and what stands after it: "kind" = inner, "default" = 0, "limit" = 10.
struct OptionAst {
  std::string name;
  std::string text;  // a name, or a string literal's text
  AstPtr value;      // an expression, where one may stand
};

// One operator of a pipeline, as written.
struct OperatorAst {
  std::string name;  // "where", "summarize", … after aliases (filter, limit, order, mvexpand)
  Span span;
  std::vector<AstPtr> expressions;  // columns, predicates, aggregates, a parse pattern, arguments
  std::vector<AstPtr> by;           // summarize … by, make-series … by, join … on
  std::vector<SortKey> sort;
  AstPtr count;        // take, top; the text that parse reads; make-series' axis
  std::string target;  // as NAME; evaluate PLUGIN(…); invoke FUNCTION(…)
  std::vector<OptionAst> options;
  std::vector<std::unique_ptr<Pipeline>> tables;  // union's legs, join's right side, mv-apply's on
  Schema columns;                                 // parse-kv as (…), evaluate … : (…)

  [[nodiscard]] const OptionAst* Option(std::string_view option) const;
};

// Where a pipeline's rows come from.
struct SourceAst {
  enum class Kind : std::uint8_t {
    kName,  // a table, or a let
    kCall,  // a let function, table(…), or another function that gives rows
    kDatatable,
    kRange,  // arguments: from, to, step
    kPrint,
    kOperator,  // union, search, find, evaluate without an input: `first`
    kPipeline,  // (…), materialize(…)
    kExternalData,
    kInput,  // the rows that the operator around it gives: mv-apply … on (…)
  };
  Kind kind = Kind::kName;
  Span span;
  std::string name;
  std::vector<AstPtr> arguments;
  Schema columns;              // datatable, externaldata
  std::vector<AstPtr> values;  // datatable's cells; externaldata's addresses
  std::unique_ptr<Pipeline> inner;
  std::unique_ptr<OperatorAst> first;
};

struct Pipeline {
  SourceAst source;
  std::vector<OperatorAst> operators;
};

struct ParameterAst {
  std::string name;
  Span span;
  std::optional<Type> type;  // none: a table, with these columns at least
  Schema columns;
  AstPtr fallback;
};

// `(a:long, T:(x:string)) { let …; … }`
struct FunctionAst {
  std::vector<ParameterAst> parameters;
  std::unique_ptr<QueryAst> body;
  bool view = false;  // `view () {…}`: a union knows it by its name
};

struct LetAst {
  std::string name;
  Span span;
  AstPtr scalar;                    // let x = 1; also a lone name or call, which may be a table
  std::unique_ptr<Pipeline> table;  // let T = … | …;
  std::unique_ptr<FunctionAst> function;
};

// One of body and scalar is set; scalar only in a function.
struct QueryAst {
  std::vector<LetAst> lets;
  std::unique_ptr<Pipeline> body;
  AstPtr scalar;
};

}  // namespace picket::kql
