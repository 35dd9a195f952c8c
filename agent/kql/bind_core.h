#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/ast.h"
#include "agent/kql/bind_expression.h"
#include "agent/kql/bind_scope.h"
#include "agent/kql/plan.h"
#include "agent/kql/table_source.h"

namespace picket::kql {

// Thrown where the columns after a plugin depend on its rows; Bind() catches it.
struct BindStage {
  PlanPtr plugin;
};

// Turns pipelines into plans. Lets and functions are expanded where they are used; how deep and how
// far is capped, so that no query of a few lines becomes a plan of millions.
class Binder {
 public:
  Binder(const Catalog& catalog, const std::vector<Schema>& known)
      : catalog_(catalog), known_(known) {}

  PlanPtr Run(const QueryAst& query);

  // A part was bound: refuses when there are too many, or they are nested too deep.
  class Step {
   public:
    Step(Binder& binder, Span span);
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { --binder_.depth_; }

   private:
    Binder& binder_;
  };

  // Counts the parts of an expression that is copied.
  void Charge(const Expression& copied, Span span);

  // Scalar calls of let functions (bind_function.cc).
  // The call's arguments, one for each parameter; nullptr where the default is meant.
  static std::vector<const Ast*> InOrder(const Scope& function, Span span,
                                         const std::vector<const Ast*>& arguments,
                                         std::size_t first);
  // `written` are the arguments as they stand, for those that are tables.
  Expression CallScalar(const Scope& function, const Ast& call, const Scope* caller,
                        const std::vector<const Ast*>& written,
                        std::vector<std::optional<Expression>> arguments);
  [[nodiscard]] bool NamesTable(const Scope* scope, std::string_view name) const;
  // Whether the expression gives rows, where it stands.
  bool IsTabular(const Ast& ast, const Scope* scope, int depth = 0) const;
  // What a table that stands in an expression gives: its first value, or the list of them.
  Expression TableValue(const Ast& ast, const Scope* scope, bool list);

 private:
  // Lets and functions (bind_function.cc).
  const Scope* Declare(const std::vector<LetAst>& lets, const Scope* scope);
  Scope* Link(const Scope* parent, Scope::Kind kind, std::string_view name);
  void DeclareScalar(const LetAst& let, const Scope* before, Scope& link);
  PlanPtr CallTable(const Scope& function, Span span, const std::vector<const Ast*>& arguments,
                    const Scope* caller, PlanPtr first);
  void Argument(const ParameterAst& parameter, const Ast* argument, const Scope* caller,
                const Scope& function, Scope& link);
  Expression ParameterValue(const ParameterAst& parameter, Expression value, Span span);
  bool IsTabular(const FunctionAst& function, const Scope* scope, int depth) const;

  // Sources (bind_source.cc).
  PlanPtr Pipe(const Pipeline& pipeline, const Scope* scope);
  PlanPtr Source(const SourceAst& source, const Scope* scope);
  PlanPtr InnerRows();
  PlanPtr TableOf(const Ast& ast, const Scope* scope);
  PlanPtr NamedTable(std::string_view name, Span span, const Scope* scope);
  PlanPtr CatalogTable(std::string_view name, Span span);
  PlanPtr Call(std::string_view name, Span span, const std::vector<const Ast*>& arguments,
               const Scope* scope);
  PlanPtr Datatable(const SourceAst& source, const Scope* scope);
  PlanPtr Print(const SourceAst& source, const Scope* scope);
  PlanPtr ExternalData(const SourceAst& source, const Scope* scope);
  PlanPtr Watchlist(std::string_view alias, Span span);
  PlanPtr Range(const SourceAst& source, const Scope* scope);
  Expression Constant(const Ast& ast, const Scope* scope);

  // Operators (bind_operator.cc, bind_project.cc, bind_summarize.cc, bind_union.cc).
  PlanPtr Operator(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Where(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Take(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Sort(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr GetSchema(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Count(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Invoke(PlanPtr input, const OperatorAst& op, const Scope* scope);
  Expression Limit(const Ast& ast, const Scope* scope);
  PlanPtr Extend(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Project(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr ProjectSome(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Reorder(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Rename(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Distinct(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Summarize(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Union(PlanPtr input, const OperatorAst& op, const Scope* scope);
  // bind_nested.cc
  PlanPtr TopHitters(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr TopNested(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Partition(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Scan(PlanPtr input, const OperatorAst& op, const Scope* scope);
  // bind_evaluate.cc
  PlanPtr Evaluate(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr BagUnpack(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Pivot(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr IpLookup(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr GeoLookup(PlanPtr input, const OperatorAst& op, const Scope* scope);
  // The rows of the plugin where they are known by now, else the end of this stage.
  PlanPtr Late(PlanPtr plugin, const OperatorAst& op);

  PlanPtr Search(PlanPtr input, const OperatorAst& op, const Scope* scope);
  Expression SearchCondition(const Ast& ast, const Schema& schema, const Scope* scope,
                             bool case_sensitive);
  // The legs of a union that a pattern stands for.
  void NamedLegs(const Pipeline& leg, const Scope* scope,
                 const std::function<void(PlanPtr, std::string)>& add);
  PlanPtr SampleDistinct(PlanPtr input, const OperatorAst& op, const Scope* scope);

  // bind_join.cc, bind_expand.cc, bind_parse.cc, bind_series.cc
  PlanPtr Join(PlanPtr input, const OperatorAst& op, const Scope* scope);
  Schema Expansion(Plan& plan, const OperatorAst& op, const Scope* scope);
  PlanPtr MvExpand(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr MvApply(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr Parse(PlanPtr input, const OperatorAst& op, const Scope* scope);
  PlanPtr MakeSeries(PlanPtr input, const OperatorAst& op, const Scope* scope);
  Expression GridBound(const OperatorAst& op, std::string_view name, const Scope* scope, Type axis);

  const Catalog& catalog_;
  const std::vector<Schema>& known_;
  std::size_t late_ = 0;
  std::deque<Scope> scopes_;
  int depth_ = 0;
  std::size_t steps_ = 0;
  std::size_t operators_ = 0;
  std::vector<Schema> inner_rows_;  // what stands before `on (…)` of each mv-apply around
};

inline const Schema kNoColumns;

PlanPtr PlanOver(PlanPtr input, Plan::Kind kind);
// A key of summarize, distinct or make-series, as a column of the plan.
void AddKey(Plan& plan, std::vector<Expression>& keys, ExpressionBinder& binder, const Ast& ast,
            int& unnamed);
// Columns that an operator makes, beside those of its input; one of the same name takes the place.
void AddMade(Plan& plan, const Schema& made);
// bind_union.cc: the table's, view's or `as` name of rows, else the other one; a column of the name
// before the others; a union's columns out of its inputs'.
std::string SourceName(const Plan& plan, std::string other);
PlanPtr WithSource(PlanPtr input, const std::string& column, std::string name);
void UnionSchema(Plan& plan, bool inner);
// Whether the rows come in an order that means something; if not, prev() and the like have no
// sense.
bool IsOrdered(const Plan& plan);
// bind_search.cc
Expression OnAnyColumn(std::string_view op, const Schema& schema, const Expression& value,
                       Span span);
inline const Ast& Inside(const Ast& ast) {
  return ast.kind == AstKind::kAssign ? *ast.children[0] : ast;
}
// The column's name: the given one, the automatic one, or the next ColumnN.
std::string ColumnName(const Ast& ast, int& unnamed);

}  // namespace picket::kql
