#include <utility>

#include "tests/kql/oracle/generator.h"

namespace picket::kql::oracle {
namespace {

template <std::size_t N>
std::string OneOf(Dice& dice, const std::array<const char*, N>& names) {
  return dice.Of(names);
}

ExprPtr TextLiteral(std::string text) { return LiteralOf(Text(std::move(text))); }

// A piece of a text that is likely to stand in one.
std::string RandomPattern(Dice& dice) {
  return dice.Of(std::array<const char*, 20>{
      "a",   "ann",  "ANN", "b", "zoë", "ZOË", "x.org", "user", "write", "привет",
      "мир", "日本", "b c", "",  "1",   "s",   "@",     "t",    "mac",   "text of"});
}

}  // namespace

ExprPtr LiteralOf(Datum value) {
  const Type type = value.type;
  return std::make_shared<Expr>(Expr{.op = "literal",
                                     .type = type,
                                     .args = {},
                                     .value = std::move(value),
                                     .name = {},
                                     .table = {}});
}

ExprPtr ColumnExpr(const Column& column) {
  return std::make_shared<Expr>(Expr{.op = "column",
                                     .type = column.type,
                                     .args = {},
                                     .value = {},
                                     .name = column.name,
                                     .table = {}});
}

ExprPtr Call(std::string op, Type type, std::vector<ExprPtr> args) {
  return std::make_shared<Expr>(Expr{.op = std::move(op),
                                     .type = type,
                                     .args = std::move(args),
                                     .value = {},
                                     .name = {},
                                     .table = {}});
}

ExprPtr Expressions::ColumnOf(Type type) {
  std::vector<const Column*> found;
  for (const Column& column : columns_) {
    if (column.type == type) found.push_back(&column);
  }
  return found.empty() ? nullptr : ColumnExpr(*found[dice_.Below(found.size())]);
}

ExprPtr Expressions::AnyColumn(bool with_dynamics) {
  std::vector<const Column*> found;
  for (const Column& column : columns_) {
    if (with_dynamics || column.type != Type::kDynamic) found.push_back(&column);
  }
  return found.empty() ? nullptr : ColumnExpr(*found[dice_.Below(found.size())]);
}

Type Expressions::AnyType() {
  return dice_.Of(std::array{Type::kString, Type::kLong, Type::kReal, Type::kDateTime,
                             Type::kTimespan, Type::kBool, Type::kString, Type::kLong});
}

ExprPtr Expressions::Simple(Type type) {
  if (!dice_.Once(4)) {
    if (ExprPtr column = ColumnOf(type)) return column;
  }
  if (!names_.scalars.empty() && dice_.Once(4)) {
    for (const auto& [name, value] : names_.scalars) {
      if (value.type != type) continue;
      return std::make_shared<Expr>(
          Expr{.op = "let", .type = type, .args = {}, .value = {}, .name = name, .table = {}});
    }
  }
  return LiteralOf(RandomValue(dice_, type));
}

ExprPtr Expressions::Of(Type type, int depth) {
  if (depth <= 0 || dice_.Once(3)) {
    return type == Type::kBool && depth > 0 ? BoolOf(depth) : Simple(type);
  }
  return Compound(type, depth - 1);
}

ExprPtr Expressions::Compound(Type type, int depth) {
  if (type != Type::kBool && dice_.Once(6)) return ChoiceOf(type, depth);
  switch (type) {
    case Type::kBool:
      return BoolOf(depth);
    case Type::kLong:
      return LongOf(depth);
    case Type::kInt:
      return Call("toint", type, {Of(dice_.Once(2) ? Type::kLong : Type::kString, depth)});
    case Type::kReal:
      return RealOf(depth);
    case Type::kDateTime:
      return DateTimeOf(depth);
    case Type::kTimespan:
      return TimespanOf(depth);
    case Type::kDynamic:
      return DynamicOf(depth);
    default:
      return StringOf(depth);
  }
}

ExprPtr Expressions::ChoiceOf(Type type, int depth) {
  switch (dice_.Below(4)) {
    case 0:
      return Call("iff", type, {Condition(depth), Of(type, depth), Of(type, depth)});
    case 1:
      return Call(
          "case", type,
          {Condition(depth), Of(type, depth), Condition(depth), Of(type, depth), Of(type, depth)});
    case 2:
      if (type == Type::kDynamic || type == Type::kString || type == Type::kInt) break;
      return Call(dice_.Once(2) ? "max_of" : "min_of", type, {Of(type, depth), Of(type, depth)});
    default:
      break;
  }
  return Call("coalesce", type, {Of(type, depth), Of(type, depth)});
}

ExprPtr Expressions::BoolOf(int depth) {
  switch (dice_.Below(11)) {
    case 0:
      return Call("and", Type::kBool, {Condition(depth - 1), Condition(depth - 1)});
    case 1:
      return Call("or", Type::kBool, {Condition(depth - 1), Condition(depth - 1)});
    case 2:
      return Call("not", Type::kBool, {Condition(depth - 1)});
    case 3:
      return Call(OneOf(dice_, std::array{"isnull", "isnotnull"}), Type::kBool,
                  {Of(AnyType(), depth - 1)});
    case 4:
      return Call(OneOf(dice_, std::array{"isempty", "isnotempty"}), Type::kBool,
                  {Of(dice_.Once(3) ? Type::kDynamic : Type::kString, depth - 1)});
    case 5:
    case 6:
      return TextCondition(depth - 1);
    case 7:
      return Membership(depth - 1);
    case 8:
      return DynamicCondition(depth - 1);
    default:
      return Comparison(depth - 1);
  }
}

ExprPtr Expressions::Comparison(int depth) {
  const Type type = AnyType();
  if (type == Type::kLong && depth > 0 && dice_.Once(5)) return ComparisonWithTable(depth);
  if (dice_.Once(16)) {  // the end as a span after the start
    return Call("between", Type::kBool,
                {Of(Type::kDateTime, 0), LiteralOf(RandomValue(dice_, Type::kDateTime)),
                 LiteralOf(RandomValue(dice_, Type::kTimespan))});
  }
  if (type == Type::kString && dice_.Once(3)) {  // a text against a number
    return Call(OneOf(dice_, std::array{"==", "!="}), Type::kBool,
                {Of(type, depth), LiteralOf(RandomValue(dice_, Type::kLong))});
  }
  if (type != Type::kBool && type != Type::kString && dice_.Once(5)) {
    return Call(
        OneOf(dice_, std::array{"between", "!between"}), Type::kBool,
        {Of(type, 0), LiteralOf(RandomValue(dice_, type)), LiteralOf(RandomValue(dice_, type))});
  }
  if (type == Type::kBool || dice_.Once(3)) {
    return Call(OneOf(dice_, std::array{"==", "!="}), Type::kBool,
                {Of(type, depth), Of(type, depth)});
  }
  const Type other = type == Type::kLong && dice_.Once(3) ? Type::kReal : type;
  return Call(OneOf(dice_, std::array{"<", "<=", ">", ">="}), Type::kBool,
              {Of(type, depth), Of(other, depth)});
}

// A number against one that a table gives.
ExprPtr Expressions::ComparisonWithTable(int depth) {
  Query query;
  query.name = dice_.Once(2) ? "T" : "U";
  const ExprPtr n = ColumnExpr({"n", Type::kLong});
  Step summarize{.op = "summarize"};
  summarize.aggregates.push_back(
      {.name = "m", .op = OneOf(dice_, std::array{"max", "min", "dcount"}), .args = {n}});
  query.steps.push_back(std::move(summarize));
  auto scalar = std::make_shared<Expr>(*Call("toscalar", Type::kLong, {}));
  scalar->table = std::make_shared<Query>(std::move(query));
  return Call(OneOf(dice_, std::array{"<", "<=", ">", "=="}), Type::kBool,
              {Of(Type::kLong, depth), scalar});
}

ExprPtr Expressions::TextCondition(int depth) {
  if (dice_.Once(8)) {
    return Call(
        "matches regex", Type::kBool,
        {Of(Type::kString, depth),
         TextLiteral(dice_.Of(std::array<const char*, 8>{
             "^[a-z]+$", "a.*b", "[0-9]{2}", "^$", "(ann|bob)", "[^a-z]", "b?c*d|x", "^a[^b]"}))});
  }
  if (dice_.Once(6)) {
    std::vector<ExprPtr> args = {Of(Type::kString, depth)};
    for (std::size_t i = 1 + dice_.Below(3); i > 0; --i) {
      args.push_back(TextLiteral(RandomPattern(dice_)));
    }
    return Call(dice_.Once(2) ? "has_any" : "has_all", Type::kBool, std::move(args));
  }
  const std::string op = OneOf(
      dice_, std::array{"==",          "=~",           "!=",         "!~",        "has",
                        "!has",        "has_cs",       "contains",   "!contains", "contains_cs",
                        "startswith",  "!startswith",  "endswith",   "!endswith", "startswith_cs",
                        "endswith_cs", "hasprefix",    "!hasprefix", "hassuffix", "!hassuffix",
                        "!has_cs",     "!contains_cs", "has",        "contains",  "=="});
  ExprPtr pattern = dice_.Once(4) ? Of(Type::kString, depth) : TextLiteral(RandomPattern(dice_));
  return Call(op, Type::kBool, {Of(Type::kString, depth), std::move(pattern)});
}

ExprPtr Expressions::DynamicCondition(int depth) {
  switch (dice_.Below(7)) {
    case 5:
      return Call("bag_has_key", Type::kBool,
                  {Of(Type::kDynamic, depth), TextLiteral(dice_.Once(2) ? "os" : "n")});
    case 6:
      return Call(OneOf(dice_, std::array{"isnan", "isinf", "isfinite"}), Type::kBool,
                  {Of(Type::kReal, depth)});
    case 0:
      return Call(OneOf(dice_, std::array{"has", "contains", "!has", "!contains"}), Type::kBool,
                  {Of(Type::kDynamic, depth), TextLiteral(RandomPattern(dice_))});
    case 1:
      return Call(OneOf(dice_, std::array{"==", "!=", "=~"}), Type::kBool,
                  {Path(), TextLiteral(dice_.Once(2) ? "mac" : RandomPattern(dice_))});
    case 2:
      return Call(
          "set_has_element", Type::kBool,
          {Of(Type::kDynamic, 0), LiteralOf(dice_.Once(2) ? Long(2) : Text(RandomPattern(dice_)))});
    case 3:
      return Call(OneOf(dice_, std::array{"==", "!="}), Type::kBool,
                  {Path(), LiteralOf(Long(static_cast<std::int64_t>(dice_.Below(6))))});
    default:
      return Call(OneOf(dice_, std::array{"isnull", "isnotnull"}), Type::kBool,
                  {Of(Type::kDynamic, depth)});
  }
}

ExprPtr Expressions::Membership(int depth) {
  if (dice_.Once(3)) return MembershipInTable(depth);
  const Type type = dice_.Once(2) ? Type::kString : Type::kLong;
  std::vector<ExprPtr> args = {Of(type, depth)};
  for (std::size_t i = 1 + dice_.Below(4); i > 0; --i) {
    Datum item = RandomValue(dice_, dice_.Once(6) ? Type::kLong : type);
    if (!item.null) args.push_back(LiteralOf(std::move(item)));
  }
  if (args.size() == 1) args.push_back(LiteralOf(type == Type::kString ? Text("ann") : Long(2)));
  const std::string op = type == Type::kString
                             ? OneOf(dice_, std::array{"in", "!in", "in~", "!in~"})
                             : OneOf(dice_, std::array{"in", "!in"});
  return Call(op, Type::kBool, std::move(args));
}

ExprPtr Expressions::MembershipInTable(int depth) {
  Query query;
  query.name = dice_.Once(2) ? "T" : "U";
  const Columns& columns = names_.tables.at(query.name).columns;
  const Names none{.tables = {}, .scalars = names_.scalars};
  Expressions inner(dice_, none, columns);
  // Conditions that name no further table: they would be looked at for each row.
  query.steps.push_back({.op = "where", .values = {{"", inner.Comparison(0)}}});
  query.steps.push_back({.op = "project", .values = {{"", ColumnExpr({"user", Type::kString})}}});
  return std::make_shared<Expr>(Expr{.op = OneOf(dice_, std::array{"in", "!in", "in~"}),
                                     .type = Type::kBool,
                                     .args = {Of(Type::kString, depth)},
                                     .value = {},
                                     .name = {},
                                     .table = std::make_shared<Query>(std::move(query))});
}

ExprPtr Expressions::LongOf(int depth) {
  const Type type = Type::kLong;
  switch (dice_.Below(14)) {
    case 12:
      return Call(OneOf(dice_, std::array{"binary_and", "binary_or", "binary_xor"}), type,
                  {Of(type, depth), Of(type, depth)});
    case 13:
      return Call("array_index_of", type,
                  {Of(Type::kDynamic, depth),
                   LiteralOf(dice_.Once(2) ? Long(2) : Text(RandomPattern(dice_)))});
    case 0:
    case 1:
    case 2:
    case 3: {
      const Type other = dice_.Once(6) ? Type::kInt : type;
      return Call(OneOf(dice_, std::array{"+", "-", "*", "/", "%"}), type,
                  {Of(type, depth), Of(other, depth)});
    }
    case 4:
      return Call("strlen", type, {Of(Type::kString, depth)});
    case 5:
      return Call("indexof", type, {Of(Type::kString, depth), TextLiteral(RandomPattern(dice_))});
    case 6:
      return Call(
          "tolong", type,
          {dice_.Once(3) ? Path() : Of(dice_.Once(2) ? Type::kString : Type::kReal, depth)});
    case 7:
      return Call("array_length", type, {Of(Type::kDynamic, depth)});
    case 8:
      return Call(OneOf(dice_, std::array{"hourofday", "dayofmonth", "monthofyear", "dayofyear"}),
                  type, {Of(Type::kDateTime, depth)});
    case 9:
      return Call("datetime_diff", type,
                  {TextLiteral(OneOf(
                       dice_, std::array{"year", "month", "day", "hour", "minute", "second"})),
                   Of(Type::kDateTime, depth), Of(Type::kDateTime, depth)});
    case 10:
      return Call("bin", type,
                  {Of(type, depth),
                   LiteralOf(Long(dice_.Of(std::array<std::int64_t, 5>{1, 2, 5, 10, 0})))});
    default:
      if (dice_.Once(2)) {
        return Call("countof", type, {Of(Type::kString, depth), TextLiteral(RandomPattern(dice_))});
      }
      return Call(dice_.Once(2) ? "abs" : "negate", type, {Of(type, depth)});
  }
}

ExprPtr Expressions::RealOf(int depth) {
  const Type type = Type::kReal;
  switch (dice_.Below(6)) {
    case 0:
    case 1:
    case 2: {
      ExprPtr left = Of(type, depth);
      ExprPtr right = Of(dice_.Once(3) ? Type::kLong : type, depth);
      if (dice_.Once(3)) std::swap(left, right);
      return Call(OneOf(dice_, std::array{"+", "-", "*", "/", "%"}), type, {left, right});
    }
    case 3:
      return Call(
          "todouble", type,
          {dice_.Once(3) ? Path() : Of(dice_.Once(2) ? Type::kString : Type::kLong, depth)});
    case 4:
      return Call("/", type, {Of(Type::kTimespan, depth), Of(Type::kTimespan, 0)});
    default:
      return Call("bin", type,
                  {Of(type, depth), LiteralOf(Real(dice_.Of(std::array{0.5, 1.0, 2.5})))});
  }
}

ExprPtr Expressions::StringOf(int depth) {
  const Type type = Type::kString;
  const ExprPtr pattern = TextLiteral(RandomPattern(dice_));
  switch (dice_.Below(9)) {
    case 0:
      return Call("strcat", type, {Of(type, depth), pattern, Of(AnyType(), depth)});
    case 1: {
      const ExprPtr from = LiteralOf(Long(static_cast<std::int64_t>(dice_.Below(6)) - 1));
      const ExprPtr length = LiteralOf(Long(static_cast<std::int64_t>(dice_.Below(5))));
      if (dice_.Once(2)) return Call("substring", type, {Of(type, depth), from});
      return Call("substring", type, {Of(type, depth), from, length});
    }
    case 2:
      return Call(OneOf(dice_, std::array{"tolower", "toupper", "reverse"}), type,
                  {Of(type, depth)});
    case 3:
    case 4:
      return Call("tostring", type, {Of(dice_.Once(3) ? Type::kDynamic : AnyType(), depth)});
    case 5:
      return Call("tostring", type, {Path()});
    case 6:
      return Call("replace_string", type,
                  {Of(type, depth), pattern, TextLiteral(RandomPattern(dice_))});
    case 7:
      return Call("strcat_delim", type, {TextLiteral("/"), Of(type, depth), Of(AnyType(), depth)});
    default:
      return Call("strrep", type,
                  {Of(type, depth), LiteralOf(Long(static_cast<std::int64_t>(dice_.Below(3))))});
  }
}

ExprPtr Expressions::DateTimeOf(int depth) {
  const Type type = Type::kDateTime;
  switch (dice_.Below(4)) {
    case 0:
      return Call("+", type, {Of(type, depth), Of(Type::kTimespan, depth)});
    case 1:
      return Call("-", type, {Of(type, depth), Of(Type::kTimespan, depth)});
    case 2:
      return Call(
          OneOf(dice_, std::array{"startofday", "startofweek", "startofmonth", "startofyear"}),
          type, {Of(type, depth)});
    default:
      return Call("bin", type,
                  {Of(type, depth),
                   LiteralOf(Whole(Type::kTimespan, dice_.Of(std::array{kHour.ticks, kDay.ticks,
                                                                        kMinute.ticks * 7})))});
  }
}

ExprPtr Expressions::TimespanOf(int depth) {
  const Type type = Type::kTimespan;
  switch (dice_.Below(6)) {
    case 0:
      return Call("-", type, {Of(Type::kDateTime, depth), Of(Type::kDateTime, depth)});
    case 1:
      return Call(OneOf(dice_, std::array{"+", "-"}), type, {Of(type, depth), Of(type, depth)});
    case 2:
      return Call("*", type, {Of(type, depth), Of(Type::kLong, 0)});
    case 3:
      return Call("/", type, {Of(type, depth), LiteralOf(Long(2))});
    case 4:
      return Call("dayofweek", type, {Of(Type::kDateTime, depth)});
    default:
      return Call("bin", type, {Of(type, depth), LiteralOf(Whole(type, kMinute.ticks * 30))});
  }
}

// A member or an element of a dynamic.
ExprPtr Expressions::Path() {
  ExprPtr of = ColumnOf(Type::kDynamic);
  if (!of) of = LiteralOf(RandomValue(dice_, Type::kDynamic));
  if (of->op == "literal") of = Call("parse_json", Type::kDynamic, {of});
  for (std::size_t i = 1 + dice_.Below(2); i > 0; --i) {
    if (dice_.Once(3)) {
      const auto index = static_cast<std::int64_t>(dice_.Below(4)) - 1;
      of = Call("element", Type::kDynamic, {of, LiteralOf(Long(index))});
      continue;
    }
    const std::string name = OneOf(dice_, std::array{"os", "v", "n", "a", "os", "v"});
    auto member = std::make_shared<Expr>(*Call("member", Type::kDynamic, {of}));
    member->name = name;
    of = dice_.Once(4) ? Call("element", Type::kDynamic, {of, TextLiteral(name)}) : member;
  }
  return of;
}

ExprPtr Expressions::DynamicOf(int depth) {
  const Type type = Type::kDynamic;
  switch (dice_.Below(10)) {
    case 8:
      return Call("array_concat", type, {Of(type, depth), Of(type, depth)});
    case 9:
      return Call("array_reverse", type, {Of(type, depth)});
    case 0:
    case 1:
    case 2:
      return Path();
    case 3:
      return Call("pack_array", type, {Of(AnyType(), depth), Of(AnyType(), depth)});
    case 4:
      return Call("bag_pack", type,
                  {TextLiteral("a"), Of(AnyType(), depth), TextLiteral("n"), Of(AnyType(), depth)});
    case 5:
      return Call("split", type,
                  {Of(Type::kString, depth),
                   TextLiteral(OneOf(dice_, std::array{" ", "-", "a", ".", "/"}))});
    case 6:
      return Call("parse_json", type, {Call("tostring", Type::kString, {Of(type, depth)})});
    default:
      return Call("array_slice", type,
                  {Of(type, depth), LiteralOf(Long(0)),
                   LiteralOf(Long(static_cast<std::int64_t>(dice_.Below(3))))});
  }
}

}  // namespace picket::kql::oracle
