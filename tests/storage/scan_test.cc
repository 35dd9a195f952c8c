// Scans of typed columns against the records that were stored.

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/storage/store_fixture.h"

namespace picket::storage {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using enum ColumnCondition::Operator;

// Values as JSON, null for null, in the order of the schema's columns.
std::vector<Json> RowOf(const EventScan& scan, const StreamSchema& schema) {
  std::vector<Json> row;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (scan.IsNull(i)) {
      row.emplace_back();
    } else if (schema.columns[i].type == ColumnType::kText) {
      row.emplace_back(std::string(scan.Text(i)));
    } else if (schema.columns[i].type == ColumnType::kReal) {
      row.emplace_back(scan.Real(i));
    } else if (schema.columns[i].type == ColumnType::kBool) {
      row.emplace_back(scan.Int(i) != 0);
    } else {
      row.emplace_back(scan.Int(i));
    }
  }
  return row;
}

std::vector<Json> Expected(const Json& thing, const StreamSchema& schema) {
  std::vector<Json> row;
  for (const TypedColumn& column : schema.columns) {
    row.push_back(thing.contains(column.name) ? thing[column.name] : Json());
  }
  return row;
}

class ScanTest : public StoreTest {
 protected:
  std::vector<std::string> IdsOf(const ScanSpec& spec) {
    std::vector<std::string> ids;
    auto scan = store->events().Scan(kStream, spec).value();
    while (scan.Next().value()) ids.push_back(Json::parse(scan.Json().value())["id"]);
    return ids;
  }
  const std::vector<std::size_t> all_ = {0, 1, 2, 3, 4, 5};
};

TEST_F(ScanTest, RowsComeByTimeAndThenById) {
  Put({{.id = "b", .created = 2}, {.id = "c", .created = 1}});
  Put({{.id = "a", .created = 2}});
  EXPECT_THAT(IdsOf({}), ElementsAre("c", "a", "b"));
  EXPECT_THAT(IdsOf({.after_seq = 1}), ElementsAre("a", "b")) << "also by the other index";
}

TEST_F(ScanTest, RangesOfTimeIncludeTheirEnds) {
  Put({{.id = "1", .created = 1}, {.id = "2", .created = 2}, {.id = "3", .created = 3}});
  EXPECT_THAT(IdsOf({.from = Instant{2}}), ElementsAre("2", "3"));
  EXPECT_THAT(IdsOf({.until = Instant{2}}), ElementsAre("1", "2"));
  EXPECT_THAT(IdsOf({.from = Instant{2}, .until = Instant{2}}), ElementsAre("2"));
}

TEST_F(ScanTest, RangesOfSeqShowWhatIsNewOrChanged) {
  Put({{.id = "a", .created = 3}, {.id = "b", .created = 2}});
  const std::int64_t first = Seq();
  Put({{.id = "c", .created = 1}, {.id = "a", .created = 3, .more = R"("name":"x")"}});
  EXPECT_THAT(IdsOf({.after_seq = first}), ElementsAre("c", "a"));
  EXPECT_THAT(IdsOf({.until_seq = first}), ElementsAre("b")) << "a is now newer";
  EXPECT_THAT(IdsOf({.from = Instant{2}, .until = Instant{9}, .after_seq = first}),
              ElementsAre("a"));
}

TEST_F(ScanTest, ASnapshotDoesNotSeeWhatComesLater) {
  Put({{.id = "a"}});
  auto other = TenantStore::Open(folder.path(), tenant, {ThingSchema()}, {}, {.read_only = true});
  ASSERT_TRUE(other) << other.error().message;
  auto snapshot = (*other)->Read();
  ASSERT_TRUE(snapshot);
  Put({{.id = "b"}});
  EXPECT_EQ((*other)->events().Ids(kStream).value().size(), 1U);
}

// Texts of all kinds: short, long, seen once, seen often, GUIDs, near-GUIDs, with zeros.
std::string RandomText(std::mt19937& random) {
  switch (random() % 8) {
    case 0:
      return "";
    case 1:
      return "DE";
    case 2:
      return "word number " + std::to_string(random() % 20);
    case 3:
      return "once " + std::to_string(random());
    case 4:
      return "00000000-0000-4000-8000-00000000000" + std::to_string(random() % 10);
    case 5:
      return "ABCDEF00-0000-4000-8000-00000000000" + std::to_string(random() % 10);
    case 6:
      return std::string(600 + random() % 3, 'x');
    default:
      return ToString(Uuid5(kPicketNamespace, std::to_string(random())));
  }
}

Json RandomThing(std::mt19937& random, int number) {
  Json thing = {{"id", "t" + std::to_string(number)},
                {"created", 1 + static_cast<std::int64_t>(random() % 400)}};
  if (random() % 4 != 0) thing["name"] = RandomText(random);
  if (random() % 4 != 0) thing["place"] = RandomText(random);
  if (random() % 2 != 0) thing["count"] = static_cast<std::int64_t>(random() % 9) - 4;
  if (random() % 2 != 0) thing["score"] = static_cast<double>(random() % 9) / 4;
  if (random() % 2 != 0) thing["when"] = static_cast<std::int64_t>(random() % 1000);
  if (random() % 2 != 0) thing["flag"] = random() % 2 == 0;
  return thing;
}

class RandomScanTest : public ScanTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  // Stores things in pages; changes some of them.
  void Fill(std::mt19937& random) {
    const StreamSchema schema = ThingSchema();
    const Merger merger = MergerFor(schema);
    int number = 0;
    for (int page = 0; page < 12; ++page) {
      std::vector<OwnedRecord> owned;
      for (unsigned i = 0; i < 20 + random() % 100; ++i) {
        Json thing = RandomThing(random, number++);
        if (random() % 5 == 0) thing["id"] = "t" + std::to_string(random() % 50);
        if (const auto known = things_.find(thing["id"]); known != things_.end()) {
          Json merged = known->second;
          merged.update(thing);
          thing = merged;
        }
        things_[thing["id"]] = thing;
        owned.push_back(ReadThing(schema, thing.dump(), 2).value());
      }
      std::vector<Record> records;
      for (const OwnedRecord& record : owned) records.push_back(record.View());
      // Pages are stored in order of time; a thing twice on a page would make the order matter.
      std::vector<Record> unique;
      for (const Record& record : records) {
        const auto last = std::find_if(records.rbegin(), records.rend(),
                                       [&](const Record& r) { return r.id == record.id; });
        if (&*last == &record) unique.push_back(record);
      }
      ASSERT_TRUE(store->StorePage(kStream, OpenWindow(), unique, 0, {.merger = &merger}));
      if (random() % 4 == 0) Reopen();
    }
  }

  std::vector<std::vector<Json>> Matching(const std::function<bool(const Json&)>& takes) {
    std::vector<Json> things;
    for (const auto& [id, thing] : things_) {
      if (takes(thing)) things.push_back(thing);
    }
    std::sort(things.begin(), things.end(), [](const Json& a, const Json& b) {
      return std::pair(a["created"].get<int>(), a["id"].get<std::string>()) <
             std::pair(b["created"].get<int>(), b["id"].get<std::string>());
    });
    std::vector<std::vector<Json>> rows;
    for (const Json& thing : things) rows.push_back(Expected(thing, ThingSchema()));
    return rows;
  }

  std::vector<std::vector<Json>> Scanned(ScanSpec spec) {
    spec.columns = all_;
    std::vector<std::vector<Json>> rows;
    auto scan = store->events().Scan(kStream, spec).value();
    while (scan.Next().value()) rows.push_back(RowOf(scan, ThingSchema()));
    return rows;
  }

  std::map<std::string, Json> things_;
};

TEST_P(RandomScanTest, GivesTheRowsThatALoopWouldGive) {
  std::mt19937 random(GetParam());
  Fill(random);
  EXPECT_EQ(Scanned({}), Matching([](const Json&) { return true; })) << "seed " << GetParam();
  for (int i = 0; i < 40; ++i) {
    const Json like =
        std::next(things_.begin(), static_cast<long>(random() % things_.size()))->second;
    const std::string name = like.value("name", "nothing has this name");
    EXPECT_EQ(Scanned({.conditions = {{0, kEqual, name}}}),
              Matching([&](const Json& t) { return t.contains("name") && t["name"] == name; }))
        << "seed " << GetParam() << " name " << name;
    const auto count = static_cast<std::int64_t>(random() % 9) - 4;
    EXPECT_EQ(Scanned({.from = Instant{100}, .conditions = {{2, kGreaterEqual, count}}}),
              Matching([&](const Json& t) {
                return t["created"] >= 100 && t.contains("count") && t["count"] >= count;
              }))
        << "seed " << GetParam();
    const double score = static_cast<double>(random() % 9) / 4;
    EXPECT_EQ(Scanned({.until = Instant{300}, .conditions = {{3, kLess, score}}}),
              Matching([&](const Json& t) {
                return t["created"] <= 300 && t.contains("score") && t["score"] < score;
              }))
        << "seed " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomScanTest, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace picket::storage
