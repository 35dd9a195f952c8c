// Where rows come from: tables, lets, datatable, print, range.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/kql/bind_core.h"
#include "agent/kql/prune.h"
#include "base/text.h"

namespace picket::kql {
namespace {

std::vector<const Ast*> Pointers(const std::vector<AstPtr>& list) {
  std::vector<const Ast*> pointers;
  for (const AstPtr& each : list) pointers.push_back(each.get());
  return pointers;
}

}  // namespace

PlanPtr Binder::Source(const SourceAst& source, const Scope* scope) {
  switch (source.kind) {
    case SourceAst::Kind::kName:
      return NamedTable(source.name, source.span, scope);
    case SourceAst::Kind::kCall:
      return Call(source.name, source.span, Pointers(source.arguments), scope);
    case SourceAst::Kind::kPipeline:
      return Pipe(*source.inner, scope);
    case SourceAst::Kind::kDatatable:
      return Datatable(source, scope);
    case SourceAst::Kind::kPrint:
      return Print(source, scope);
    case SourceAst::Kind::kRange:
      return Range(source, scope);
    case SourceAst::Kind::kOperator:
      if (source.first->name == "union") return Union(nullptr, *source.first, scope);
      if (source.first->name == "search") return Search(nullptr, *source.first, scope);
      Refuse(source.span, "PK100",
             fmt::format("the operator '{}' is not supported yet", source.first->name));
    case SourceAst::Kind::kExternalData:
      return ExternalData(source, scope);
    case SourceAst::Kind::kInput:
      if (inner_rows_.empty()) break;
      return InnerRows();
  }
  Refuse(source.span, "PK100", "this source is not supported yet");
}

PlanPtr Binder::InnerRows() {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kInput;
  plan->schema = inner_rows_.back();
  return plan;
}

namespace {

// Whether it depends on the rows that mv-apply or partition gives its operators.
bool ReadsInput(const Plan& plan) {
  return plan.kind == Plan::Kind::kInput ||
         std::any_of(plan.inputs.begin(), plan.inputs.end(),
                     [](const PlanPtr& input) { return ReadsInput(*input); });
}

}  // namespace

// The table is bound where no row is in sight, and run once before the rows are looked at.
Expression Binder::TableValue(const Ast& ast, const Scope* scope, bool list) {
  PlanPtr plan = TableOf(ast, scope);
  if (plan->schema.empty()) Refuse(ast.span, "KS109", "the table has no column");
  if (ReadsInput(*plan)) {  // it is run once for the whole query
    Refuse(ast.span, "PK100", "a table of the rows around is not supported in an expression");
  }
  const Type type = plan->schema[0].type;
  if (list && plan->schema.size() > 1) {
    // Only the first column is looked at.
    PlanPtr project = PlanOver(std::move(plan), Plan::Kind::kProject);
    project->lists.emplace_back().push_back(ColumnOf(project->schema, 0));
    project->schema.resize(1);
    plan = std::move(project);
  }
  PruneColumns(*plan);
  Expression value;
  value.kind = list ? Expression::Kind::kTableList : Expression::Kind::kTableValue;
  value.type = list ? Type::kDynamic : type;
  value.table = std::shared_ptr<const Plan>(std::move(plan));
  return value;
}

PlanPtr Binder::TableOf(const Ast& ast, const Scope* scope) {
  if (ast.kind == AstKind::kTable) return Pipe(*ast.table, scope);
  if (ast.kind == AstKind::kName) return NamedTable(ast.text, ast.span, scope);
  if (ast.kind == AstKind::kCall) return Call(ast.text, ast.span, Pointers(ast.children), scope);
  Refuse(ast.span, "KS109", "a table is needed here, not an expression");
}

PlanPtr Binder::NamedTable(std::string_view name, Span span, const Scope* scope) {
  const Scope* found = FindName(scope, name);
  if (found == nullptr) return CatalogTable(name, span);
  const Step step(*this, span);
  switch (found->kind) {
    case Scope::Kind::kTable:
      return Pipe(*found->table, found->defined);
    case Scope::Kind::kTableAst:
      return TableOf(*found->ast, found->defined);
    case Scope::Kind::kRows:
      return ClonePlan(*found->rows);
    case Scope::Kind::kFunction:
      return CallTable(*found, span, {}, scope, nullptr);
    default:
      Refuse(span, "KS109", fmt::format("'{}' is a scalar, not a table", EscapeTerminal(name)));
  }
}

PlanPtr Binder::CatalogTable(std::string_view name, Span span) {
  if (name.find('*') != std::string_view::npos) {
    Refuse(span, "PK100", "patterns of tables' names are not supported yet");
  }
  const Schema* schema = catalog_.Find(name);
  if (schema == nullptr) {
    const std::string_view nearest = Nearest(name, catalog_.Names());
    Refuse(span, "KS204",
           fmt::format("there is no table, let or function '{}'", EscapeTerminal(name)),
           nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
  }
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kScan;
  plan->table = name;
  plan->schema = *schema;
  for (std::size_t i = 0; i < schema->size(); ++i) plan->scan_columns.push_back({i, ""});
  return plan;
}

PlanPtr Binder::Call(std::string_view name, Span span, const std::vector<const Ast*>& arguments,
                     const Scope* scope) {
  const Scope* found = FindName(scope, name);
  if (found != nullptr && found->kind == Scope::Kind::kFunction) {
    return CallTable(*found, span, arguments, scope, nullptr);
  }
  if (name == "materialize" && arguments.size() == 1) return TableOf(*arguments[0], scope);
  if (name == "_GetWatchlist" && !arguments.empty()) {
    const Expression alias = Constant(*arguments[0], scope);
    if (alias.kind != Expression::Kind::kLiteral || alias.type != Type::kString) {
      Refuse(arguments[0]->span, "KS141", "_GetWatchlist() takes the alias as a text");
    }
    return Watchlist(alias.value.text, span);
  }
  if (name == "table" && !arguments.empty()) {
    const Expression table = Constant(*arguments[0], scope);
    if (table.kind != Expression::Kind::kLiteral || table.type != Type::kString) {
      Refuse(arguments[0]->span, "KS141", "table() takes the name of a table as a text");
    }
    return CatalogTable(table.value.text, arguments[0]->span);
  }
  UnknownFunction(name, span);
}

Expression Binder::Constant(const Ast& ast, const Scope* scope) {
  return ExpressionBinder(*this, kNoColumns, scope).Bind(ast);
}

PlanPtr Binder::Datatable(const SourceAst& source, const Scope* scope) {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kRows;
  plan->schema = source.columns;
  std::vector<Expression> row;
  for (const AstPtr& value : source.values) {
    const Type type = plan->schema[row.size()].type;
    row.push_back(Convert(Constant(*value, scope), type, value->span));
    if (row.size() == plan->schema.size()) plan->lists.push_back(std::exchange(row, {}));
  }
  return plan;
}

PlanPtr Binder::Print(const SourceAst& source, const Scope* scope) {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kRows;
  std::vector<Expression> row;
  for (std::size_t i = 0; i < source.arguments.size(); ++i) {
    const Ast& ast = *source.arguments[i];
    for (auto& [name, value, of_tuple] :
         ExpressionBinder(*this, kNoColumns, scope).BindColumns(ast)) {
      if (!of_tuple && ast.kind != AstKind::kAssign) name = fmt::format("print_{}", i);
      plan->schema.push_back({UniqueName(plan->schema, std::move(name)), value.type});
      row.push_back(std::move(value));
    }
  }
  plan->lists.push_back(std::move(row));
  return plan;
}

PlanPtr Binder::Range(const SourceAst& source, const Scope* scope) {
  auto plan = std::make_unique<Plan>();
  plan->kind = Plan::Kind::kRange;
  std::vector<Expression> parts;
  bool numbers = true;
  bool real = false;
  for (const AstPtr& ast : source.arguments) {
    parts.push_back(Constant(*ast, scope));
    numbers = numbers && IsNumeric(parts.back().type);
    real = real || parts.back().type == Type::kReal;
  }
  Type type = parts[0].type;
  const bool times = (type == Type::kDateTime || type == Type::kTimespan) &&
                     parts[1].type == type && parts[2].type == Type::kTimespan;
  if (numbers) {
    const bool ints = std::all_of(parts.begin(), parts.end(),
                                  [](const Expression& part) { return part.type == Type::kInt; });
    type = real ? Type::kReal : ints ? Type::kInt : Type::kLong;
  } else if (!times) {
    Refuse(source.span, "KS138", "range needs numbers, or times with a timespan as step");
  }
  plan->schema.push_back({source.name, type});
  plan->lists.push_back(std::move(parts));
  return plan;
}

}  // namespace picket::kql
