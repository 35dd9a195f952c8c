// The rule "one event, one row; the richer reading wins" against a slow and obvious model, over
// random readings.

#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using Json = nlohmann::json;
using Members = std::map<std::string, std::string>;  // name → value; "null" and "hidden" as such

struct Reading {
  std::string id;
  int rank = 0;
  std::optional<std::int64_t> updated;
  Members members;

  [[nodiscard]] Thing AsThing() const {
    Thing thing{.id = id, .updated = updated, .rank = rank};
    for (const auto& [name, value] : members) {
      thing.more += (thing.more.empty() ? "\"" : ",\"") + name +
                    "\":" + (value == "null" ? value : '"' + value + '"');
    }
    return thing;
  }
};

bool Known(const Members& members, const std::string& name) {
  const auto found = members.find(name);
  return found != members.end() && found->second != "null" && found->second != "hidden";
}

Members WithoutNoise(Members members) {
  members.erase("noise");
  return members;
}

class Model {
 public:
  std::string Take(const Reading& reading) {
    const auto found = events_.find(reading.id);
    if (found == events_.end()) {
      events_[reading.id] = {reading, 1};
      return "added";
    }
    Reading& event = found->second.first;
    if (WithoutNoise(event.members) == WithoutNoise(reading.members) &&
        event.updated == reading.updated) {
      return "same";
    }
    const bool poorer = reading.rank < event.rank ||
                        (reading.updated && event.updated && *reading.updated < *event.updated);
    const Reading& better = poorer ? event : reading;
    const Reading& worse = poorer ? reading : event;
    Reading merged = worse;
    for (const auto& [name, value] : better.members) {
      if (Known(better.members, name) || !merged.members.contains(name)) {
        merged.members[name] = value;
      }
    }
    if (better.updated) merged.updated = better.updated;
    merged.rank = std::max(reading.rank, event.rank);
    if (WithoutNoise(merged.members) == WithoutNoise(event.members) &&
        merged.updated == event.updated) {
      return "poorer";
    }
    event = merged;
    ++found->second.second;
    return "changed";
  }

  std::map<std::string, std::pair<Reading, int>> events_;  // and how many versions
};

Members MembersOf(const std::string& json) {
  Members members;
  const Json parsed = Json::parse(json);
  for (const auto& [name, value] : parsed.items()) {
    if (name == "id" || name == "created" || name == "updated") continue;
    members[name] = value.is_null() ? "null" : value.get<std::string>();
  }
  return members;
}

class RicherReadingTest : public StoreTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(RicherReadingTest, HoldsForRandomReadings) {
  std::mt19937 random(GetParam());
  const auto roll = [&random](unsigned sides) { return static_cast<unsigned>(random() % sides); };
  Model model;
  for (int page = 0; page < 60; ++page) {
    std::vector<Thing> things;
    std::map<std::string, std::int64_t> expected;
    const unsigned size = 1 + roll(8);
    for (unsigned i = 0; i < size; ++i) {
      Reading reading{.id = "id" + std::to_string(roll(5)), .rank = static_cast<int>(roll(3))};
      if (roll(2) == 0) reading.updated = 1 + roll(4);
      for (const char* name : {"name", "place", "other", "noise"}) {
        switch (roll(4)) {
          case 0:
            reading.members[name] = "null";
            break;
          case 1:
            reading.members[name] = "hidden";
            break;
          case 2:
            reading.members[name] = "value " + std::to_string(roll(3));
            break;
          default:
            break;  // absent
        }
      }
      ++expected[model.Take(reading)];
      things.push_back(reading.AsThing());
    }
    const PageCounts counts = Put(things);
    ASSERT_EQ(counts.added, expected["added"]) << "seed " << GetParam() << " page " << page;
    ASSERT_EQ(counts.changed, expected["changed"]) << "seed " << GetParam() << " page " << page;
    ASSERT_EQ(counts.same, expected["same"]) << "seed " << GetParam() << " page " << page;
    ASSERT_EQ(counts.poorer, expected["poorer"]) << "seed " << GetParam() << " page " << page;
    if (roll(10) == 0) Reopen();
  }
  std::map<std::string, int> versions;
  const std::vector<Version> all = VersionsOf(*store, 0);
  for (const Version& version : all) {
    ++versions[Json::parse(version.json)["id"]];
  }
  const std::vector<std::string> jsons = Jsons();
  ASSERT_EQ(jsons.size(), model.events_.size());
  for (const std::string& json : jsons) {
    const std::string id = Json::parse(json)["id"];
    const auto& [event, count] = model.events_.at(id);
    EXPECT_EQ(WithoutNoise(MembersOf(json)), WithoutNoise(event.members)) << "seed " << GetParam();
    EXPECT_EQ(versions[id], count) << "seed " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RicherReadingTest, ::testing::Range(1U, 41U));

}  // namespace
}  // namespace picket::storage
