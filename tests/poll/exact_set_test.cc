#include <gtest/gtest.h>

#include <random>

#include "tests/poll/poll_fixture.h"

namespace picket::poll {
namespace {

const Instant kStart = ParseRfc3339("2026-11-24T10:00:00Z").value();
const std::vector<std::string> kStreams = {"signIns.interactive", "signIns.nonInteractive",
                                           "riskDetections"};

// What Graph gave in the end is what is stored in the end: no event missing, none twice, none in an
// old version, whatever went wrong on the way.
class ExactSet : public testing::TestWithParam<unsigned> {
 protected:
  void EmitSome(Bench& bench, std::mt19937& random, Timespan span) {
    for (int i = 0; i < 12; ++i) {
      const std::string& stream = kStreams[random() % kStreams.size()];
      const Instant time =
          clock.True() +
          Timespan{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span.ticks))};
      Timespan lag = kSecond * static_cast<std::int64_t>(random() % 100);
      if (random() % 10 == 0) lag = kMinute * static_cast<std::int64_t>(random() % (20 * 60));
      bench.graph.Emit(stream,
                       {.id = "e" + std::to_string(next_++), .time = time, .visible = time + lag});
    }
  }
  PlayClock clock{kStart};
  // A month of rounds is many thousand commits.
  ScratchDirectory dir{ScratchDirectory::Where::kMemory};
  int next_ = 0;
};

TEST_P(ExactSet, HoldsUnderFaults) {
  const unsigned seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bench bench(clock, dir.path(), "contoso", seed, kStreams);
  bench.settings.backfill = kHour * 12;
  bench.graph.SetFaults({.throttled = 40,
                         .unavailable = 30,
                         .reset = 20,
                         .gateway = 20,
                         .truncated = 20,
                         .html = 5,
                         .expired = 40,
                         .unauthorized = 20});
  for (int round = 0; round < 60; ++round) {
    const Timespan span = kMinute * static_cast<std::int64_t>(5 + random() % 60);
    EmitSome(bench, random, span);
    if (next_ > 50 && random() % 3 == 0) {
      const std::string& stream = kStreams[random() % kStreams.size()];
      const auto events = bench.graph.Events(stream);
      if (!events.empty()) {
        auto picked = events.begin();
        std::advance(picked, static_cast<std::ptrdiff_t>(random() % events.size()));
        bench.graph.Change(stream, picked->first);
      }
    }
    clock.Pass(span);
    if (random() % 15 == 0) clock.offset = (random() % 2 == 0 ? kDay : Timespan{-kDay.ticks}).ticks;
    if (random() % 5 == 0) clock.offset = 0;
    if (random() % 6 == 0) bench.Restart();
    bench.Round({.all_streams = random() % 2 == 0});
  }
  // The weather clears, and two days and a bit go by.
  bench.graph.SetFaults({});
  clock.offset = 0;
  for (int i = 0; i < 30; ++i) {
    clock.Pass(kHour * 3);
    bench.Round({.all_streams = true});
  }
  for (const std::string& stream : kStreams) {
    std::set<std::string> expected;
    for (const auto& [id, event] : bench.graph.Events(stream)) expected.insert(id);
    EXPECT_EQ(bench.Stored(stream), expected) << stream;
    auto scan = bench.store->events().Scan(stream, {}).value();
    const auto events = bench.graph.Events(stream);
    while (scan.Next().value()) {
      const std::string json(scan.Json().value());
      const std::size_t at = json.find("\"id\":\"") + 6;
      const std::string id = json.substr(at, json.find('"', at) - at);
      const std::string version = "version-" + std::to_string(events.at(id).version) + "\"";
      EXPECT_NE(json.find(version), std::string::npos) << stream << " " << id << ": " << json;
    }
    const StreamStatus status = bench.StatusOf(stream);
    EXPECT_EQ(status.state, "ok") << stream << ": " << status.reason;
    ASSERT_TRUE(status.read_to) << stream;
    EXPECT_GT(*status.read_to, clock.True() - kMinute * 10) << stream;
  }
  EXPECT_EQ(bench.graph.token_leaks, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ExactSet, testing::Range(1U, 26U));

}  // namespace
}  // namespace picket::poll
