// Queries that ask for far more than there is. Each is refused, or stopped at a limit that its
// error names, and takes no more memory than the query's budget and a margin, measured from
// outside: each runs in a process of its own, whose address space is capped in case that nothing
// else holds.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/kql/run_query.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PICKET_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PICKET_TEST_SANITIZED 1
#endif
#endif

namespace picket::kql {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
constexpr std::size_t kBudget = 64 * kMegabyte;
// What a run may take beyond its budget: the columns of the batch that an operator works on (64 MB
// of text each at most) and what a kernel puts together before it is a column.
constexpr std::size_t kMargin = 256 * kMegabyte;
constexpr rlim_t kAddressSpace = std::size_t{8} << 30;

// "refused: CODE at LINE:COLUMN message", "stopped: message" or "rows: N".
std::string Outcome(const std::string& query, std::stop_token stop) {
  TestTables none;
  const CompileResult compiled = Compile(query, none);
  if (!compiled.query) {
    const Diagnostic& error = compiled.errors.at(0);
    return fmt::format("refused: {} at {}:{} {}", error.code, error.line, error.column,
                       error.message);
  }
  const auto result = Run(*compiled.query, none, {.memory_bytes = kBudget, .stop = stop});
  if (!result) return "stopped: " + result.error().message;
  return fmt::format("rows: {}", result->Rows());
}

struct Measured {
  std::string outcome;
  std::size_t peak_bytes = 0;
};

// Runs the query in a child. Some would go on for years: they are stopped from another thread.
Measured RunApart(const std::string& query, bool endless) {
  int ends[2] = {};
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
#ifndef PICKET_TEST_SANITIZED
    const rlimit limit{kAddressSpace, kAddressSpace};
    setrlimit(RLIMIT_AS, &limit);
#endif
    std::stop_source stop;
    const std::jthread stopper([&stop, endless](const std::stop_token& ended) {
      for (int i = 0; i < (endless ? 20 : 1200) && !ended.stop_requested(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
      stop.request_stop();
    });
    const std::string outcome = Outcome(query, stop.get_token());
    const auto written = write(ends[1], outcome.data(), outcome.size());
    _exit(written == static_cast<ssize_t>(outcome.size()) ? 0 : 1);
  }
  close(ends[1]);
  Measured measured;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    measured.outcome.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << query.substr(0, 200);
  measured.peak_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  return measured;
}

struct Hostile {
  const char* name;
  std::string query;
  const char* outcome;   // a part of it; some are answered, within texts and arrays of 4 and 64 MB
  bool endless = false;  // nothing but a stop ends it
};

std::string Repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

constexpr const char* kRows = "range x from 1 to 1000000000000 step 1";

std::vector<Hostile> Queries() {
  const std::string rows = kRows;
  const std::string big = "strrep(strrep('x', 1024), 1024)";  // a megabyte
  std::vector<Hostile> all = {
      {"EndlessRange", rows + " | count", "stopped: stopped", true},
      {"EndlessResult", rows, "stopped: the result"},
      {"EndlessSort", rows + " | sort by x asc", "stopped: sort"},
      {"CrossJoin",
       "let T = range x from 1 to 100000 step 1 | extend k = 1; T | join kind=inner T on k | "
       "summarize make_list(x) by x1",
       "stopped: "},
      {"CrossJoinCounted",
       "let T = range x from 1 to 100000 step 1 | extend k = 1; T | join kind=inner T on k | count",
       "stopped: stopped", true},
      {"CrossJoinOfEndless", rows + " | extend k = 1 | join (" + rows + " | extend k = 1) on k",
       "stopped: join"},
      {"MvExpandOfRanges",
       "print a = range(1, 1000000000) | mv-expand a | extend b = range(1, 1000000000) | mv-expand "
       "b | extend c = range(1, 1000000000) | mv-expand c | count",
       "stopped: stopped", true},
      {"MvExpandOfWideRows",
       "print a = range(1, 1000000), s = " + big + " | mv-expand a | sort by tolong(a)",
       "stopped: "},
      {"MvExpandOfNestedArrays",
       "print d = dynamic([" + Repeated("[1,2,3,4,5,6,7,8,9,10],", 1000) +
           "0]) | mv-expand a = d "
           "| mv-expand b = d | mv-expand c = d | mv-expand e = d | summarize make_list(e)",
       "stopped: "},
      {"MvApplyBomb",
       "range y from 1 to 1000000 step 1 | extend a = range(1, 1000000) | mv-apply a on (extend b "
       "= range(1, 1000000) | mv-expand b | summarize count())",
       "stopped: stopped", true},
      {"RepeatedRepeats", "print a = repeat(repeat(repeat('x', 1000000), 1000000), 1000000)", ""},
      {"StrcatDoubling",
       "print a = " + big + Repeated(" | extend a = strcat(a, a, a, a, a, a, a, a)", 12) +
           " | project n = strlen(a)",
       ""},
      {"StrcatOfManyRows",
       "range y from 1 to 1000000 step 1 | extend s = strcat(strrep(tostring(y), 1000), y) | sort "
       "by s asc",
       "stopped: "},
      {"ManyLargeColumns", "", "stopped: "},
      {"ReplaceString",
       "print s = replace_string(" + big + ", 'x', " + big + ") | project strlen(s)", ""},
      {"ReplaceStrings",
       "print s = replace_strings(" + big + ", dynamic(['x']), pack_array(" + big +
           ")) | project strlen(s)",
       ""},
      {"ReplaceRegex", "print s = replace_regex(" + big + ", 'x', " + big + ") | project strlen(s)",
       ""},
      {"SplitOfCommas", "print n = array_length(split(strrep(strrep(',', 1024), 1024), ','))", ""},
      {"ExtractAll", "print n = array_length(extract_all('(x)', " + big + "))", ""},
      {"ArrayConcatDoubling",
       "print a = range(1, 1000000)" + Repeated(" | extend a = array_concat(a, a, a, a)", 12) +
           " | project n = array_length(a)",
       ""},
      {"PackArrayDoubling",
       "print a = " + big + Repeated(" | extend a = pack_array(a, a, a, a, a, a)", 12) +
           " | project n = array_length(a)",
       ""},
      {"DeepParentheses", "print x = " + Repeated("(", 20'000) + "1" + Repeated(")", 20'000),
       "refused: PK003 at 1:"},
      {"DeepSigns", "print x = " + Repeated("-", 100'000) + "1", "refused: PK003 at 1:"},
      {"DeepDynamic", "print x = dynamic(" + Repeated("[", 20'000) + Repeated("]", 20'000) + ")",
       "refused: "},
      {"DeepText", "print x = parse_json(strcat(strrep('[', 1000), strrep('[', 1000)))", "rows: 1"},
      {"DeepUnions", Repeated("union (", 20'000) + "print 1" + Repeated(")", 20'000),
       "refused: PK003 at 1:"},
      {"ManyUnions", "print 1" + Repeated(" | union (print 1)", 20'000), "refused: PK004"},
      {"DeepLets", "", "refused: PK003"},
      {"DoublingLets", "", "refused: PK004"},
      {"DoublingScalars", "", "refused: PK004"},
      {"TenMegabytes", "print strlen('" + std::string(10'000'000, 'x') + "')", "refused: "},
      {"TenMegabytesOfList", "print 1 in (" + Repeated("1,", 5'000'000) + "1)", "refused: "},
      {"DatatableOfManyRows", "datatable(x:long)[" + Repeated("1,", 100'000) + "] | count",
       "rows: 1"},
      {"DatatableOfTooManyRows", "datatable(x:long)[" + Repeated("1,", 600'000) + "]",
       "refused: PK002"},
      {"MakeListOfEndless", rows + " | summarize make_list(x) by x % 1000", "stopped: summarize"},
      {"MakeSetOfLongTexts", rows + " | summarize make_set(strcat(x, " + big + "))", "stopped: "},
      {"ManyGroups", rows + " | summarize count() by x", "stopped: summarize"},
      {"DistinctOfEndless", rows + " | distinct x", "stopped: "},
      {"MakeBag", rows + " | summarize make_bag(bag_pack(tostring(x), x))", "stopped: "},
      {"ABillionBins",
       "range y from 1 to 10 step 1 | extend t = datetime(2020-01-01) + y * 1d | make-series "
       "count() on t from datetime(2000-01-01) to datetime(2030-01-01) step 1ms",
       "stopped: make-series"},
      {"ManySeries",
       rows + " | extend t = datetime(2020-01-01) | make-series count() on t from "
              "datetime(2020-01-01) to datetime(2020-01-02) step 1s by x",
       "stopped: make-series"},
      {"CountedRepetition", "print 'x' matches regex '((x{1000}){1000}){1000}'", "refused: "},
      {"CountedRepetitionOfRows",
       "range y from 1 to 500 step 1 | extend p = strcat('(x{1,', y % 999 + 1, '}){1,', y % 9 + "
       "1, "
       "'}y'), s = strrep('x', 1000) | where s matches regex p | count",
       "rows: 1"},
      {"ManyHungryRegexes",
       "range y from 1 to 2000 step 1 | extend p = strcat('(a|b)*a(a|b){', y % 17 + 10, '}(c|d){', "
       "y, "
       "'}') | extend s = strrep(tostring(hash_sha256(tostring(y))), 200) | where s matches regex "
       "p "
       "or true | count",
       ""},
      {"Coverings",
       rows + " | where isnull(geo_polygon_to_s2cells(dynamic({'type':'Polygon','coordinates':[[[0,"
              "0],[90,0],[0,90],[0,0]]]}), iff(x > 0, 8, 1)))",
       "stopped: stopped", true},
      {"TopOfEndless", rows + " | top 1000000000 by x", "stopped: "},
      {"SerializeOfEndless", rows + " | serialize n = row_number()", "stopped: "},
      {"InOfEndless", "print 1 | where print_0 in (" + rows + ")", "stopped: in (table)"},
      {"PivotOfEndless", rows + " | extend k = tostring(x) | evaluate pivot(k)", "stopped: "},
      {"PartitionOfEndless", rows + " | partition by x (count)", "stopped: "},
      {"PackAllOfWide", rows + " | extend s = " + big + " | extend d = pack_all()", "stopped: "},
  };
  std::string columns;
  for (int i = 0; i < 60; ++i) {
    columns +=
        fmt::format("{}c{} = strcat(y, strrep(strrep('x', 1000), 50))", i > 0 ? ", " : "", i);
  }
  std::string lets = "let f0 = () { print 1 };\n";
  std::string tables = "let t0 = print 1;\n";
  std::string scalars = "let s0 = now() + 1d;\n";
  for (int i = 1; i <= 3000; ++i) {
    lets += fmt::format("let f{} = () {{ f{}() | where true }};\n", i, i - 1);
    if (i > 40) continue;
    tables += fmt::format("let t{0} = union t{1}, t{1};\n", i, i - 1);
    scalars += fmt::format("let s{0} = s{1} - (s{1} - s{1});\n", i, i - 1);
  }
  for (Hostile& each : all) {
    const std::string name = each.name;
    if (name == "ManyLargeColumns") {
      each.query = "range y from 1 to 1000 step 1 | project " + columns;
    } else if (name == "DeepLets") {
      each.query = lets + "f3000()";
    } else if (name == "DoublingLets") {
      each.query = tables + "t40";
    } else if (name == "DoublingScalars") {
      each.query = scalars + "print s40";
    }
  }
  return all;
}

class HostileQuery : public testing::TestWithParam<Hostile> {};

TEST_P(HostileQuery, IsRefusedOrStoppedWithinItsBudget) {
  const Measured measured = RunApart(GetParam().query, GetParam().endless);
  RecordProperty("peak_megabytes", static_cast<int>(measured.peak_bytes / kMegabyte));
  EXPECT_THAT(measured.outcome, HasSubstr(GetParam().outcome));
#ifndef PICKET_TEST_SANITIZED
  EXPECT_LT(measured.peak_bytes, kBudget + kMargin);
#endif
}

INSTANTIATE_TEST_SUITE_P(All, HostileQuery, testing::ValuesIn(Queries()),
                         [](const auto& named) { return std::string(named.param.name); });

}  // namespace
}  // namespace picket::kql
