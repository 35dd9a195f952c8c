// The expected schemas are what Microsoft's own binder says of the same query over the same tables.

#include "agent/kql/binder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/kql/engine.h"
#include "tests/kql/binder_schemas.h"

namespace picket::kql {
namespace {

std::string SchemaOf(std::string_view text) {
  const CompileResult result = Compile(text, SmallTables());
  if (!result.query) return ToString(result.errors.at(0));
  return ShowSchema(result.query->schema());
}

Diagnostic ErrorOf(std::string_view text) {
  const CompileResult result = Compile(text, SmallTables());
  EXPECT_FALSE(result.query) << text << "\n  binds as " << ShowSchema(result.query->schema());
  return result.errors.empty() ? Diagnostic{} : result.errors[0];
}

TEST(Binder, NamesColumnsAsKustoDoes) {
  EXPECT_EQ(SchemaOf("print 1, x = 2, 'a', strcat('a', 'b')"),
            "print_0:long x:long print_2:string print_3:string");
  EXPECT_EQ(SchemaOf("T | project strcat(a, 'x'), b + 1, d.x.y, d['q'], d[0], tostring(d.z)"),
            "Column1:string Column2:long d_x_y:dynamic d_q:dynamic d_0:dynamic d_z:string");
  EXPECT_EQ(SchemaOf("T | project strlen(a), a, b, toint(b), bin(t, 1d), isempty(a), tolong(a)"),
            "strlen_a:long a:string b:long b1:int t:datetime Column1:bool a1:long");
}

TEST(Binder, LetsExtendReplaceAColumnInItsPlace) {
  EXPECT_EQ(SchemaOf("T | project a, b, t | extend a = 5, n = b, toupper(a)"),
            "a:long b:long t:datetime n:long Column1:string");
  EXPECT_EQ(SchemaOf("T | project a, b, t | extend bin(t, 1h), tostring(b)"),
            "a:string b:string t:datetime");
}

TEST(Binder, NamesAggregatesAsKustoDoes) {
  EXPECT_EQ(SchemaOf("T | summarize count(), count(), sum(b), sum(b * 2), sum(b + 1), dcount(a), "
                     "countif(b > 1), make_set(a), make_list(d.x), min(t) by a, bin(t, 1h)"),
            "a:string t:datetime count_:long count_1:long sum_b:long sum_:long sum_1:long "
            "dcount_a:long countif_:long set_a:dynamic list_d_x:dynamic min_t:datetime");
  EXPECT_EQ(SchemaOf("T | summarize arg_max(t, *) by a, bin(t, 1h)"),
            "a:string t:datetime t1:datetime b:long d:dynamic s:timespan r:real");
  EXPECT_EQ(SchemaOf("T | summarize (x, y, z) = arg_max(t, a, b) by c = a"),
            "c:string x:datetime y:string z:long");
  EXPECT_EQ(SchemaOf("T | summarize x = arg_max(t, *) by a"),
            "a:string x:datetime b:long d:dynamic s:timespan r:real");
  EXPECT_EQ(SchemaOf("T | summarize take_any(a), take_any(b + 1) by a"),
            "a:string a1:string any_arg0:long");
}

TEST(Binder, CalculatesOverAggregates) {
  EXPECT_EQ(SchemaOf("T | summarize arg_max(b * 2, a), arg_min(t, a), count() * 100 / sum(b), "
                     "toint(count()), max(t) - min(t) by tostring(d.q), b % 2"),
            "d_q:string Column1:long max_:long a:string t:datetime a1:string Column2:long "
            "count_:int Column3:timespan");
}

TEST(Binder, ChoosesAndOrdersColumns) {
  EXPECT_EQ(SchemaOf("T | project-away a, d*, t, s"), "b:long r:real");
  EXPECT_EQ(SchemaOf("T | project-keep r, a"), "a:string r:real");
  EXPECT_EQ(SchemaOf("U | project-reorder c, *"), "c:bool a:string b:string");
  EXPECT_EQ(SchemaOf("U | project-reorder * desc"), "c:bool b:string a:string");
  EXPECT_EQ(SchemaOf("U | project-rename x = a"), "x:string b:string c:bool");
  EXPECT_EQ(SchemaOf("U | distinct a, toupper(b)"), "a:string Column1:string");
  EXPECT_EQ(SchemaOf("U | count"), "Count:long");
  EXPECT_EQ(SchemaOf("T | getschema"),
            "ColumnName:string ColumnOrdinal:long DataType:string ColumnType:string");
}

TEST(Binder, UnitesColumnsByNameAndType) {
  EXPECT_EQ(SchemaOf("T | project a, b | union U"), "a:string b_long:long b_string:string c:bool");
  EXPECT_EQ(SchemaOf("union kind=inner (T | project a, b), U"),
            "a:string b_long:long b_string:string");
  EXPECT_EQ(SchemaOf("union withsource=S (T | project a), (U | project a)"), "S:string a:string");
  EXPECT_EQ(SchemaOf("union isfuzzy=true Missing, (U | project a)"), "a:string");
  EXPECT_EQ(ErrorOf("union isfuzzy=true (U | project nope), U").code, "KS142");
}

TEST(Binder, ExpandsLets) {
  EXPECT_EQ(SchemaOf("let n = 5; let t = T | project b | take n; t | where b > n"), "b:long");
  EXPECT_EQ(SchemaOf("let x = U; let m = materialize(x | project a); m"), "a:string");
  EXPECT_EQ(SchemaOf("let f = (x:long, y:long = 2) { x + y }; T | project z = f(b), w = f(1, b)"),
            "z:long w:long");
  EXPECT_EQ(SchemaOf("let f = (a:long, b:string = 'x', c:long = 0) { strcat(a, b, c) };"
                     "print f(c = 7, a = 12), f(12, c = 7), f(a = 1, 'y')"),
            "print_0:string print_1:string print_2:string");
  EXPECT_EQ(SchemaOf("let f = (n:string) { table(n) | project a }; union f('T'), f('U')"),
            "a:string");
  EXPECT_EQ(SchemaOf("let f = (s:(a:string)) { s | extend q = 1 }; f(U | project a)"),
            "a:string q:long");
  EXPECT_EQ(SchemaOf("let f = (s:(*), x:long) { s | extend q = x }; U | project a | invoke f(1)"),
            "a:string q:long");
  // An argument may be a column of the row that the function is called for.
  EXPECT_EQ(SchemaOf("let low = (x:string) { let y = tolower(x); y }; U | project z = low(a)"),
            "z:string");
}

TEST(Binder, LetsSeeWhatStandsBeforeThem) {
  EXPECT_EQ(ErrorOf("let a = b; let b = 1; print a").code, "KS142");
  EXPECT_EQ(ErrorOf("let f = () { g() }; let g = () { f() }; print f()").code, "KS211");
  EXPECT_EQ(ErrorOf("let a = 1; let a = 2; print a").code, "KS201");
  // A function's own names hide those around it.
  EXPECT_EQ(SchemaOf("let x = 1; let f = (x:string) { x }; print f('a'), x"),
            "print_0:string print_1:long");
}

TEST(Binder, SaysWhatIsWrongWithKustosCodes) {
  EXPECT_EQ(ErrorOf("T | where bb == 1").code, "KS142");
  EXPECT_EQ(ErrorOf("Tt | take 1").code, "KS204");
  EXPECT_EQ(ErrorOf("T | where zz(1)").code, "KS211");
  EXPECT_EQ(ErrorOf("T | where count() > 1").code, "KS144");
  EXPECT_EQ(ErrorOf("T | where strlen() == 1").code, "KS119");
  EXPECT_EQ(ErrorOf("T | where a").code, "KS141");
  EXPECT_EQ(ErrorOf("T | where a > 1").code, "KS106");
  EXPECT_EQ(ErrorOf("T | where t > '2020-01-01'").code, "KS106");
  EXPECT_EQ(ErrorOf("T | take 'a'").code, "KS134");
  EXPECT_EQ(ErrorOf("T | sort by d").code, "KS116");
  EXPECT_EQ(ErrorOf("T | summarize count() by d.x").code, "KS116");
  EXPECT_EQ(ErrorOf("T | distinct d").code, "KS116");
  EXPECT_EQ(ErrorOf("T | extend a = 1, a = 2").code, "KS171");
  EXPECT_EQ(ErrorOf("T | project a, a").code, "KS171");
  EXPECT_EQ(ErrorOf("T | project-rename b = a").code, "KS171");
  EXPECT_EQ(ErrorOf("let X = T; print X").code, "KS108");
  EXPECT_EQ(ErrorOf("range x from 1 to 'a' step 1").code, "KS138");
}

TEST(Binder, TakesAStringAgainstANumberByEquality) {
  EXPECT_EQ(SchemaOf("T | where a == 0 and a in (0, 50126) and b != 'x' | project a"), "a:string");
}

TEST(Binder, PointsAndHints) {
  const Diagnostic error = ErrorOf("T\n| where aa == 'x'\n  and bbb == 1");
  EXPECT_EQ(error.line, 2);
  EXPECT_EQ(error.column, 9);
  EXPECT_EQ(error.span.end - error.span.begin, 2U);
  EXPECT_EQ(ErrorOf("let Threshold = 5; T | where b > Treshold").hint, "Did you mean 'Threshold'?");
}

TEST(Binder, RefusesByNameWhatItDoesNotSupportYet) {
  for (const char* text : {"T | evaluate basket()", "T | reduce by a",
                           "print series_periods_detect(dynamic([1]), 0.0, 50.0, 2)",
                           "T | extend hash_many(a, b)", "T | summarize hll(a)", "search 'x'"}) {
    const Diagnostic error = ErrorOf(text);
    EXPECT_EQ(error.code, "PK100") << text;
    EXPECT_THAT(error.message, ::testing::HasSubstr("not supported")) << text;
  }
}

class NoTables final : public TableSource {
 public:
  Result<std::unique_ptr<TableScan>> Scan(const ScanRequest&) override {
    return Fail({.kind = ErrorKind::kInternal, .message = "no tables here"});
  }
};

std::string RowsOf(std::string_view text) {
  const CompileResult compiled = Compile(text, SmallTables());
  if (!compiled.query) return ToString(compiled.errors.at(0));
  NoTables source;
  const Result<ResultTable> table = Run(*compiled.query, source, RunOptions{});
  if (!table) return table.error().message;
  const std::string json = ToJson(*table);
  return json.substr(json.find("\"rows\":") + 7);
}

// The plans that lets, functions and calculations expand to give the rows that they should.
TEST(Binder, MakesPlansThatRun) {
  const std::string data = "let D = datatable(k:string, v:long) ['a', 1, 'b', 5, 'a', 4];";
  EXPECT_EQ(RowsOf(data + "D | summarize n = count() * 10, max(v) - min(v) by k | sort by k asc"),
            R"([["a",20,3],["b",10,0]]})");
  EXPECT_EQ(RowsOf(data + "let f = (x:long, y:long = 100) { let z = x + y; z * 2 };"
                          "D | where k == 'b' | project f(v), f(y = 1, x = v)"),
            R"([[210,12]]})");
  EXPECT_EQ(RowsOf(data + "let g = (T:(v:long), n:long) { T | where v > n };"
                          "D | invoke g(3) | sort by v asc | project v"),
            R"([[4],[5]]})");
  EXPECT_EQ(RowsOf(data + "union withsource=S (D | where v == 1), (print k = 'z', v = 2)"
                          "| project-reorder v | sort by v asc"),
            R"([[1,"union_arg0","a"],[2,"union_arg1","z"]]})");
  EXPECT_EQ(RowsOf(data + "D | take 1 | extend k = strcat(k, '!'), w = v | project-away v"),
            R"([["a!",1]]})");
}

// What a long cannot hold wraps, as + and * do; C++ leaves it undefined.
TEST(Binder, WrapsAtTheLeastLong) {
  EXPECT_EQ(
      RowsOf("let m = -9223372036854775807 - 1;"
             "print a = abs(m), n = -m, q = m / -1, r = m % -1, s = -1 % m, b = bin(m, 1000)"),
      "[[-9223372036854775808,-9223372036854775808,-9223372036854775808,0,"
      "9223372036854775807,9223372036854775616]]}");
}

TEST(Binder, KnowsTheLongestTimespan) {
  EXPECT_EQ(RowsOf("print a = totimespan('10675199.02:48:05.4775807'),"
                   "isnull(totimespan('10675199.02:48:05.4775808'))"),
            R"([["10675199.02:48:05.4775807",true]]})");
}

// Names that double what they stand for would make a plan of 2^60 parts.
TEST(Binder, StopsWhatExpandsWithoutEnd) {
  std::string scalars = "let x0 = 1 + now();";
  std::string tables = "let t0 = T;";
  std::string functions = "let f0 = (x:datetime) { x + 1d };";
  for (int i = 1; i < 60; ++i) {
    const std::string n = std::to_string(i);
    const std::string m = std::to_string(i - 1);
    scalars += "let x" + n + " = max_of(x" + m + ", x" + m + ");";
    tables += "let t" + n + " = union t" + m + ", t" + m + ";";
    functions += "let f" + n + " = (x:datetime) { f" + m + "(f" + m + "(x)) };";
  }
  EXPECT_EQ(ErrorOf(tables + "t59").code, "PK004");
  EXPECT_THAT(ErrorOf(functions + "print f59(now())").code, ::testing::AnyOf("PK003", "PK004"));
  EXPECT_FALSE(Compile(scalars + "print x59", SmallTables()).query);
  std::string long_pipeline = "T";
  for (int i = 0; i < 20'000; ++i) long_pipeline += "|where b>1";
  EXPECT_EQ(ErrorOf(long_pipeline).code, "PK004");
}

}  // namespace
}  // namespace picket::kql
