#include "tests/simulator/store.h"

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/result.h"

namespace picket::simulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPolicies = "appliedConditionalAccessPolicies";

Json Parse(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  PK_CHECK(json.is_object(), "the simulator is given JSON objects");
  return json;
}

std::string TextOf(const Json& object, std::string_view name) {
  const auto found = object.find(std::string(name));
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Members that came after unknownFutureValue: sent only to clients that ask for them.
bool HasYoungMembers(const Json& record) {
  static const std::set<std::string> kYoung = {"m365DAdminDismissedDetection",
                                               "adminConfirmedServicePrincipalCompromised",
                                               "adminDismissedAllRiskForServicePrincipal",
                                               "userChangedPasswordOnPremises",
                                               "adminDismissedRiskForSignIn",
                                               "adminConfirmedAccountSafe",
                                               "microsoftRevokedSessions"};
  return kYoung.contains(TextOf(record, "riskDetail")) ||
         TextOf(record, "activity") == "servicePrincipal";
}

// "" for any type.
bool IsOf(const RecordVersion& version, std::string_view event_type) {
  const auto& types = version.event_types;
  return event_type.empty() || std::find(types.begin(), types.end(), event_type) != types.end();
}

RecordVersion MakeVersion(List list, Json record, Instant visible_at) {
  RecordVersion version{.visible_at = visible_at, .young_members = HasYoungMembers(record)};
  const Result<Instant> time = ParseRfc3339(TextOf(record, SpecOf(list).time));
  PK_CHECK(time.has_value(), "a record has the time that its list is sorted by");
  version.time = *time;
  if (const auto types = record.find("signInEventTypes"); types != record.end()) {
    for (const Json& type : *types) version.event_types.push_back(type.get<std::string>());
  }
  if (const auto policies = record.find(kPolicies); policies != record.end()) {
    version.policies = policies->dump();
    record.erase(kPolicies);
  }
  version.text = record.dump();
  return version;
}

Json Whole(const RecordVersion& version) {
  Json record = Parse(version.text);
  if (!version.policies.empty()) record[kPolicies] = Json::parse(version.policies);
  return record;
}

}  // namespace

const RecordVersion* Store::Visible(const Record& record, Instant now) {
  const RecordVersion* visible = nullptr;
  for (const RecordVersion& version : record.versions) {
    if (version.visible_at > now) break;
    visible = &version;
  }
  return visible;
}

void Store::Insert(Record& record, RecordVersion version) {
  auto& versions = record.versions;
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), version.visible_at,
                       [](Instant t, const RecordVersion& other) { return t < other.visible_at; });
  versions.insert(after, std::move(version));
}

void Store::Put(const Key& key, std::string_view json, Instant visible_at) {
  Json record = Parse(json);
  const std::string id = TextOf(record, "id");
  PK_CHECK(!id.empty(), "a record has an id");
  RecordVersion version = MakeVersion(key.second, std::move(record), visible_at);
  const std::unique_lock lock(mutex_);
  Shelf& shelf = shelves_[key];
  const auto [place, fresh] = shelf.records.try_emplace(id);
  const Position position{version.time, id};
  Insert(place->second, std::move(version));
  if (fresh && !SpecOf(key.second).time_changes) {
    shelf.by_time.emplace(position, &place->second);
  }
}

bool Store::Change(const Key& key, std::string_view id, std::string_view patch,
                   Instant visible_at) {
  const Json merge = Parse(patch);
  const std::unique_lock lock(mutex_);
  Shelf& shelf = shelves_[key];
  const auto found = shelf.records.find(id);
  if (found == shelf.records.end()) return false;
  const RecordVersion* base = &found->second.versions.back();
  Json record = Whole(*base);
  record.merge_patch(merge);
  RecordVersion version =
      MakeVersion(key.second, std::move(record), std::max(visible_at, base->visible_at));
  Insert(found->second, std::move(version));
  return true;
}

std::optional<RecordVersion> Store::Get(const Key& key, std::string_view id, Instant now) const {
  const std::shared_lock lock(mutex_);
  const auto shelf = shelves_.find(key);
  if (shelf == shelves_.end()) return std::nullopt;
  const auto found = shelf->second.records.find(id);
  if (found == shelf->second.records.end()) return std::nullopt;
  const RecordVersion* version = Visible(found->second, now);
  return version == nullptr ? std::nullopt : std::optional(*version);
}

void Store::Visit(const Key& key, Instant now, Instant from, Instant to, bool ascending,
                  const std::function<bool(const Position&, const RecordVersion&)>& visit) const {
  const std::shared_lock lock(mutex_);
  const auto found = shelves_.find(key);
  if (found == shelves_.end() || from > to) return;
  const Shelf& shelf = found->second;
  if (SpecOf(key.second).time_changes) {
    VisitMoving(shelf, now, from, to, ascending, visit);
    return;
  }
  const auto show = [&](const auto& entry) {
    const RecordVersion* version = Visible(*entry.second, now);
    return version == nullptr || visit(entry.first, *version);
  };
  auto first = shelf.by_time.lower_bound({from, ""});
  auto last = shelf.by_time.lower_bound({to + kTick, ""});
  if (ascending) {
    while (first != last && show(*first)) ++first;
    return;
  }
  while (last != first && show(*--last)) {
  }
}

void Store::VisitMoving(
    const Shelf& shelf, Instant now, Instant from, Instant to, bool ascending,
    const std::function<bool(const Position&, const RecordVersion&)>& visit) const {
  std::vector<std::pair<Position, const RecordVersion*>> shown;
  for (const auto& [id, record] : shelf.records) {
    const RecordVersion* version = Visible(record, now);
    if (version != nullptr && version->time >= from && version->time <= to) {
      shown.push_back({{version->time, id}, version});
    }
  }
  std::sort(shown.begin(), shown.end(), [&](const auto& a, const auto& b) {
    return ascending ? a.first < b.first : b.first < a.first;
  });
  for (const auto& [position, version] : shown) {
    if (!visit(position, *version)) return;
  }
}

std::set<std::string> Store::Ids(const Key& key, std::string_view event_type, Instant now) const {
  const std::shared_lock lock(mutex_);
  std::set<std::string> ids;
  const auto found = shelves_.find(key);
  if (found == shelves_.end()) return ids;
  for (const auto& [id, record] : found->second.records) {
    const RecordVersion* version = Visible(record, now);
    if (version != nullptr && IsOf(*version, event_type)) ids.insert(id);
  }
  return ids;
}

std::vector<EmittedRecord> Store::All(const Key& key, std::string_view event_type) const {
  const std::shared_lock lock(mutex_);
  std::vector<EmittedRecord> all;
  const auto found = shelves_.find(key);
  if (found == shelves_.end()) return all;
  for (const auto& [id, record] : found->second.records) {
    if (!IsOf(record.versions.front(), event_type)) continue;
    EmittedRecord& emitted = all.emplace_back(EmittedRecord{.id = id, .versions = {}});
    for (const RecordVersion& version : record.versions) {
      emitted.versions.push_back({version.visible_at, version.time, version.text});
    }
  }
  return all;
}

}  // namespace picket::simulator
