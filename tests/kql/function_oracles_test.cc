// Functions against slow ways to the same answer that share nothing with them: the C library's
// addresses, std::chrono's calendar, sorting, the real engine's recorded series.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "agent/kql/engine.h"
#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

using nlohmann::json;

// The rows of the answer, as JSON.
json RowsOf(const std::string& query) {
  TestTables tables;
  const CompileResult compiled = Compile(query, tables);
  if (!compiled.query) return compiled.errors.at(0).message;
  const auto result = kql::Run(*compiled.query, tables, {});
  if (!result) return result.error().message;
  return json::parse(ToJson(*result))["rows"];
}

std::uint32_t AddressOf(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ? ntohl(address.s_addr) : 0;
}

// Bit by bit, from the left.
bool SameNetwork(std::uint32_t a, std::uint32_t b, int prefix) {
  for (int bit = 31; bit > 31 - prefix; --bit) {
    if (((a >> bit) & 1U) != ((b >> bit) & 1U)) return false;
  }
  return true;
}

TEST(IpFunctionsOracle, MaskAsTheCLibraryReadsAddresses) {
  std::mt19937 random(20261124);
  const auto address = [&] {
    // Few networks, so that many match.
    return fmt::format("10.{}.{}.{}", random() % 2, random() % 3 * 64, random() % 256);
  };
  std::string cells;
  std::vector<bool> wanted;
  for (int i = 0; i < 2000; ++i) {
    const std::string ip = address();
    const std::string network = address();
    const int prefix = static_cast<int>(random() % 33);
    cells += fmt::format("{}'{}','{}/{}'", i > 0 ? "," : "", ip, network, prefix);
    wanted.push_back(SameNetwork(AddressOf(ip), AddressOf(network), prefix));
  }
  const json rows = RowsOf("datatable(ip:string, net:string)[" + cells +
                           "] | project r = ipv4_is_in_range(ip, net), "
                           "n = parse_ipv4(ip), m = ipv6_is_match(ip, net)");
  ASSERT_EQ(rows.size(), wanted.size()) << rows;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(rows[i][0], static_cast<bool>(wanted[i])) << "row " << i;
    ASSERT_EQ(rows[i][2], static_cast<bool>(wanted[i])) << "row " << i;
  }
}

TEST(IpFunctionsOracle, CoverARangeByNetworksWithoutGapOrOverlap) {
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    std::uint32_t first = 0x0A000000U + static_cast<std::uint32_t>(random() % 5000);
    const std::uint32_t last = first + static_cast<std::uint32_t>(random() % 5000);
    const auto text = [](std::uint32_t n) {
      return fmt::format("{}.{}.{}.{}", n >> 24, n >> 16 & 255U, n >> 8 & 255U, n & 255U);
    };
    const json rows =
        RowsOf(fmt::format("print ipv4_range_to_cidr_list('{}', '{}')", text(first), text(last)));
    for (const std::string network : rows[0][0]) {
      const std::size_t slash = network.find('/');
      ASSERT_EQ(AddressOf(network.substr(0, slash)), first);
      const auto size = std::uint64_t{1} << (32 - std::stoi(network.substr(slash + 1)));
      ASSERT_EQ(first % size, 0U) << network;  // begins where such a network may begin
      first += static_cast<std::uint32_t>(size);
    }
    ASSERT_EQ(first, last + 1);
  }
}

std::string TimeText(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.0000000Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

TEST(DateTimeFunctionsOracle, CountMonthsAndWeeksAsTheCalendarOfTheLibrary) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar arithmetic
  std::mt19937 random(42);
  std::string cells;
  std::vector<std::array<std::string, 3>> wanted;
  for (int i = 0; i < 1500; ++i) {
    const sys_seconds time{seconds(static_cast<std::int64_t>(random()) - 2'000'000'000)};
    const int add = static_cast<int>(random() % 200) - 100;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    year_month_day moved = (year_month(date.year(), date.month()) + months(add)) / date.day();
    if (!moved.ok()) moved = moved.year() / moved.month() / last;
    const sys_days sunday = day - (weekday(day) - Sunday);
    const sys_days month_end = sys_days(date.year() / date.month() / last);
    cells += fmt::format("{}datetime({}),{}", i > 0 ? "," : "", TimeText(time), add);
    wanted.push_back({TimeText(sys_days(moved) + (time - day)), TimeText(sunday),
                      TimeText(sys_seconds(month_end))});
  }
  const json rows = RowsOf("datatable(t:datetime, n:int)[" + cells +
                           "] | project datetime_add('month', n, t), startofweek(t), "
                           "startofday(endofmonth(t))");
  ASSERT_EQ(rows.size(), wanted.size()) << rows;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    for (std::size_t column = 0; column < 3; ++column) {
      ASSERT_EQ(rows[i][column], wanted[i].at(column)) << "row " << i;
    }
  }
}

TEST(AggregatesOracle, SpreadAndPercentilesOfRandomRows) {
  std::mt19937 random(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> values(1 + random() % 60);
    std::string cells;
    for (double& value : values) {
      value = static_cast<double>(random() % 1000) / 8 + 1e6;
      cells += fmt::format("{}{:.3f}", cells.empty() ? "" : ",", value);
    }
    const json rows = RowsOf("datatable(v:real)[" + cells +
                             "] | summarize variancep(v), percentile(v, 30), percentile(v, 100)");
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    double variance = 0;
    for (const double value : values) {
      variance += (value - mean) * (value - mean) / static_cast<double>(values.size());
    }
    std::sort(values.begin(), values.end());
    // The first value that 30 % of all do not exceed.
    std::size_t at = 0;
    while ((at + 1) * 100 < 30 * values.size()) ++at;
    ASSERT_NEAR(rows[0][0].get<double>(), variance, 1e-6);
    ASSERT_EQ(rows[0][1].get<double>(), values[at]);
    ASSERT_EQ(rows[0][2].get<double>(), values.back());
  }
}

TEST(ArrayFunctionsOracle, SliceShiftAndRotateAsOneElementAtATime) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    json array = json::array();
    for (std::size_t i = random() % 7; i > 0; --i) array.push_back(random() % 10);
    const int size = static_cast<int>(array.size());
    const int a = static_cast<int>(random() % 20) - 10;
    const int b = static_cast<int>(random() % 20) - 10;
    json slice = json::array();
    json shifted = json::array();
    json rotated = json::array();
    for (int i = 0; i < size; ++i) {
      const int begin = a < 0 ? size + a : a;
      const int end = b < 0 ? size + b : b;
      if (i >= begin && i <= end) slice.push_back(array[static_cast<std::size_t>(i)]);
      const int from = i + a;
      shifted.push_back(from >= 0 && from < size ? array[static_cast<std::size_t>(from)] : json());
      rotated.push_back(array[static_cast<std::size_t>(((i + a) % size + size) % size)]);
    }
    const std::string text = array.dump();
    const json rows = RowsOf(fmt::format(
        "print d = dynamic({0}) | project array_slice(d, {1}, {2}), array_shift_left(d, {1}), "
        "array_rotate_left(d, {1})",
        text, a, b));
    ASSERT_EQ(rows[0][0], slice) << text << a << " " << b;
    ASSERT_EQ(rows[0][1], shifted) << text << a;
    ASSERT_EQ(rows[0][2], rotated) << text << a;
  }
}

// The recorded cases draw their series by chance, but say what they drew.
TEST(SeriesOracle, DecomposesTheRecordedSeriesAsTheRealEngineDid) {
  const std::map<std::string, std::string> calls = {
      {"series-decompose-anomalies-function-00", "series_decompose_anomalies(y)"},
      {"series-decompose-anomalies-function-02",
       "series_decompose_anomalies(y, 1.5, -1, 'linefit')"},
      {"series-decompose-anomalies-function-03",
       "series_decompose_anomalies(y, 2.5, -1, 'linefit')"},
      {"series-decompose-function-01", "series_decompose(y)"},
      {"series-decompose-function-02", "series_decompose(y, -1, 'linefit')"},
      {"series-decompose-forecast-function-00",
       "y_forcasted = series_decompose_forecast(y, 24*7)"}};
  std::ifstream lines(PICKET_SHARED_DIR "/corpora/kql-oracle-emulator.jsonl");
  std::size_t compared = 0;
  for (std::string line; std::getline(lines, line);) {
    const json record = json::parse(line);
    const auto call = calls.find(record["name"].get<std::string>());
    if (call == calls.end()) continue;
    json recorded;
    for (std::size_t i = 0; i < record["expected"]["columns"].size(); ++i) {
      recorded[record["expected"]["columns"][i].get<std::string>()] =
          record["expected"]["rows"][0][i];
    }
    TestTables tables;
    const CompileResult compiled =
        Compile("print y = dynamic(" + recorded["y"].dump() + ") | extend " + call->second, tables);
    ASSERT_TRUE(compiled.query) << call->first;
    const auto result = kql::Run(*compiled.query, tables, {});
    ASSERT_TRUE(result) << result.error().message;
    const json answer = json::parse(ToJson(*result));
    for (std::size_t i = 1; i < answer["columns"].size(); ++i) {
      const std::string name = answer["columns"][i]["name"];
      const json& wanted = recorded.at(name);
      // Two of the cases multiply the flags to draw them.
      const double scale =
          name.ends_with("ad_flag") && call->second.find(',') != std::string::npos ? 10 : 1;
      ASSERT_EQ(answer["rows"][0][i].size(), wanted.size());
      for (std::size_t at = 0; at < wanted.size(); ++at) {
        ASSERT_NEAR(scale * answer["rows"][0][i][at].get<double>(), wanted[at].get<double>(), 1e-9)
            << call->first << " " << name << " " << at;
      }
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "no corpora in " PICKET_SHARED_DIR;
  EXPECT_EQ(compared, 18U);
}

}  // namespace
}  // namespace picket::kql
