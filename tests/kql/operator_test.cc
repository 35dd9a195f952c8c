// Operators, run over small tables. What they must give was worked out by hand from Kusto's
// documentation; where the recorded answers of the real engine have the case, they agree.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>

#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Event 1..4 and 1..3.
TestTables Tables() {
  TestTables tables;
  tables.Add("L", "k:long, a:string", "1,'x', 2,'y', 2,'z', long(null),'n'");
  tables.Add("R", "k:long, b:string", "2,'p', 3,'q', long(null),'r'");
  tables.Add("S", "u:string, n:long, ip:string, d:dynamic",
             "'ann',1,'10.1.2.3',dynamic({'os':'win','v':10}),"
             "'bob',5,'10.9.9.9',dynamic({'os':'mac'}),"
             "'ann',3,'192.0.2.7',dynamic({'v':2.5,'new':true})");
  return tables;
}

TEST(Join, KeepsAndDropsRowsAsItsKindSays) {
  TestTables t = Tables();
  const auto join = [&](const std::string& kind) {
    return Ask(t, "L | join kind=" + kind + " R on k | sort by k asc, a asc");
  };
  EXPECT_EQ(join("inner"), "k,a,k1,b | ,n,,r | 2,y,2,p | 2,z,2,p");
  EXPECT_EQ(join("innerunique"), "k,a,k1,b | ,n,,r | 2,y,2,p");
  EXPECT_EQ(join("leftouter"), "k,a,k1,b | ,n,,r | 1,x,, | 2,y,2,p | 2,z,2,p");
  EXPECT_EQ(join("rightouter"), "k,a,k1,b | ,,3,q | ,n,,r | 2,y,2,p | 2,z,2,p");
  EXPECT_EQ(join("fullouter"), "k,a,k1,b | ,,3,q | ,n,,r | 1,x,, | 2,y,2,p | 2,z,2,p");
  EXPECT_EQ(join("leftsemi"), "k,a | ,n | 2,y | 2,z");
  EXPECT_EQ(join("leftanti"), "k,a | 1,x");
  EXPECT_EQ(Ask(t, "L | join kind=rightsemi R on k | sort by k asc"), "k,b | ,r | 2,p");
  EXPECT_EQ(Ask(t, "L | join kind=rightanti R on k"), "k,b | 3,q");
}

TEST(Join, NamesBothSidesInItsCondition) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t,
                "L | join kind=inner (R | project key = k, b) on $left.k == $right.key "
                "| where a == 'z'"),
            "k,a,key,b | 2,z,2,p");
  EXPECT_EQ(Ask(t, "L | lookup R on k | sort by k asc, a asc"),
            "k,a,b | ,n,r | 1,x, | 2,y,p | 2,z,p");
}

TEST(Join, TellsTheEventsOfBothSides) {
  TestTables t = Tables();
  EXPECT_EQ(EventsOf(t, "L | join kind=inner R on k"), "L:2,R:1 | L:3,R:1 | L:4,R:3");
  EXPECT_EQ(EventsOf(t, "L | join kind=leftanti R on k"), "L:1");
}

TEST(Summarize, TellsTheEventsOfEachGroup) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | summarize n = sum(n) by u"), "u,n | ann,4 | bob,5");
  EXPECT_EQ(EventsOf(t, "S | summarize sum(n) by u"), "1,3 | 2");
  EXPECT_EQ(EventsOf(t, "S | where n > 1 | extend m = n * 2 | sort by n asc"), "3 | 2");
  EXPECT_EQ(EventsOf(t, "S | where n > 1 | count"), "2,3");
}

TEST(Union, NamesWhereRowsComeFrom) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "union withsource=from (L | take 1), R | project from, k, a, b | take 2"),
            "from,k,a,b | union_arg0,1,x, | R,2,,p");
  EXPECT_EQ(Ask(t, "L | take 1 | as One | union withsource=from (R | take 1) | project from, k"),
            "from,k | One,1 | union_arg1,2");
  EXPECT_EQ(Ask("let V1 = view () { print x = 1 }; let V2 = view () { print x = 'a' };"
                "let W = view () { print x_long = 3 }; union withsource=from V*, W"),
            "from,x_long1,x_string,x_long | V1,1,, | V2,,a, | W,,,3");
}

TEST(Union, GivesARowItsOwnEvent) {
  TestTables t = Tables();
  EXPECT_EQ(EventsOf(t, "union (L | where k == 2), (R | where k == 3)"), "L:2 | L:3 | R:2");
  EXPECT_EQ(EventsOf(t,
                     "union (L | where k == 2), (R | summarize by k), (print k=long(3)) "
                     "| where k > 0 | sort by k asc"),
            "L:2 | L:3 | R:1 | R:2 | ")
      << "rows of one event, of several and of none";
}

TEST(Function, TakesATableAndGivesAScalar) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t,
                "let most = (T:(n:long), factor:long) { toscalar(T | summarize max(n)) * factor };"
                "S | where n * 2 == most(S, 2) | project u"),
            "u | bob");
  EXPECT_EQ(Ask(t, "let twice = (T:(n:long)) { T | extend n2 = n * 2 }; twice(S) | project n2"),
            "n2 | 2 | 10 | 6");
  EXPECT_THAT(Ask(t, "let f = (T:(zz:long)) { toscalar(T | count) }; print f(S)"),
              StartsWith("!KS141"));
}

TEST(Partition, RefusesATableOfItsRowsInAnExpression) {
  TestTables t = Tables();
  EXPECT_THAT(Ask(t, "S | partition by u (as P | where n > toscalar(P | summarize avg(n)))"),
              StartsWith("!PK100"));
}

TEST(As, NamesTheRowsForWhatFollows) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t,
                "S | summarize s = sum(n) by u | as Sums | extend share = s * 100 / "
                "toscalar(Sums | summarize sum(s)) | project u, share"),
            "u,share | ann,44 | bob,55");
}

TEST(Search, LooksIntoEveryColumn) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | search 'ann' | project $table, n"),
            "$table,n | search_arg0,1 | search_arg0,3");
  EXPECT_EQ(Ask(t, "S | search 'ann' | project n"), "n | 1 | 3");
  EXPECT_EQ(Ask(t, "S | search 'win' or n == 5 | project u"), "u | ann | bob");
  EXPECT_EQ(Ask(t, "S | search 'm*' and not('zzz') | project u"), "u | bob");
  EXPECT_EQ(Ask(t, "S | search kind=case_sensitive 'ANN' | count"), "Count | 0");
  EXPECT_EQ(Ask(t, "search in (L, R) 'p' | project b"), "b | p");
  EXPECT_EQ(Ask(t, "S | where * has 'mac' | project u"), "u | bob");
  EXPECT_THAT(Ask(t, "search 'x'"), StartsWith("!PK100"));
}

TEST(MvExpand, OpensArraysAndBagsSideBySide) {
  EXPECT_EQ(Ask("print a = dynamic([1,2]), b = dynamic(['x']) | mv-expand a, b"), "a,b | 1,x | 2,");
  EXPECT_EQ(Ask("print a = dynamic([5,6]) | mv-expand with_itemindex=i a to typeof(long)"),
            "a,i | 5,0 | 6,1");
  EXPECT_EQ(Ask("print a = dynamic({'k':1}) | mv-expand bagexpansion=array a"), R"(a | ["k",1])");
  EXPECT_EQ(Ask("print a = dynamic([]) | mv-expand a | count"), "Count | 0");
  EXPECT_EQ(Ask("print a = dynamic(null) | mv-expand a | count"), "Count | 1");
}

TEST(MvApply, RunsOperatorsOverEachRowsElements) {
  EXPECT_EQ(Ask("datatable(u:string, a:dynamic)['x',dynamic([3,1]),'y',dynamic([7])] "
                "| mv-apply a to typeof(long) on (summarize most = max(a))"),
            "u,most | x,3 | y,7");
}

TEST(Parse, TakesColumnsOutOfAText) {
  const std::string text = "print s = 'id=12, user=ann; end' | ";
  EXPECT_EQ(Ask(text + "parse s with 'id=' id:long ', user=' user '; end' | project id, user"),
            "id,user | 12,ann");
  EXPECT_EQ(Ask(text + "parse s with * 'id=' id:long * 'user=' user ';' * | project id, user"),
            "id,user | 12,ann");
  EXPECT_EQ(Ask(text + "parse kind=regex s with 'id=' id:long @',\\s+user=' user ';.*' "
                       "| project id, user"),
            "id,user | 12,ann");
  EXPECT_EQ(Ask(text + "parse s with 'id=' id:datetime ',' * | project id"), "id | ");
  EXPECT_EQ(
      Ask(text + "parse kind=relaxed s with 'id=' id:datetime ', user=' u ';' * | project id, u"),
      "id,u | ,ann");
  EXPECT_EQ(Ask(text + "parse-where s with 'nothing' x | count"), "Count | 0");
}

// The pattern's own groups, named or not, take no column; in a class a parenthesis is a character.
TEST(Parse, CountsNoGroupsOfThePatternsOwn) {
  EXPECT_EQ(Ask("print s = 'ax1' | parse kind=regex s with '(?P<q>a)(x|y)' n:long"), "s,n | ax1,1");
  EXPECT_EQ(Ask("print s = 'ax1' | parse kind=regex s with '(?:a)(x)' n:long"), "s,n | ax1,1");
  EXPECT_EQ(Ask("print s = 'a(1' | parse kind=regex s with 'a[(]' n:long"), "s,n | a(1,1");
  EXPECT_EQ(Ask("print s = 'a?1' | parse kind=regex s with 'a[(]' n:long"), "s,n | a?1,");
  EXPECT_EQ(Ask("print s = 'a)1' | parse kind=regex s with 'a[])(]' n:long"), "s,n | a)1,1");
}

TEST(Parse, RefusesPatternsThatAreAmbiguous) {
  EXPECT_THAT(Ask("print s='a' | parse s with a b"), StartsWith("!KS101"));
  EXPECT_THAT(Ask("print s='a' | parse s with * a"), StartsWith("!KS102"));
  EXPECT_THAT(Ask("print s='a' | parse s with 'x' a * 'y'"), StartsWith("!KS103"));
}

TEST(MakeSeries, FillsAGrid) {
  const std::string rows =
      "datatable(t:long, v:long, g:string)[1,5,'a', 3,7,'a', 2,1,'b', 9,9,'c'] | ";
  EXPECT_EQ(Ask(rows + "make-series s = sum(v) default=-1 on t from 1 to 4 step 1 by g"),
            "g,s,t | a,[5,-1,7],[1,2,3] | b,[-1,1,-1],[1,2,3]");
  EXPECT_EQ(Ask(rows + "take 0 | make-series s = sum(v) on t from 1 to 3 step 1"), "s,t");
  EXPECT_EQ(Ask(rows + "take 0 | make-series kind=nonempty s = sum(v) on t from 1 to 3 step 1"),
            "s,t | [0,0],[1,2]");
}

TEST(Serialize, LooksAtTheRowsAround) {
  const std::string rows = "datatable(g:string, v:long)['a',1,'a',2,'b',5] | sort by v asc | ";
  EXPECT_EQ(Ask(rows + "serialize n = row_number(), p = prev(v), x = next(v, 1, 0), "
                       "c = row_cumsum(v, g != prev(g))"),
            "g,v,n,p,x,c | a,1,1,,2,1 | a,2,2,1,5,3 | b,5,3,2,0,5");
  EXPECT_EQ(Ask(rows + "extend d = row_rank_dense(g), m = row_rank_min(g) | project d, m"),
            "d,m | 1,1 | 1,1 | 2,3");
  EXPECT_THAT(Ask(rows + "serialize p = prev(v, 1, v)"), StartsWith("!KS129"));
  EXPECT_THAT(Ask("datatable(v:long)[1,2] | extend n = row_number()"), StartsWith("!PK101"));
}

TEST(Scan, FollowsSequences) {
  const std::string rows = "datatable(t:long, e:string)[1,'go',2,'x',3,'stop',4,'x',5,'go'] | ";
  EXPECT_EQ(Ask(rows + "sort by t asc | scan declare (n:long = 0) with "
                       "(step s: true => n = s.n + t;) | project t, n"),
            "t,n | 1,1 | 2,3 | 3,6 | 4,10 | 5,15");
  EXPECT_EQ(Ask(rows + "sort by t asc | scan with_match_id=id with (step a: e == 'go'; "
                       "step b: e == 'x' and t - a.t < 3; step c: e == 'stop';)"),
            "t,e,id | 1,go,0 | 2,x,0 | 3,stop,0 | 5,go,1");
  EXPECT_THAT(Ask(rows + "scan with (step s: true;)"), StartsWith("!PK101"));
}

TEST(Scan, ARowKeepsItsEvent) {
  TestTables t = Tables();
  EXPECT_EQ(EventsOf(t, "S | sort by n asc | scan with (step s: n > 1;)"), "3 | 2");
}

TEST(TopNested, RanksWithinEachGroup) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | top-nested 1 of u by sum(n), top-nested 1 of ip by most = max(n)"),
            "u,aggregated_u,ip,most | bob,5,10.9.9.9,5");
  EXPECT_EQ(Ask(t, "S | top-nested of u by n = sum(n) asc"), "u,n | ann,4 | bob,5");
  EXPECT_EQ(EventsOf(t, "S | top-nested of u by n = sum(n) asc"), "1,3 | 2");
}

TEST(TopHitters, SumsWeights) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | top-hitters 1 of u by n"), "u,approximate_sum_n | bob,5");
  EXPECT_EQ(Ask(t, "S | top-hitters 1 of u"), "u,approximate_count_u | ann,2");
}

TEST(Partition, RunsOverTheRowsOfEachValue) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | partition by u (top 1 by n desc | project u, n)"), "u,n | ann,3 | bob,5");
  EXPECT_EQ(EventsOf(t, "S | partition by u (summarize sum(n))"), "1,3 | 2");
}

TEST(BagUnpack, MakesColumnsOfWhatTheRowsHold) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | project u, d | evaluate bag_unpack(d)"),
            "u,new,os,v | ann,,win,10.0 | bob,,mac, | ann,True,,2.5");
  EXPECT_EQ(Ask(t, "S | project d | evaluate bag_unpack(d, 'd_') | where d_os == 'mac'"),
            "d_new,d_os,d_v | ,mac,");
  EXPECT_EQ(Ask(t, "S | extend os = 'no' | project os, d | evaluate bag_unpack(d) | count"),
            "!bag_unpack: the column 'os' exists already");
  EXPECT_EQ(Ask(t,
                "S | project os = 'no', d | evaluate bag_unpack(d, "
                "columnsConflict='replace_source') | take 1"),
            "os,new,v | win,,10.0");
  EXPECT_EQ(Ask(t, "S | project u, d | evaluate bag_unpack(d) : (os:string, gone:long) | take 1"),
            "os,gone | win,");
}

TEST(BagUnpack, WhatFollowsIsCheckedWhenItRuns) {
  TestTables t = Tables();
  EXPECT_THAT(Ask(t, "S | evaluate bag_unpack(d) | where oss == 'x'"), HasSubstr("KS142"));
  EXPECT_EQ(EventsOf(t, "S | evaluate bag_unpack(d) | where os == 'mac'"), "2");
  const CompileResult compiled =
      Compile("S | evaluate bag_unpack(d) | join (L) on $left.n == $right.k", t);
  ASSERT_TRUE(compiled.query);
  EXPECT_EQ(compiled.query->Tables(), (std::vector<std::string>{"L", "S"}));
  EXPECT_FALSE(compiled.query->RowWise());
}

TEST(Pivot, TurnsValuesIntoColumns) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | extend os = tostring(d.os) | evaluate pivot(os, count(), u)"),
            "u,,mac,win | ann,1,0,1 | bob,0,1,0");
  EXPECT_EQ(Ask(t,
                "S | project u, n, odd = iff(n == 5, 'five', 'other') "
                "| evaluate pivot(odd, sum(n)) | sort by u desc | project u, five"),
            "u,five | bob,5 | ann,0");
  EXPECT_EQ(EventsOf(t, "S | evaluate pivot(u, count(), u)"), "1,3 | 2");
}

TEST(Pivot, ComesTwiceInAQuery) {
  TestTables t = Tables();
  EXPECT_EQ(Ask(t, "S | evaluate bag_unpack(d) | evaluate pivot(os, sum(n), u)"),
            "u,,mac,win | ann,3,0,1 | bob,0,5,0");
}

TEST(Narrow, GivesEachCellARow) {
  EXPECT_EQ(Ask("datatable(a:long, b:string)[1,'x',2,'y'] | evaluate narrow()"),
            "Row,Column,Value | 0,a,1 | 0,b,x | 1,a,2 | 1,b,y");
}

TEST(IpLookup, FindsTheNarrowestNetwork) {
  TestTables t = Tables();
  const std::string nets =
      "let N = datatable(net:string, who:string)"
      "['10.0.0.0/8','wide','10.1.0.0/16','near','nonsense','no']; S | project u, ip ";
  EXPECT_EQ(Ask(t, nets + "| evaluate ipv4_lookup(N, ip, net)"),
            "u,ip,net,who | ann,10.1.2.3,10.1.0.0/16,near | bob,10.9.9.9,10.0.0.0/8,wide");
  EXPECT_EQ(
      Ask(t, nets + "| evaluate ipv4_lookup(N, ip, net, return_unmatched=true) | project ip, who"),
      "ip,who | 10.1.2.3,near | 10.9.9.9,wide | 192.0.2.7,");
  EXPECT_EQ(EventsOf(t, nets + "| evaluate ipv4_lookup(N, ip, net)"), "1 | 2");
}

TEST(ExternalData, ReadsOnlyFilesThatAreThere) {
  TestTables t = Tables();
  t.AddFile("https://feed/x.csv", "when,ip\r\n2024-01-02,\"10.1.2.3\"\r\n,\"a \"\"b\"\", c\"\r\n");
  t.AddFile("https://feed/x.json", R"([{"ip":"1.1.1.1","n":1},{"n":"2","ip":null}])");
  EXPECT_EQ(Ask(t,
                "externaldata(when:datetime, ip:string)['https://feed/x.csv'] "
                "with (ignoreFirstRecord=true)"),
            "when,ip | 2024-01-02T00:00:00.0000000Z,10.1.2.3 | ,a \"b\", c");
  EXPECT_EQ(
      Ask(t, "externaldata(n:long, ip:string)['https://feed/x.json'] with (format='multijson')"),
      "n,ip | 1,1.1.1.1 | 2,");
  EXPECT_EQ(Ask(t,
                "let bad = externaldata(w:string, ip:string)['https://feed/x.csv']; "
                "S | where ip in ((bad | project ip)) | project u"),
            "u | ann");
  EXPECT_THAT(Ask(t, "externaldata(a:string)['https://elsewhere/y.csv']"), StartsWith("!PK120"));
}

TEST(ExternalData, IsAGoodQueryThatDoesNotRunWithoutItsFile) {
  TestTables t = Tables();
  t.AddFile("https://feed/broken.json", "{\"ip\":1}\n{\"ip\":");
  const std::string query =
      "let bad = externaldata(ip:string)['https://feed/x.csv?sig=secret'];\n"
      "S | where ip !in ((bad | project ip)) | union (S | join kind=leftanti bad on ip)";
  const CompileResult compiled = Compile(query, t);
  ASSERT_TRUE(compiled.query);
  EXPECT_EQ(compiled.query->schema().size(), t.Find("S")->size());
  ASSERT_EQ(compiled.query->lacks().size(), 1U) << "told once, however often it is used";
  EXPECT_EQ(ToString(compiled.query->lacks()[0]),
            "PK120: line 1, column 34: no local file stands for 'https://feed/x.csv?…'");
  const auto result = kql::Run(*compiled.query, t, {.now = {}});
  ASSERT_FALSE(result) << "an empty file would give false findings";
  EXPECT_EQ(result.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(Ask(t, "externaldata(ip:string)['https://feed/broken.json']"),
            "!PK121 file:2:1: this is no JSON");
}

TEST(Watchlist, IsATableWithASearchKey) {
  TestTables t = Tables();
  t.AddWatchlist("Vip", "User,Why\nann,boss\n");
  EXPECT_EQ(Ask(t, "S | where u in ((_GetWatchlist('Vip') | project SearchKey)) | project n"),
            "n | 1 | 3");
  EXPECT_THAT(Ask(t, "_GetWatchlist('None')"), StartsWith("!PK120"));
}

TEST(Watchlist, RepeatsTheColumnThatIsDeclaredItsKey) {
  TestTables t = Tables();
  t.AddWatchlist("Vip", "Why,User\r\nboss,ann\r\n\r\n\"a, b\",bob", "User");
  EXPECT_EQ(Ask(t, "_GetWatchlist('Vip')"), "Why,User,SearchKey | boss,ann,ann | a, b,bob,bob");
  t.AddWatchlist("Own", "SearchKey,Why\nann,boss\n");
  EXPECT_EQ(Ask(t, "_GetWatchlist('Own')"), "SearchKey,Why | ann,boss");
  t.AddWatchlist("Empty", "User\n");
  EXPECT_EQ(Ask(t, "_GetWatchlist('Empty')"), "User,SearchKey");
}

TEST(Watchlist, IsRefusedWithThePlaceOfWhatIsWrong) {
  const auto wrong = [](const std::string& text, const std::string& key = {}) {
    TestTables t;
    t.AddWatchlist("Vip", text, key);
    return Ask(t, "_GetWatchlist('Vip')");
  };
  EXPECT_EQ(wrong(""), "!PK121 list.csv:1:1: there is no header");
  EXPECT_EQ(wrong("a,b\n1,2\n3\n"),
            "!PK121 list.csv:3:1: this record has 1 field, the header names 2 columns");
  EXPECT_EQ(wrong("a,b\n\"1\n\",2\n\xC3\xA4,\"3\n"), "!PK121 list.csv:4:3: a quote has no end");
  EXPECT_EQ(wrong("a,a\n1,2\n"), "!PK121 list.csv:1:1: two columns are named 'a'");
  EXPECT_EQ(wrong("a,,b\n"), "!PK121 list.csv:1:1: a column has no name");
  EXPECT_EQ(wrong("a,b\n", "c"), "!PK121 list.csv:1:1: there is no column 'c'");
  EXPECT_EQ(wrong("SearchKey,b\n", "b"),
            "!PK121 list.csv:1:1: the CSV has a column SearchKey of its own");
  EXPECT_EQ(wrong("a\n\xFF\n"), "!PK121 list.csv is not UTF-8");
}

TEST(Names, OfKeywordsStandInBrackets) {
  EXPECT_THAT(Ask("print x=1 | extend first = 1"), StartsWith("!KS228"));
  EXPECT_THAT(Ask("print has=1 | project has"), StartsWith("!KS228"));
  EXPECT_EQ(Ask("print x=1 | project ['first'] = x"), "first | 1");
  EXPECT_THAT(Ask("print hasprefix('a', 'b')"), StartsWith("!KS006"));
}

TEST(Datatable, TakesLiteralsOnly) {
  EXPECT_EQ(Ask("datatable(a:long, b:timespan)[-9223372036854775808, -1h]"),
            "a,b | -9223372036854775808,-01:00:00");
  EXPECT_THAT(Ask("datatable(a:long)[1+1]"), StartsWith("!KS"));
  EXPECT_THAT(Ask("print -9223372036854775808 - 1"), StartsWith("!KS001"));
}

TEST(Dynamic, HoldsOtherLiterals) {
  EXPECT_THAT(Ask("print dynamic([now()])"), StartsWith("!KS001"));
  EXPECT_EQ(
      Ask("print a = dynamic({'t': datetime(2024-01-02), 'd': [1h, -1.5d], 'x': dynamic([1])})"),
      R"(a | {"t":"2024-01-02T00:00:00.0000000Z","d":["01:00:00","-1.12:00:00"],"x":[1]})");
}

TEST(Comparison, FollowsTheEngine) {
  EXPECT_EQ(Ask("print a = real(nan) == real(nan), b = real(nan) < 1.0, c = real(nan) != 1.0"),
            "a,b,c | False,False,True");
  EXPECT_THAT(Ask("print d = dynamic(1) | where d == d"), StartsWith("!KS106"));
  EXPECT_EQ(Ask("print d = dynamic({'a':'x'}) | where d.a == 'x' | count"), "Count | 1");
}

TEST(Choice, HasTheTypeOfItsValues) {
  EXPECT_EQ(Ask("print s = gettype(iff(true, dynamic('x'), 'y')), l = gettype(iff(false, 1, 2.5)), "
                "d = gettype(case(true, 1, 'a')), i = iff(false, 'n', dynamic(7))"),
            "s,l,d,i | string,real,long,7");
  EXPECT_THAT(Ask("print coalesce('a', dynamic(1))"), StartsWith("!KS"));
}

TEST(Conversion, SaturatesAndReadsUnits) {
  EXPECT_EQ(Ask("print a = tolong(1e30), b = toint(-1e30), c = tolong('0xFFFFFFFFFFFFFFFF'), "
                "d = totimespan('90s'), e = totimespan('1.5'), f = tobool(' true'), "
                "g = toguid('0123456789abcdef0123456789abcdef')"),
            "a,b,c,d,e,f,g | 9223372036854775807,-2147483648,-1,00:01:30,,,"
            "01234567-89ab-cdef-0123-456789abcdef");
  EXPECT_EQ(Ask("print a = tostring(0.1 + 0.2), b = tostring(1e11), c = tostring(real(+inf)), "
                "d = tostring(1.0 / 3)"),
            "a,b,c,d | 0.30000000000000007,100000000000.0,inf,0.3333333333333333");
  EXPECT_EQ(Ask("print datetime(9999-12-31 23:59:59.9999999) + 1tick"), "print_0 | ");
}

TEST(DecimalValues, AreExact) {
  EXPECT_EQ(
      Ask("print s = decimal(0.1) + decimal(0.2), e = decimal(0.1) + decimal(0.2) == decimal(0.3), "
          "d = decimal(1) / 3, m = decimal(-1.50) * 2, n = -decimal(7)"),
      "s,e,d,m,n | 0.3,True,0.3333333333333333333333333333333333,-3,-7");
  EXPECT_EQ(Ask("print a = todecimal('12.340'), b = todecimal('x'), c = todecimal(1) / 0, "
                "t = gettype(todecimal(1) + 1), l = tolong(decimal(9.99)), lt = decimal(2) < 10.5"),
            "a,b,c,t,l,lt | 12.34,,,decimal,9,True");
  EXPECT_EQ(Ask("datatable(d:decimal)[2, 10.5, -1] | sort by d asc"), "d | -1 | 2 | 10.5");
  EXPECT_EQ(Ask("print a = todecimal('9999999999999999999999999999999999') + 1, "
                "b = todecimal('1e40'), c = decimal(1e-3)"),
            "a,b,c | ,,0.001");
}

TEST(Limits, EndAQueryByTheOperatorsName) {
  TestTables none;
  const RunOptions small{.memory_bytes = std::size_t{1} << 20};
  const auto ask = [&](const std::string& tail) {
    return Ask(none, "range x from 1 to 200000 step 1 | " + tail, small);
  };
  EXPECT_THAT(ask("summarize count() by x"), StartsWith("!summarize needs more than"));
  EXPECT_THAT(ask("sort by x desc | take 1 | join (range x from 1 to 200000 step 1) on x"),
              HasSubstr(" needs more than"));
  EXPECT_THAT(ask("top-nested of x by count()"), StartsWith("!top-nested needs more than"));
  EXPECT_THAT(ask("partition by x (take 1)"), StartsWith("!partition needs more than"));
  EXPECT_THAT(ask("extend d = bag_pack('a', x) | evaluate bag_unpack(d)"),
              StartsWith("!evaluate needs more than"));
}

TEST(Stop, EndsAQueryAtABatch) {
  TestTables none;
  std::stop_source stop;
  stop.request_stop();
  for (const char* tail : {"count", "scan with (step s: true;)", "top-nested of x by count()",
                           "evaluate narrow()", "partition by x (take 1)"}) {
    EXPECT_EQ(
        Ask(none, std::string("range x from 1 to 9 step 1 | ") + tail, {.stop = stop.get_token()}),
        "!stopped")
        << tail;
  }
}

}  // namespace
}  // namespace picket::kql
