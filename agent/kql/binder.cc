#include "agent/kql/binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agent/kql/bind_expression.h"
#include "agent/kql/prune.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMaxPipelineDepth = 64;

class Binder {
 public:
  Binder(const QueryAst& query, const Catalog& catalog) : query_(query), catalog_(catalog) {}

  PlanPtr Run() {
    for (const LetAst& let : query_.lets) {
      if (scalars_.contains(let.name) || tables_.contains(let.name)) {
        Refuse(let.span, "KS201", fmt::format("'{}' is declared twice", EscapeTerminal(let.name)));
      }
      if (let.table) {
        tables_.emplace(let.name, let.table.get());
      } else if (let.scalar->kind == AstKind::kName && !scalars_.contains(let.scalar->text) &&
                 (tables_.contains(let.scalar->text) || catalog_.Find(let.scalar->text))) {
        aliases_.emplace(let.name, let.scalar->text);
      } else {
        // Bound now for its errors, and again where it is used.
        static const Schema kNone;
        ExpressionBinder(kNone, scalars_).Bind(*let.scalar);
        scalars_.emplace(let.name, let.scalar.get());
      }
    }
    PlanPtr plan = Pipe(*query_.body);
    PruneColumns(*plan);
    return plan;
  }

 private:
  PlanPtr Pipe(const Pipeline& pipeline) {
    if (++depth_ > kMaxPipelineDepth) {
      Refuse(pipeline.source.span, "PK003", "tabular lets are nested too deep");
    }
    PlanPtr plan = Source(pipeline.source);
    for (const OperatorAst& op : pipeline.operators) plan = Operator(std::move(plan), op);
    --depth_;
    return plan;
  }

  PlanPtr Source(const SourceAst& source) {
    switch (source.kind) {
      case SourceAst::Kind::kName:
        return Table(source);
      case SourceAst::Kind::kPipeline:
        return Pipe(*source.inner);
      case SourceAst::Kind::kUnion:
        return Union(nullptr, source.union_legs);
      case SourceAst::Kind::kDatatable:
        return Datatable(source);
      case SourceAst::Kind::kPrint:
        return Print(source);
      case SourceAst::Kind::kRange:
        return Range(source);
    }
    Refuse(source.span, "PK100", "this source is not supported yet");
  }

  PlanPtr Table(const SourceAst& source) {
    std::string name = source.name;
    if (const auto alias = aliases_.find(name); alias != aliases_.end()) name = alias->second;
    if (const auto let = tables_.find(name); let != tables_.end()) return Pipe(*let->second);
    const Schema* schema = catalog_.Find(name);
    if (schema == nullptr) {
      const std::string_view nearest = Nearest(name, catalog_.Names());
      Refuse(source.span, "KS142", fmt::format("there is no table '{}'", EscapeTerminal(name)),
             nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
    }
    auto plan = std::make_unique<Plan>();
    plan->kind = Plan::Kind::kScan;
    plan->table = name;
    plan->schema = *schema;
    for (std::size_t i = 0; i < schema->size(); ++i) plan->scan_columns.push_back(i);
    return plan;
  }

  PlanPtr Datatable(const SourceAst& source) {
    auto plan = std::make_unique<Plan>();
    plan->kind = Plan::Kind::kRows;
    for (const auto& [name, type] : source.columns) plan->schema.push_back({name, type});
    static const Schema kNone;
    ExpressionBinder binder(kNone, scalars_);
    std::vector<Expression> row;
    for (const AstPtr& value : source.values) {
      const Type type = plan->schema[row.size()].type;
      Expression cell = binder.Bind(*value);
      row.push_back(cell.type == type ? std::move(cell) : Convert(std::move(cell), type, *value));
      if (row.size() == plan->schema.size()) plan->lists.push_back(std::exchange(row, {}));
    }
    return plan;
  }

  static Expression Convert(Expression cell, Type type, const Ast& ast) {
    const char* name = nullptr;
    switch (type) {
      case Type::kBool:
        name = "tobool";
        break;
      case Type::kInt:
        name = "toint";
        break;
      case Type::kLong:
        name = "tolong";
        break;
      case Type::kReal:
        name = "todouble";
        break;
      case Type::kString:
        name = "tostring";
        break;
      case Type::kDateTime:
        name = "todatetime";
        break;
      case Type::kTimespan:
        name = "totimespan";
        break;
      case Type::kGuid:
        name = "toguid";
        break;
      case Type::kDynamic:
        name = "todynamic";
        break;
    }
    const Function* function = FindFunction(name);
    if (function == nullptr) Refuse(ast.span, "KS106", "the value has the wrong type");
    Expression call;
    call.kind = Expression::Kind::kCall;
    call.type = type;
    call.function = function;
    call.arguments.push_back(std::move(cell));
    return call;
  }

  PlanPtr Print(const SourceAst& source) {
    auto plan = std::make_unique<Plan>();
    plan->kind = Plan::Kind::kRows;
    static const Schema kNone;
    ExpressionBinder binder(kNone, scalars_);
    std::vector<Expression> row;
    for (std::size_t i = 0; i < source.arguments.size(); ++i) {
      const Ast& ast = *source.arguments[i];
      const bool named = ast.kind == AstKind::kAssign;
      row.push_back(binder.Bind(named ? *ast.children[0] : ast));
      plan->schema.push_back({named ? ast.text : fmt::format("print_{}", i), row.back().type});
    }
    plan->lists.push_back(std::move(row));
    return plan;
  }

  PlanPtr Range(const SourceAst& source) {
    auto plan = std::make_unique<Plan>();
    plan->kind = Plan::Kind::kRange;
    static const Schema kNone;
    ExpressionBinder binder(kNone, scalars_);
    std::vector<Expression> parts;
    for (const AstPtr& ast : source.arguments) parts.push_back(binder.Bind(*ast));
    Type type = parts[0].type;
    if (IsNumeric(type)) {
      type = parts[0].type == Type::kReal || parts[1].type == Type::kReal ||
                     parts[2].type == Type::kReal
                 ? Type::kReal
                 : Type::kLong;
      for (const Expression& part : parts) {
        if (!IsNumeric(part.type)) Refuse(source.span, "KS106", "range needs numbers throughout");
      }
    } else if ((type == Type::kDateTime || type == Type::kTimespan) && parts[1].type == type &&
               parts[2].type == Type::kTimespan) {
      // a range of time
    } else {
      Refuse(source.span, "KS106", "range needs numbers, or times with a timespan as step");
    }
    plan->schema.push_back({source.name, type});
    plan->lists.push_back(std::move(parts));
    return plan;
  }

  static PlanPtr Over(PlanPtr input, Plan::Kind kind) {
    auto plan = std::make_unique<Plan>();
    plan->kind = kind;
    plan->schema = input->schema;
    plan->inputs.push_back(std::move(input));
    return plan;
  }

  PlanPtr Operator(PlanPtr input, const OperatorAst& op) {
    if (op.name == "where") return Where(std::move(input), op);
    if (op.name == "extend") return Extend(std::move(input), op);
    if (op.name == "project") return Project(std::move(input), op);
    if (op.name == "project-away" || op.name == "project-keep") {
      return ProjectSome(std::move(input), op);
    }
    if (op.name == "project-rename") return Rename(std::move(input), op);
    if (op.name == "distinct") return Distinct(std::move(input), op);
    if (op.name == "summarize") return Summarize(std::move(input), op);
    if (op.name == "sort" || op.name == "top") return Sort(std::move(input), op);
    if (op.name == "take") {
      PlanPtr plan = Over(std::move(input), Plan::Kind::kTake);
      plan->limit = Limit(*op.count);
      return plan;
    }
    if (op.name == "count") {
      PlanPtr plan = Over(std::move(input), Plan::Kind::kCount);
      plan->schema = {{"Count", Type::kLong}};
      return plan;
    }
    if (op.name == "union") return Union(std::move(input), op);
    return input;  // render, as, serialize change no row
  }

  Expression Limit(const Ast& ast) {
    static const Schema kNone;
    Expression limit = ExpressionBinder(kNone, scalars_).Bind(ast);
    if (!IsNumeric(limit.type)) Refuse(ast.span, "KS106", "a number of rows is needed");
    return limit;
  }

  PlanPtr Where(PlanPtr input, const OperatorAst& op) {
    for (const AstPtr& ast : op.expressions) {
      PlanPtr plan = Over(std::move(input), Plan::Kind::kFilter);
      ExpressionBinder binder(plan->inputs[0]->schema, scalars_);
      plan->lists.emplace_back().push_back(binder.BindCondition(*ast));
      input = std::move(plan);
    }
    return input;
  }

  // The column's name, Kusto's automatic one where none is given.
  static std::string NameOf(const Ast& ast, int& unnamed) {
    if (ast.kind == AstKind::kAssign) return ast.text;
    std::string name = AutomaticName(ast);
    return name.empty() ? fmt::format("Column{}", ++unnamed) : name;
  }

  static std::string Unique(const Schema& schema, std::string name) {
    if (!FindColumn(schema, name)) return name;
    for (int i = 1;; ++i) {
      std::string tried = name + std::to_string(i);
      if (!FindColumn(schema, tried)) return tried;
    }
  }

  static const Ast& Inside(const Ast& ast) {
    return ast.kind == AstKind::kAssign ? *ast.children[0] : ast;
  }

  // A column that exists already keeps its place and gets the new value.
  PlanPtr Extend(PlanPtr input, const OperatorAst& op) {
    PlanPtr plan = Over(std::move(input), Plan::Kind::kProject);
    const Schema& before = plan->inputs[0]->schema;
    std::vector<Expression>& list = plan->lists.emplace_back();
    for (std::size_t i = 0; i < before.size(); ++i) list.push_back(ColumnOf(before, i));
    ExpressionBinder binder(before, scalars_);
    std::set<std::string> given;
    int unnamed = 0;
    for (const AstPtr& ast : op.expressions) {
      Expression expression = binder.Bind(Inside(*ast));
      std::string name = NameOf(*ast, unnamed);
      if (!given.insert(name).second) {
        Refuse(ast->span, "KS171", fmt::format("the column '{}' is given twice",
                                               EscapeTerminal(name)));
      }
      if (const auto place = FindColumn(plan->schema, name)) {
        plan->schema[*place].type = expression.type;
        list[*place] = std::move(expression);
      } else {
        plan->schema.push_back({std::move(name), expression.type});
        list.push_back(std::move(expression));
      }
    }
    return plan;
  }

  PlanPtr Project(PlanPtr input, const OperatorAst& op) {
    PlanPtr plan = Over(std::move(input), Plan::Kind::kProject);
    plan->schema.clear();
    std::vector<Expression>& list = plan->lists.emplace_back();
    ExpressionBinder binder(plan->inputs[0]->schema, scalars_);
    int unnamed = 0;
    for (const AstPtr& ast : op.expressions) {
      Expression expression = binder.Bind(Inside(*ast));
      std::string name = NameOf(*ast, unnamed);
      if (FindColumn(plan->schema, name)) {
        if (ast->kind == AstKind::kAssign) {
          Refuse(ast->span, "KS171", fmt::format("the column '{}' is given twice",
                                                 EscapeTerminal(name)));
        }
        name = Unique(plan->schema, std::move(name));
      }
      plan->schema.push_back({std::move(name), expression.type});
      list.push_back(std::move(expression));
    }
    return plan;
  }

  static bool Fits(std::string_view pattern, std::string_view name) {
    if (!pattern.empty() && pattern.back() == '*') {
      pattern.remove_suffix(1);
      return name.substr(0, pattern.size()) == pattern;
    }
    return pattern == name;
  }

  PlanPtr ProjectSome(PlanPtr input, const OperatorAst& op) {
    const bool keep = op.name == "project-keep";
    PlanPtr plan = Over(std::move(input), Plan::Kind::kProject);
    const Schema& before = plan->inputs[0]->schema;
    plan->schema.clear();
    std::vector<Expression>& list = plan->lists.emplace_back();
    for (const AstPtr& ast : op.expressions) {
      const bool any = ast->kind == AstKind::kStar ||
                       std::any_of(before.begin(), before.end(), [&](const ColumnSchema& column) {
                         return Fits(ast->text, column.name);
                       });
      if (!any && ast->text.find('*') == std::string::npos) {
        ExpressionBinder(before, scalars_).Bind(*ast);  // says what is unknown
      }
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
      const bool named =
          std::any_of(op.expressions.begin(), op.expressions.end(), [&](const AstPtr& ast) {
            return ast->kind == AstKind::kStar || Fits(ast->text, before[i].name);
          });
      if (named != keep) continue;
      plan->schema.push_back(before[i]);
      list.push_back(ColumnOf(before, i));
    }
    return plan;
  }

  PlanPtr Rename(PlanPtr input, const OperatorAst& op) {
    PlanPtr plan = Over(std::move(input), Plan::Kind::kProject);
    const Schema& before = plan->inputs[0]->schema;
    std::vector<Expression>& list = plan->lists.emplace_back();
    for (std::size_t i = 0; i < before.size(); ++i) list.push_back(ColumnOf(before, i));
    for (const AstPtr& ast : op.expressions) {
      if (ast->kind != AstKind::kAssign) Refuse(ast->span, "KS006", "write new = old");
      const Expression old = ExpressionBinder(before, scalars_).Bind(*ast->children[0]);
      if (old.kind != Expression::Kind::kColumn) Refuse(ast->span, "KS006", "write new = old");
      plan->schema[old.column].name = ast->text;
    }
    return plan;
  }

  PlanPtr Distinct(PlanPtr input, const OperatorAst& op) {
    PlanPtr plan = Over(std::move(input), Plan::Kind::kSummarize);
    const Schema& before = plan->inputs[0]->schema;
    std::vector<Expression>& keys = plan->lists.emplace_back();
    plan->schema.clear();
    ExpressionBinder binder(before, scalars_);
    int unnamed = 0;
    for (const AstPtr& ast : op.expressions) {
      if (ast->kind == AstKind::kStar) {
        for (std::size_t i = 0; i < before.size(); ++i) {
          keys.push_back(ColumnOf(before, i));
          plan->schema.push_back(before[i]);
        }
        continue;
      }
      AddKey(*plan, keys, binder, *ast, unnamed);
    }
    return plan;
  }

  void AddKey(Plan& plan, std::vector<Expression>& keys, ExpressionBinder& binder, const Ast& ast,
              int& unnamed) {
    Expression key = binder.Bind(Inside(ast));
    if (key.type == Type::kDynamic) {
      Refuse(ast.span, "KS116", "a dynamic cannot be a key; convert it, as by tostring()");
    }
    plan.schema.push_back({Unique(plan.schema, NameOf(ast, unnamed)), key.type});
    keys.push_back(std::move(key));
  }

  PlanPtr Summarize(PlanPtr input, const OperatorAst& op) {
    PlanPtr plan = Over(std::move(input), Plan::Kind::kSummarize);
    std::vector<Expression> keys;
    plan->schema.clear();
    ExpressionBinder binder(plan->inputs[0]->schema, scalars_);
    int unnamed = 0;
    for (const AstPtr& ast : op.by) AddKey(*plan, keys, binder, *ast, unnamed);
    plan->lists.push_back(std::move(keys));
    for (const AstPtr& ast : op.expressions) AddAggregate(*plan, binder, *ast, op);
    return plan;
  }

  void AddAggregate(Plan& plan, ExpressionBinder& binder, const Ast& ast, const OperatorAst& op) {
    const Ast& call = Inside(ast);
    std::string name = call.text;
    if (name == "makeset") name = "make_set";
    if (name == "makelist") name = "make_list";
    const AggregateFunction* function =
        call.kind == AstKind::kCall ? FindAggregate(name) : nullptr;
    if (function == nullptr) {
      Refuse(call.span, call.kind == AstKind::kCall ? "KS211" : "KS006",
             "an aggregate that is known is needed here; calculations over aggregates are not "
             "supported yet");
    }
    const bool arg = name == "arg_max" || name == "arg_min";
    BoundAggregate aggregate{.function = function, .arguments = {}, .outputs = 1};
    Schema outputs;
    for (std::size_t i = 0; i < call.children.size(); ++i) {
      const Ast& child = *call.children[i];
      if (arg && child.kind == AstKind::kStar) {
        AddAllColumns(plan, call, op, aggregate, outputs);
        continue;
      }
      aggregate.arguments.push_back(binder.Bind(Inside(child)));
      if (arg) {
        outputs.push_back({AutomaticName(Inside(child)), aggregate.arguments.back().type});
      }
    }
    if (aggregate.arguments.size() < function->min_arguments ||
        aggregate.arguments.size() > function->max_arguments) {
      Refuse(call.span, "KS119", fmt::format("{}() has the wrong number of arguments", name));
    }
    std::vector<Type> types;
    for (const Expression& argument : aggregate.arguments) types.push_back(argument.type);
    std::string why;
    const std::optional<Type> type = function->bind(types, why);
    if (!type) Refuse(call.span, "KS106", fmt::format("{}(): {}", name, why));
    if (arg) {
      if (ast.kind == AstKind::kAssign) outputs[0].name = ast.text;
      if (outputs[0].name.empty()) outputs[0].name = std::string(function->prefix);
    } else {
      std::string label = ast.kind == AstKind::kAssign ? ast.text : std::string(function->prefix);
      if (ast.kind != AstKind::kAssign && !call.children.empty() && name != "count" &&
          name != "countif") {
        label += AutomaticName(*call.children[0]);
      }
      outputs.push_back({std::move(label), *type});
    }
    aggregate.outputs = outputs.size();
    for (ColumnSchema& output : outputs) {
      plan.schema.push_back({Unique(plan.schema, output.name), output.type});
    }
    plan.aggregates.push_back(std::move(aggregate));
  }

  // arg_max(x, *): every column that is no key and not x itself.
  void AddAllColumns(const Plan& plan, const Ast& call, const OperatorAst& op,
                     BoundAggregate& aggregate, Schema& outputs) {
    const Schema& before = plan.inputs[0]->schema;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const bool key = std::any_of(op.by.begin(), op.by.end(), [&](const AstPtr& by) {
        return by->kind == AstKind::kName && by->text == before[i].name;
      });
      const bool extreme = call.children[0]->kind == AstKind::kName &&
                           call.children[0]->text == before[i].name;
      if (key || extreme) continue;
      aggregate.arguments.push_back(ColumnOf(before, i));
      outputs.push_back(before[i]);
    }
  }

  PlanPtr Sort(PlanPtr input, const OperatorAst& op) {
    PlanPtr plan = Over(std::move(input), Plan::Kind::kSort);
    ExpressionBinder binder(plan->inputs[0]->schema, scalars_);
    for (const SortKey& key : op.sort) {
      BoundSortKey bound{.expression = binder.Bind(*key.expression),
                         .ascending = key.ascending,
                         .nulls_first = key.nulls_first};
      if (bound.expression.type == Type::kDynamic) {
        Refuse(key.expression->span, "KS116", "a dynamic has no order; convert it first");
      }
      plan->sort.push_back(std::move(bound));
    }
    if (op.count) plan->limit = Limit(*op.count);
    return plan;
  }

  PlanPtr Union(PlanPtr input, const OperatorAst& op) {
    auto plan = std::make_unique<Plan>();
    plan->kind = Plan::Kind::kUnion;
    bool fuzzy = false;
    bool inner = false;
    for (const auto& [name, value] : op.options) {
      if (name == "isfuzzy") fuzzy = value == "true";
      if (name == "kind") inner = value == "inner";
      if (name == "withsource" || name == "with_source") {
        Refuse(op.span, "PK100", "union withsource is not supported yet");
      }
    }
    if (input) plan->inputs.push_back(std::move(input));
    for (const auto& leg : op.tables) {
      try {
        plan->inputs.push_back(Pipe(*leg));
      } catch (const BindStop&) {
        if (!fuzzy) throw;
      }
    }
    if (plan->inputs.empty()) Refuse(op.span, "KS142", "none of the union's tables is known");
    UnionSchema(*plan, inner);
    return plan;
  }

  // By name and type: one name with several types becomes name_type of each.
  static void UnionSchema(Plan& plan, bool inner) {
    std::vector<std::pair<std::string, std::vector<Type>>> names;
    for (const PlanPtr& input : plan.inputs) {
      for (const ColumnSchema& column : input->schema) {
        auto found = std::find_if(names.begin(), names.end(),
                                  [&](const auto& entry) { return entry.first == column.name; });
        if (found == names.end()) {
          names.push_back({column.name, {}});
          found = names.end() - 1;
        }
        auto& types = found->second;
        if (std::find(types.begin(), types.end(), column.type) == types.end()) {
          types.push_back(column.type);
        }
      }
    }
    plan.union_columns.resize(plan.inputs.size());
    for (const auto& [name, types] : names) {
      for (const Type type : types) {
        std::vector<std::optional<std::size_t>> places;
        for (const PlanPtr& input : plan.inputs) {
          auto place = FindColumn(input->schema, name);
          if (place && input->schema[*place].type != type) place.reset();
          places.push_back(place);
        }
        const bool everywhere =
            std::all_of(places.begin(), places.end(), [](const auto& p) { return p.has_value(); });
        if (inner && !everywhere) continue;
        plan.schema.push_back(
            {types.size() > 1 ? fmt::format("{}_{}", name, TypeName(type)) : name, type});
        for (std::size_t i = 0; i < places.size(); ++i) plan.union_columns[i].push_back(places[i]);
      }
    }
  }

  const QueryAst& query_;
  const Catalog& catalog_;
  ExpressionBinder::Lets scalars_;
  std::map<std::string, const Pipeline*, std::less<>> tables_;
  std::map<std::string, std::string, std::less<>> aliases_;
  int depth_ = 0;
};

}  // namespace

BindResult Bind(const QueryAst& query, std::string_view text, const Catalog& catalog) {
  BindResult result;
  try {
    result.plan = Binder(query, catalog).Run();
  } catch (BindStop& stop) {
    Locate(stop.diagnostic, text);
    result.error = std::move(stop.diagnostic);
  }
  return result;
}

}  // namespace picket::kql
