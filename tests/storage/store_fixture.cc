#include "tests/storage/store_fixture.h"

#include <nlohmann/json.hpp>

namespace picket::storage {

using Json = nlohmann::json;

StreamSchema ThingSchema(int mapping_version) {
  return {.stream = kStream,
          .mapping_version = mapping_version,
          .columns = {{"name", ColumnType::kText},
                      {"place", ColumnType::kText},
                      {"count", ColumnType::kInt},
                      {"score", ColumnType::kReal},
                      {"when", ColumnType::kTicks},
                      {"flag", ColumnType::kBool}}};
}

StreamSchema ColorfulSchema() {
  StreamSchema schema = ThingSchema(2);
  schema.columns.push_back({"color", ColumnType::kText});
  return schema;
}

namespace {

std::uint64_t HashOf(Json json) {
  json.erase("noise");
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : json.dump()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  return hash;
}

OwnedValue ValueOf(const Json& json, const TypedColumn& column) {
  const auto found = json.find(column.name);
  if (found == json.end() || found->is_null()) return {};
  switch (column.type) {
    case ColumnType::kText:
      return found->get<std::string>();
    case ColumnType::kReal:
      return found->get<double>();
    case ColumnType::kBool:
      return std::int64_t{found->get<bool>() ? 1 : 0};
    default:
      return found->get<std::int64_t>();
  }
}

bool Unknown(const Json& value) { return value.is_null() || value == "hidden"; }

}  // namespace

Result<OwnedRecord> ReadThing(const StreamSchema& schema, const std::string& text, int rank) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json.contains("created")) {
    return Fail({.kind = ErrorKind::kUnexpectedReply, .message = "no thing"});
  }
  OwnedRecord record;
  record.id = json["id"].get<std::string>();
  record.json = text;
  record.created = Instant{json["created"].get<std::int64_t>()};
  if (json.contains("updated")) record.updated = Instant{json["updated"].get<std::int64_t>()};
  record.hash = HashOf(json);
  record.rank = rank;
  for (const TypedColumn& column : schema.columns) record.values.push_back(ValueOf(json, column));
  return record;
}

EventStore::ValuesOf ValuesFor(const StreamSchema& schema) {
  return [schema](std::string_view, std::string_view json) {
    return ReadThing(schema, std::string(json), 0);
  };
}

Merger MergerFor(const StreamSchema& schema) {
  return [schema](std::string_view lower_json, const Record& upper) -> Result<OwnedRecord> {
    Json merged = Json::parse(lower_json);
    const Json over = Json::parse(upper.json);
    for (const auto& [name, value] : over.items()) {
      if (!merged.contains(name) || !Unknown(value)) merged[name] = value;
    }
    if (merged.contains("unmergeable")) {
      return Fail({.kind = ErrorKind::kUnexpectedReply, .message = "too large together"});
    }
    return ReadThing(schema, merged.dump(), upper.rank);
  };
}

std::string Thing::Json() const {
  std::string json = R"({"created":)" + std::to_string(created) + R"(,"id":")" + id + '"';
  if (updated) json += R"(,"updated":)" + std::to_string(*updated);
  if (!more.empty()) json += ',' + more;
  return json + '}';
}

Page::Page(const std::vector<Thing>& things, const StreamSchema& schema) {
  owned_.reserve(things.size());
  for (const Thing& thing : things) {
    owned_.push_back(ReadThing(schema, thing.Json(), thing.rank).value());
    records_.push_back(owned_.back().View());
  }
}

std::vector<Version> VersionsOf(TenantStore& store, std::int64_t after_seq) {
  std::vector<Version> versions;
  VersionScan scan = store.events().Versions(kStream, after_seq, INT64_MAX).value();
  while (scan.Next().value()) {
    versions.push_back({scan.key(), scan.seq(), scan.created(), std::string(scan.Json().value())});
  }
  return versions;
}

void StoreTest::Reopen(const TenantStoreOptions& options) {
  store.reset();
  auto opened =
      TenantStore::Open(folder.path(), tenant, {ThingSchema()}, ValuesFor(ThingSchema()), options);
  ASSERT_TRUE(opened) << opened.error().message;
  store = *std::move(opened);
}

std::int64_t StoreTest::OpenWindow() {
  if (window_ == 0) {
    window_ = store->ledger().Open(kStream, "live", Instant{1}, Instant{100}, Instant{5}).value();
  }
  return window_;
}

Result<PageCounts> StoreTest::TryPut(const std::vector<Thing>& things, WriteRules rules) {
  if (rules.merger == nullptr) rules.merger = &merger_;
  return store->StorePage(kStream, OpenWindow(), Page(things).records(), 0, rules);
}

PageCounts StoreTest::Put(const std::vector<Thing>& things, const WriteRules& rules) {
  const Result<PageCounts> counts = TryPut(things, rules);
  EXPECT_TRUE(counts) << counts.error().message;
  return counts ? *counts : PageCounts{};
}

std::vector<std::string> StoreTest::Jsons() {
  std::vector<std::string> jsons;
  auto scan = store->events().Scan(kStream, {}).value();
  while (scan.Next().value()) jsons.emplace_back(scan.Json().value());
  return jsons;
}

}  // namespace picket::storage
