// The same query over the same rows, run in every way that may not matter: with conditions pushed
// down and without, in batches of one row and of many, with columns flat and coded, with scans
// shared and apart. Queries and rows are random; a failure names its seed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>

#include "agent/kql/dictionary.h"
#include "agent/kql/kernel.h"
#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

// How the source gives its rows.
struct Manner {
  bool skips = false;  // what the hints let it skip, it skips
  bool coded = false;  // texts as codes into one dictionary
};

bool Meets(const Column& column, std::size_t row, const Condition& condition) {
  const ColumnPtr value = ConstantColumn(condition.value, 1);
  const std::optional<int> order = CompareValues(column, row, *value, 0);
  if (!order) return false;
  switch (condition.op) {
    case Condition::Operator::kEqual:
      return *order == 0;
    case Condition::Operator::kLess:
      return *order < 0;
    case Condition::Operator::kLessEqual:
      return *order <= 0;
    case Condition::Operator::kGreater:
      return *order > 0;
    case Condition::Operator::kGreaterEqual:
      return *order >= 0;
  }
  return false;
}

// A scan of rows that are there, as a store would give them.
class MannerScan final : public TableScan {
 public:
  MannerScan(const ResultTable& table, ScanRequest request, Manner manner)
      : table_(table), request_(std::move(request)), manner_(manner) {
    for (const ScanColumn& column : request_.columns) {
      coders_.emplace_back(table_.schema[column.column].type, 8);
    }
  }

  Result<Batch> Next(std::size_t most) override {
    if (table_.batches.empty()) return Batch{};
    const Batch& all = table_.batches[0];
    Selection rows;
    Batch out;
    for (; at_ < all.rows && rows.size() < most; ++at_) {
      if (manner_.skips && !Wanted(all, at_)) continue;
      rows.push_back(static_cast<std::uint32_t>(at_));
      out.keys.push_back(static_cast<std::int64_t>(at_) + 1);
    }
    out.rows = rows.size();
    for (std::size_t i = 0; i < request_.columns.size(); ++i) {
      const Column& column = *all.columns[request_.columns[i].column];
      out.columns.push_back(manner_.coded && IsText(column.type) ? Coded(coders_[i], column, rows)
                                                                 : Gather(column, rows));
    }
    return out;
  }

 private:
  [[nodiscard]] bool Wanted(const Batch& all, std::size_t row) const {
    const Instant time{all.columns[0]->Number(row)};
    if (request_.from && time < *request_.from) return false;
    if (request_.until && time > *request_.until) return false;
    return std::all_of(
        request_.conditions.begin(), request_.conditions.end(),
        [&](const Condition& each) { return Meets(*all.columns[each.column], row, each); });
  }

  static ColumnPtr Coded(DictionaryBuilder& coder, const Column& column, const Selection& rows) {
    for (const std::uint32_t row : rows) {
      if (column.IsNull(row)) {
        coder.Null();
        continue;
      }
      const auto key = DictionaryBuilder::KeyOfShort(column.Text(row));
      if (!key || !coder.Known(*key)) coder.Text(key, column.Text(row));
    }
    return coder.Finish();
  }

  const ResultTable& table_;
  const ScanRequest request_;
  const Manner manner_;
  std::deque<DictionaryBuilder> coders_;
  std::size_t at_ = 0;
};

constexpr Instant kNow{639'000'000'000'000'000};

class MannerTables final : public Catalog, public TableSource {
 public:
  explicit MannerTables(std::string_view cells) {
    TestTables none;
    const CompileResult compiled =
        Compile(fmt::format("datatable(TimeGenerated:datetime, user:string, what:string, n:long, "
                            "r:real, d:dynamic)[{}] | sort by TimeGenerated asc",
                            cells),
                none);
    table_ = Run(*compiled.query, none, {.now = kNow, .batch_rows = 100'000, .stop = {}}).value();
  }
  [[nodiscard]] const Schema* Find(std::string_view table) const override {
    return table == "T" ? &table_.schema : nullptr;
  }
  [[nodiscard]] std::vector<std::string_view> Names() const override { return {"T"}; }
  [[nodiscard]] Result<std::unique_ptr<TableScan>> Scan(const ScanRequest& request) override {
    ++scans;
    return std::make_unique<MannerScan>(table_, request, manner);
  }
  [[nodiscard]] bool Cheap(std::string_view, const ScanColumn& column) const override {
    return !(dear_dynamic && column.column == 5);
  }

  Manner manner;
  bool dear_dynamic = false;
  int scans = 0;

 private:
  ResultTable table_;
};

// Answers, or the error; rows in their order.
std::string Answer(MannerTables& tables, const std::string& query, RunOptions options) {
  const CompileResult compiled = Compile(query, tables);
  if (!compiled.query) return "!" + compiled.errors.at(0).message;
  options.now = kNow;
  const auto result = Run(*compiled.query, tables, options);
  return result ? ToJson(*result) : "!" + result.error().message;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool Once(std::size_t in) { return Below(in) == 0; }
  template <std::size_t N>
  std::string Of(const std::array<const char*, N>& texts) {
    return texts.at(Below(N));
  }

 private:
  std::mt19937_64 engine_;
};

std::string Cells(Dice& dice) {
  std::string cells;
  const std::size_t rows = dice.Below(60);
  for (std::size_t i = 0; i < rows; ++i) {
    cells += fmt::format(
        "{}datetime({}), '{}', '{}', {}, {}, {}", i > 0 ? ", " : "",
        FormatRfc3339(kNow - kMinute * static_cast<std::int64_t>(dice.Below(300))),
        dice.Of(std::array{"ann", "bob", "Ann", "a user of a longer name", "", "zoë"}),
        dice.Of(std::array{"read", "write", "WRITE", "a-b c", "", "12", "0"}),
        dice.Once(6) ? "long(null)" : std::to_string(dice.Below(5)),
        dice.Of(std::array{"0.5", "real(null)", "-1.0", "2.0"}),
        dice.Of(std::array{"dynamic(null)", "dynamic({'os':'mac','v':[1,2]})",
                           "dynamic({'os':'win'})", "dynamic('text')", "dynamic([1,'x'])"}));
  }
  return cells;
}

std::string ConditionOf(Dice& dice) {
  return dice.Of(std::array{"TimeGenerated > ago(1h)",
                            "TimeGenerated between (ago(3h) .. ago(1h))",
                            "TimeGenerated <= ago(2h)",
                            "user == 'ann'",
                            "user =~ 'ann'",
                            "user != 'bob'",
                            "user in ('ann', 'zoë')",
                            "what has 'a'",
                            "what == 0",
                            "what in~ ('write', '12')",
                            "isnotempty(user) and what contains 'r'",
                            "n == 2",
                            "n >= 1",
                            "n < 3 or user startswith 'a'",
                            "tostring(d.os) == 'mac'",
                            "isnull(n)",
                            "r > 0.0",
                            "what matches regex '^[a-z]+$'",
                            "strcat(user, what) has_any ('annread', 'bob')",
                            "toint(what) == 12",
                            "user == what",
                            "not(user == '' or what == '')",
                            "n between (1 .. 3) and r <= 1.0",
                            "iff(what == 'read', user, what) != 'ann'"});
}

// A table that keeps T's columns.
std::string RowsOf(Dice& dice) {
  std::string text = "T";
  for (std::size_t i = dice.Below(3); i > 0; --i) text += " | where " + ConditionOf(dice);
  return text;
}

std::string StepOf(Dice& dice) {
  switch (dice.Below(9)) {
    case 0:
      return "extend user = tolower(user), both = strcat(what, '/', user)";
    case 1:
      return "where user in (" + RowsOf(dice) + " | project user)";
    case 2:
      return fmt::format("where n >= toscalar({} | summarize min(n))", RowsOf(dice));
    case 3:
      return fmt::format("join kind={} ({}) on user",
                         dice.Of(std::array{"inner", "innerunique", "leftouter", "leftanti",
                                            "leftsemi", "fullouter"}),
                         RowsOf(dice));
    case 4:
      return fmt::format("union ({})", RowsOf(dice));
    case 5:
      return "sort by user asc, n desc";
    case 6:
      return fmt::format("take {}", dice.Below(20));
    case 7:
      return "mv-expand d";
    default:
      return "where " + ConditionOf(dice);
  }
}

std::string EndOf(Dice& dice) {
  return dice.Of(
      std::array{"", " | count", " | summarize count(), dcount(what), max(TimeGenerated) by user",
                 " | summarize make_set(user), sum(n) by bin(TimeGenerated, 1h), what",
                 " | distinct user, what", " | project user, what, os = tostring(d.os)",
                 " | top 5 by n, user", " | summarize arg_max(TimeGenerated, *) by user"});
}

std::string QueryOf(Dice& dice) {
  std::string query = RowsOf(dice);
  const bool shared = dice.Once(2);
  if (shared) query = "let B = materialize(" + query + "); B";
  for (std::size_t i = dice.Below(4); i > 0; --i) query += " | " + StepOf(dice);
  if (shared) query += " | join kind=inner (B | where " + ConditionOf(dice) + ") on user";
  return query + EndOf(dice);
}

TEST(Differential, NoWayOfRunningAQueryChangesItsAnswer) {
  constexpr std::uint64_t kSeeds = 1000;
  std::size_t answered = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    MannerTables tables(Cells(dice));
    const std::string query = QueryOf(dice);
    const std::string plain = Answer(
        tables, query, {.batch_rows = 1024, .pushdown = false, .share_scans = false, .stop = {}});
    if (plain[0] != '!') ++answered;
    for (int way = 0; way < 8; ++way) {
      tables.manner = {.skips = (way & 1) != 0, .coded = (way & 2) != 0};
      tables.dear_dynamic = dice.Once(2);
      const std::size_t batch = (way & 4) != 0 ? 1024 : 1 + dice.Below(7);
      ASSERT_EQ(Answer(tables, query, {.batch_rows = batch, .stop = {}}), plain)
          << "seed " << seed << ", way " << way << ", batches of " << batch << ": " << query;
    }
  }
  // Most of the queries are valid, or the test says nothing.
  EXPECT_GT(answered, kSeeds * 9 / 10);
}

// A column of a store holds both, told apart by their keys alone.
TEST(Dictionary, TellsShortTextsFromNumbersAndEachOther) {
  std::map<std::uint64_t, std::string> seen;
  const auto add = [&seen](std::uint64_t key, const std::string& what) {
    const auto [place, added] = seen.emplace(key, what);
    EXPECT_TRUE(added) << what << " has the key of " << place->second;
  };
  for (int number = 1; number < 200'000; ++number) {
    add(DictionaryBuilder::KeyOfNumber(number), fmt::format("word {}", number));
  }
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    add(*DictionaryBuilder::KeyOfShort(one), "a byte");
    for (int second = 0; second < 256; ++second) {
      add(*DictionaryBuilder::KeyOfShort(one + static_cast<char>(second)), "two bytes");
    }
  }
  add(*DictionaryBuilder::KeyOfShort(""), "nothing");
  EXPECT_FALSE(DictionaryBuilder::KeyOfShort("12345678"));
}

TEST(Dictionary, GoesFlatInTheMiddleOfABatchThatHasTooManyValues) {
  DictionaryBuilder builder(Type::kString, 16);
  for (int batch = 0; batch < 3; ++batch) {
    constexpr std::size_t kRows = 2 * DictionaryBuilder::kMost;
    for (std::size_t row = 0; row < kRows; ++row) {
      const std::string text = std::to_string(row);
      const auto key = DictionaryBuilder::KeyOfShort(text);
      if (!builder.Known(*key)) builder.Text(key, text);
    }
    const ColumnPtr column = builder.Finish();
    ASSERT_EQ(column->rows, kRows);
    for (std::size_t row = 0; row < kRows; ++row) EXPECT_EQ(column->Text(row), std::to_string(row));
  }
}

class SharedScan : public testing::Test {
 protected:
  SharedScan() {
    std::string cells;
    for (int i = 0; i < 200; ++i) {
      cells += fmt::format("{}datetime({}), 'user{}', 'read', {}, 1.0, dynamic(null)",
                           i > 0 ? ", " : "", FormatRfc3339(kNow - kMinute * (200 - i)), i % 7, i);
    }
    tables_ = std::make_unique<MannerTables>(cells);
  }
  std::string Run(const std::string& query, RunOptions options = {.stop = {}}) {
    tables_->scans = 0;
    options.batch_rows = 16;
    return Answer(*tables_, query, options);
  }
  std::unique_ptr<MannerTables> tables_;
};

TEST_F(SharedScan, ReadsATableOnceThatAQueryNamesTwice) {
  const std::string query =
      "T | where n > 10 | join kind=inner (T | where n < 20 | project user, m = n) on user | count";
  const std::string answer = Run(query);
  EXPECT_EQ(tables_->scans, 1);
  EXPECT_EQ(Run(query, {.share_scans = false, .stop = {}}), answer);
  EXPECT_EQ(tables_->scans, 2);
}

TEST_F(SharedScan, ReadsApartWhatOverlapsInNoTime) {
  (void)Run(
      "union (T | where TimeGenerated < ago(2h)), (T | where TimeGenerated > ago(1h)) | count");
  EXPECT_EQ(tables_->scans, 2);
}

TEST_F(SharedScan, ReadsNoDearColumnForRowsOfWhichNobodyAsksIt) {
  tables_->dear_dynamic = true;
  const std::string query =
      "T | where n == 3 | project user, d | join kind=inner (T | project user) on user";
  (void)Run(query);
  EXPECT_EQ(tables_->scans, 2);
  (void)Run("T | project user, d | join kind=inner (T | project user) on user");
  EXPECT_EQ(tables_->scans, 1);
}

TEST_F(SharedScan, GoesOnApartWhenMemoryIsShort) {
  const std::string query = "T | union T | summarize count() by user | sort by user asc";
  const std::string answer = Run(query);
  for (std::size_t memory = 1024; memory < (std::size_t{64} << 10); memory += 512) {
    const std::string apart =
        Run(query, {.memory_bytes = memory, .share_scans = false, .stop = {}});
    EXPECT_EQ(Run(query, {.memory_bytes = memory, .stop = {}}), apart) << memory << " bytes";
    if (apart[0] != '!') {
      EXPECT_EQ(apart, answer);
    }
  }
}

TEST_F(SharedScan, LeavesNoMemoryChargedBehind) {
  RunStats stats;
  (void)Run("T | count | union (T | count)", {.stats = &stats, .stop = {}});
  EXPECT_EQ(stats.scanned, 200U);
  EXPECT_LT(stats.peak_bytes, std::size_t{64} << 10);
}

TEST(Explain, TellsWhatWasPushedDownAndWhatEachOperatorGave) {
  MannerTables tables(
      "datetime(2025-11-18T22:00:00Z), 'ann', 'read', 1, 1.0, dynamic({'os':'mac'}), "
      "datetime(2025-11-18T22:10:00Z), 'bob', 'read', 2, 1.0, dynamic({'os':'win'})");
  RunStats stats;
  const std::string answer =
      Answer(tables, "T | where user == 'ann' and n > 0 | summarize c = count() by what",
             {.stats = &stats, .stop = {}});
  EXPECT_NE(answer.find(R"(["read",1])"), std::string::npos) << answer;
  ASSERT_GE(stats.operators.size(), 3U);
  const OperatorStats& scan = stats.operators.back();
  EXPECT_EQ(scan.name, "T");
  EXPECT_EQ(scan.rows, 2U);
  ASSERT_TRUE(scan.pushed);
  EXPECT_EQ(scan.pushed->columns, (std::vector<std::string>{"user", "what", "n"}));
  EXPECT_EQ(scan.pushed->conditions, (std::vector<std::string>{R"(user == "ann")", "n > 0"}));
  const OperatorStats& where = stats.operators[stats.operators.size() - 2];
  EXPECT_EQ(where.name, "where");
  EXPECT_EQ(where.detail, R"(((user == "ann") and (n > 0)))");
  EXPECT_EQ(where.rows, 1U);
  EXPECT_EQ(where.depth + 1, scan.depth);
  EXPECT_EQ(stats.scanned, 2U);
}

}  // namespace
}  // namespace picket::kql
