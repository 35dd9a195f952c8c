#include "agent/kql/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace picket::kql {
namespace {

QueryAst Parsed(std::string_view text) {
  ParseResult result = Parse(text);
  EXPECT_FALSE(result.error) << text << "\n  " << ToString(*result.error);
  return std::move(result.query);
}

Diagnostic ErrorOf(std::string_view text) {
  const ParseResult result = Parse(text);
  EXPECT_TRUE(result.error) << text;
  return result.error.value_or(Diagnostic{});
}

// The tree in prefix form, so that a test can show how an expression was read.
std::string Show(const Ast& ast) {
  switch (ast.kind) {
    case AstKind::kLiteral:
      return ast.value.type == Type::kString ? "'" + ast.value.text + "'"
                                             : std::to_string(ast.value.number);
    case AstKind::kName:
      return ast.text;
    case AstKind::kStar:
      return "*";
    case AstKind::kMember:
      return Show(*ast.children[0]) + "." + ast.text;
    case AstKind::kTable:
      return "(table)";
    default:
      break;
  }
  std::string text = "(" + ast.text;
  for (const AstPtr& child : ast.children) text += (text == "(" ? "" : " ") + Show(*child);
  return text + ")";
}

std::string Condition(const std::string& expression) {
  const QueryAst query = Parsed("T | where " + expression);
  if (!query.body || query.body->operators.empty()) return "";
  return Show(*query.body->operators[0].expressions[0]);
}

const OperatorAst& First(const QueryAst& query) { return query.body->operators.at(0); }

TEST(Parser, KnowsWhatBindsTighter) {
  EXPECT_EQ(Condition("a or b and c == 1 + 2 * -d"),
            "(or a (and b (== c (+ 1 (* 2 (negate d))))))");
  EXPECT_EQ(Condition("(a or b) and c"), "(and (or a b) c)");
  EXPECT_EQ(Condition("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(Condition("a <> 1"), "(!= a 1)");
}

// As Microsoft's parser has it: equality, order, + -, * / %, and the text operators tightest.
TEST(Parser, BindsTextOperatorsTighterThanComparisons) {
  EXPECT_EQ(Condition("a == b has c"), "(== a (has b c))");
  EXPECT_EQ(Condition("a has b != c !startswith d"), "(!= (has a b) (!startswith c d))");
  EXPECT_EQ(Condition("a == b =~ c"), "(== a (=~ b c))");
  EXPECT_EQ(Condition("a == b matches regex c"), "(== a (matches regex b c))");
  EXPECT_EQ(Condition("a has b + c"), "(+ (has a b) c)");
  EXPECT_EQ(Condition("a == b < c"), "(== a (< b c))");
  EXPECT_EQ(Condition("a < b == c"), "(== (< a b) c)");
  EXPECT_EQ(Condition("a has b in (c)"), "(in (has a b) (c))");
}

TEST(Parser, RefusesChainsOfComparisons) {
  for (const char* chain : {"a == b == c", "a < b < c", "a has b has c", "a in (b) == c",
                            "a == b in (c)", "a between (1 .. 2) == c"}) {
    (void)ErrorOf(std::string("T | where ") + chain);
  }
}

TEST(Parser, ReadsEscapesInQuotedNamesAndLoneCells) {
  EXPECT_EQ(Condition(R"(['a\\b'] == d['it\'s'])"), R"((== a\b d.it's))");
  const QueryAst query = Parsed(R"(datatable(x:string)['a\\b'])");
  EXPECT_EQ(query.body->source.values.at(0)->value.text, "a\\b");
}

TEST(Lexer, ReadsTheLeastLongAsALiteral) {
  EXPECT_EQ(Condition("a == long(-9223372036854775808)"), "(== a -9223372036854775808)");
  (void)ErrorOf("T | where a == long(9223372036854775808)");
  (void)ErrorOf("T | where a == long(-9223372036854775809)");
}

TEST(Parser, ReadsTextAndListOperators) {
  EXPECT_EQ(Condition("a has 'x' and b !contains_cs 'y'"),
            "(and (has a 'x') (!contains_cs b 'y'))");
  EXPECT_EQ(Condition("a in~ ('x', 'y')"), "(in~ a ('x' 'y'))");
  EXPECT_EQ(Condition("a !in (T | project b)"), "(!in a ((table)))");
  EXPECT_EQ(Condition("a has_any ((L))"), "(has_any a (L))");
  EXPECT_EQ(Condition("a matches regex 'x'"), "(matches regex a 'x')");
  EXPECT_EQ(Condition("a !between (1 .. 2)"), "(!between a 1 2)");
}

TEST(Parser, ReadsPaths) {
  EXPECT_EQ(Condition("x.y[0][\"z\"].['a b'] == 1"), "(== (x.y 0).z.a b 1)");
  EXPECT_EQ(Condition("['my col'] == 1"), "(== my col 1)");
}

TEST(Parser, ReadsLetsOfEveryKind) {
  const QueryAst query = Parsed(
      "let a = 1; let t = T | take 1; let f = (x:long, y:string = 'q') { let z = x; z + 1 };"
      "let g = (s:(a:string, *)) { s | count }; let v = view () { T };"
      "let m = materialize(T | take 2); g(t)");
  ASSERT_EQ(query.lets.size(), 6U);
  EXPECT_TRUE(query.lets[0].scalar);
  EXPECT_TRUE(query.lets[1].table);
  ASSERT_TRUE(query.lets[2].function);
  ASSERT_EQ(query.lets[2].function->parameters.size(), 2U);
  EXPECT_EQ(query.lets[2].function->parameters[0].type, Type::kLong);
  EXPECT_TRUE(query.lets[2].function->parameters[1].fallback);
  EXPECT_TRUE(query.lets[2].function->body->scalar);
  ASSERT_TRUE(query.lets[3].function);
  EXPECT_FALSE(query.lets[3].function->parameters[0].type);
  EXPECT_EQ(query.lets[3].function->parameters[0].columns.size(), 1U);
  EXPECT_EQ(query.body->source.kind, SourceAst::Kind::kCall);
}

TEST(Parser, ReadsJoins) {
  const QueryAst query = Parsed(
      "T | join hint.strategy=broadcast kind=leftanti (U | where x) on a, $left.b == $right.c");
  const OperatorAst& join = First(query);
  EXPECT_EQ(join.name, "join");
  ASSERT_NE(join.Option("kind"), nullptr);
  EXPECT_EQ(join.Option("kind")->text, "leftanti");
  EXPECT_EQ(join.by.size(), 2U);
  EXPECT_EQ(Show(*join.by[1]), "(== $left.b $right.c)");
  EXPECT_EQ(join.tables[0]->source.kind, SourceAst::Kind::kPipeline);
  EXPECT_EQ(First(Parsed("T | lookup kind=inner U on a")).name, "lookup");
}

TEST(Parser, ReadsUnions) {
  const QueryAst query =
      Parsed("union isfuzzy=true withsource=Name (T | take 1), U, table('V'), W* | count");
  EXPECT_EQ(query.body->source.kind, SourceAst::Kind::kOperator);
  const OperatorAst& legs = *query.body->source.first;
  EXPECT_EQ(legs.tables.size(), 4U);
  EXPECT_EQ(legs.tables[3]->source.name, "W*");
  EXPECT_EQ(legs.Option("withsource")->text, "Name");
  EXPECT_EQ(query.body->operators.size(), 1U);
}

TEST(Parser, ReadsExpansion) {
  const QueryAst query = Parsed(
      "T | mv-expand bagexpansion=array a, b = c.d to typeof(string) limit 5"
      "  | mv-apply x = e to typeof(long) on (where x > 1 | summarize count())");
  const OperatorAst& expand = First(query);
  EXPECT_EQ(expand.expressions.size(), 2U);
  EXPECT_EQ(expand.expressions[1]->kind, AstKind::kTyped);
  EXPECT_EQ(expand.expressions[1]->type, Type::kString);
  EXPECT_TRUE(expand.count);
  const OperatorAst& apply = query.body->operators[1];
  ASSERT_EQ(apply.tables.size(), 1U);
  EXPECT_EQ(apply.tables[0]->source.kind, SourceAst::Kind::kInput);
  EXPECT_EQ(apply.tables[0]->operators.size(), 2U);
}

TEST(Parser, ReadsParsePatterns) {
  const QueryAst query = Parsed(
      "T | parse kind=regex flags=U a with * 'from ' x:long ' to ' y | parse-where a with z");
  const OperatorAst& parse = First(query);
  ASSERT_EQ(parse.expressions.size(), 5U);
  EXPECT_EQ(parse.expressions[0]->kind, AstKind::kStar);
  EXPECT_EQ(parse.expressions[2]->type, Type::kLong);
  EXPECT_EQ(parse.expressions[4]->text, "y");
}

TEST(Parser, ReadsMakeSeries) {
  const QueryAst query = Parsed(
      "T | make-series n=count() default=0, max(a) on t from ago(7d) to now() step 1h by b, c");
  const OperatorAst& series = First(query);
  EXPECT_EQ(series.expressions.size(), 2U);
  EXPECT_EQ(series.by.size(), 2U);
  EXPECT_NE(series.Option("from"), nullptr);
  EXPECT_NE(series.Option("step"), nullptr);
  EXPECT_TRUE(series.options[0].value);
}

TEST(Parser, ReadsTheOtherOperators) {
  for (const char* text :
       {"T | evaluate pivot(a, count(), b) : (x:string, y:long)",
        "T | evaluate hint.distribution=single bag_unpack(d)",
        "T | invoke f(1, 'x')",
        "T | parse-kv a as (x:long, y:string) with (pair_delimiter=';', kv_delimiter='=')",
        "T | project-reorder a, b* asc, *",
        "T | top-nested 3 of a by count(), top-nested of b by max(c)",
        "T | sample-distinct 5 of a",
        "T | sample 10",
        "T | render timechart with (title='x', ycolumns=a, b)",
        "T | as hint.materialized=true X",
        "T | serialize n = row_number()",
        "T | order by a asc nulls last, b desc nulls first",
        "search in (T, U) a: 'x' and 'y'",
        "find withsource=S in (T) where a == 1 project a, b",
        "externaldata(a:string, b:long) [h@'https://x/y.csv', 'z'] with (format='csv')",
        "externaldata(a:string) ['https://x/y.csv'] | where a != ''",
        "evaluate plugin(1)",
        "range x from 1 to 3 step 1",
        "datatable(a:string) ['x', 'y']",
        "datatable(a:string) ['x']",
        "print a = 1, -2, toscalar(T | count)",
        "T | summarize (x, y) = arg_max(a, b) by bin(t, 1h)",
        "T | extend (f, o) = series_fit_line(s)",
        "T | scan declare (x:long = 0) with (step s: true => x = s.x + 1;) | take 1",
        "T | getschema"}) {
    const ParseResult result = Parse(text);
    EXPECT_FALSE(result.error) << text << "\n  " << ToString(*result.error);
  }
}

TEST(Parser, SaysWhatIsWrongAndWhere) {
  const Diagnostic error = ErrorOf("T\n| wher a == 1");
  EXPECT_EQ(error.code, "KS006");
  EXPECT_EQ(error.line, 2);
  EXPECT_EQ(error.column, 3);
  EXPECT_EQ(error.hint, "Did you mean 'where'?");
  EXPECT_EQ(ErrorOf("T | where a ==").line, 1);
  EXPECT_EQ(ErrorOf("").code, "KS006");
  EXPECT_EQ(ErrorOf("let x = 1;").code, "KS006");
  EXPECT_EQ(ErrorOf("datatable(a:string, b:long) ['x']").code, "KS173");
  EXPECT_EQ(ErrorOf("datatable(a:text) ['x']").code, "KS160");
  EXPECT_EQ(ErrorOf("T | take 1 U").code, "KS006");
  EXPECT_EQ(ErrorOf("T | where (a == 1").code, "KS006");
  EXPECT_EQ(ErrorOf("1 + 2 | take 1").code, "KS006");
}

TEST(Parser, RefusesByNameWhatItDoesNotSupport) {
  EXPECT_EQ(ErrorOf("declare query_parameters(x:long); T").code, "PK100");
  EXPECT_EQ(ErrorOf("cluster('x').database('y').T").code, "PK100");
}

std::string Repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Parser, StopsAtAnyKindOfDepth) {
  const int n = 20'000;
  EXPECT_EQ(ErrorOf("print " + Repeat("(", n)).code, "PK003");
  EXPECT_EQ(ErrorOf("print " + Repeat("-", n) + "1").code, "PK003");
  EXPECT_EQ(ErrorOf("print " + Repeat("f(", n)).code, "PK003");
  EXPECT_EQ(ErrorOf("print 1" + Repeat("+1", n)).code, "PK003");
  EXPECT_EQ(ErrorOf("print a" + Repeat(".b", n)).code, "PK003");
  EXPECT_EQ(ErrorOf("print a" + Repeat("[0]", n)).code, "PK003");
  EXPECT_EQ(ErrorOf(Repeat("let f = () {", n)).code, "PK003");
  EXPECT_EQ(ErrorOf("T" + Repeat("| union (T", n)).code, "PK003");
  EXPECT_EQ(ErrorOf("T" + Repeat("| join (union (T", n)).code, "PK003");
}

TEST(Parser, TakesLongListsOfConditions) {
  Parsed("T | where a == 0" + Repeat(" or a == 1", 20'000));
  Parsed("T | where a == 0" + Repeat(" and a == 1", 20'000));
  Parsed("T | where a in (0" + Repeat(", 1", 20'000) + ")");
}

}  // namespace
}  // namespace picket::kql
