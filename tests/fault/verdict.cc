#include "tests/fault/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "agent/graph/collection.h"
#include "base/text.h"
#include "tests/rules/seed_oracle.h"
#include "tests/simulator/lists.h"

namespace picket::fault {
namespace {

using nlohmann::json;
using simulator::EmittedRecord;
using simulator::EmittedVersion;

constexpr std::size_t kMostFailures = 20;
constexpr Timespan kGap = kDay;  // between two alerts of one entity
constexpr Timespan kOverlap = kMinute * 15;
constexpr Timespan kReRead = kHour * 47;  // less than the last re-reading after a window's end

json Parse(std::string_view text) { return json::parse(text, nullptr, /*allow_exceptions=*/false); }

// Unknown is not none, but it is less than anything known.
bool Known(const json& value) {
  return !value.is_null() && value != "hidden" && value != json::array() &&
         value != json::array({"generic"});
}

// What two readings of one state may differ in.
bool Volatile(const std::string& member) {
  return member == "processingTimeInMilliseconds" || member.starts_with("@odata.");
}

// The version that Graph shows at that time; nullptr for none.
const EmittedVersion* ShownAt(const EmittedRecord& record, Instant time) {
  const EmittedVersion* shown = nullptr;
  for (const EmittedVersion& version : record.versions) {
    if (version.visible_at <= time) shown = &version;
  }
  return shown;
}

// Every time by which a window may have been asked for: of detections there are two.
std::vector<Instant> TimesOf(const EmittedVersion& version) {
  std::vector<Instant> times = {version.time};
  const Result<Instant> updated =
      ParseRfc3339(Parse(version.record).value("lastUpdatedDateTime", FormatRfc3339(version.time)));
  if (updated) times.push_back(*updated);
  return times;
}

bool Covers(const std::vector<storage::Interval>& intervals, Instant time) {
  return std::any_of(intervals.begin(), intervals.end(),
                     [&](const auto& i) { return i.from <= time && time < i.to; });
}

std::string TextOf(const json& record, const char* member) {
  const auto found = record.find(member);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A Graph record as the seed's table has it, by hand.
rules::SignIn SignInOf(const json& record) {
  rules::SignIn s;
  s.id = TextOf(record, "id");
  s.user = TextOf(record, "userPrincipalName");
  s.time = ParseRfc3339(TextOf(record, "createdDateTime")).value();
  if (const auto code = record.find("status"); code != record.end()) {
    s.result = code->value("errorCode", json()).dump();
  }
  s.level = TextOf(record, "riskLevelDuringSignIn");
  s.state = TextOf(record, "riskState");
  if (const auto events = record.find("riskEventTypes_v2");
      events != record.end() && !events->is_null()) {
    s.events = events->dump();
  }
  s.requirement = TextOf(record, "authenticationRequirement");
  s.home = TextOf(record, "homeTenantId");
  s.resource = TextOf(record, "resourceTenantId");
  return s;
}

bool Settled(const rules::SignIn& s) {
  return s.state == "dismissed" || s.state == "remediated" || s.state == "confirmedSafe";
}

}  // namespace

void Verdict::Fail(std::string what) {
  if (failures_.size() < kMostFailures) failures_.push_back(std::move(what));
}

void Verdict::After(const Stored& stored, std::optional<Instant> asked, Instant now) {
  for (const auto& [name, stream] : stored.streams) {
    for (const std::string& id : stream.twice) Fail(name + " has " + id + " twice");
    Compare(name, last_.streams[name], stream);
    if (stream.added != std::ssize(stream.events)) {
      Fail(fmt::format("{}: the ledger has {} new rows, and there are {}", name, stream.added,
                       stream.events.size()));
    }
    CheckCoverage(name, stream, asked.value_or(now), now);
    if (asked) CheckOverlap(name, stream, *asked);
  }
  CheckAlertsAreSound(stored);
  last_ = stored;
}

void Verdict::Compare(const std::string& stream, const StoredStream& before,
                      const StoredStream& after) {
  for (const auto& [id, event] : before.events) {
    const auto found = after.events.find(id);
    if (found == after.events.end()) {
      Fail(stream + " had " + id + ", and has forgotten it");
      continue;
    }
    if (found->second.json == event.json) continue;
    const json once = Parse(event.json), now = Parse(found->second.json);
    for (const auto& [member, value] : once.items()) {
      if (Known(value) && !Known(now.value(member, json()))) {
        Fail(fmt::format("{} {}: {} was {}, and is {}", stream, id, member, value.dump(),
                         now.value(member, json()).dump()));
      }
    }
  }
}

void Verdict::CheckCoverage(const std::string& stream, const StoredStream& stored, Instant asked,
                            Instant now) {
  const StoredStream& before = last_.streams[stream];
  for (const storage::Interval& read : stored.read) {
    if (read.to > now) Fail(stream + ": the ledger says that the future was read");
  }
  for (const EmittedRecord& record : simulator_.Emitted(tenant_, stream)) {
    const EmittedVersion* shown = ShownAt(record, asked);
    // What moved within its list meanwhile may have been where nobody looked.
    if (shown == nullptr || shown != ShownAt(record, now)) continue;
    if (stored.events.contains(record.id)) continue;
    const std::vector<Instant> times = TimesOf(*shown);
    const bool newly_read = std::all_of(times.begin(), times.end(), [&](Instant time) {
      return Covers(stored.read, time) && !Covers(before.read, time);
    });
    if (newly_read) {
      Fail(fmt::format("{}: a window that holds {} counts as read, and {} is missing", stream,
                       FormatRfc3339(shown->time), record.id));
    }
    const bool reread =
        stored.progress.reconciled_to && std::all_of(times.begin(), times.end(), [&](Instant time) {
          return time < *stored.progress.reconciled_to && Covers(stored.read, time);
        });
    if (reread && shown->visible_at <= shown->time + kReRead) {
      Fail(fmt::format("{}: all is said to be re-read to {}, and {} of {} is missing", stream,
                       FormatRfc3339(*stored.progress.reconciled_to), record.id,
                       FormatRfc3339(shown->time)));
    }
  }
}

// A live window begins 15 min before the end of the run that it continues: what came late by less
// is found at once, not only when the run is read again.
void Verdict::CheckOverlap(const std::string& stream, const StoredStream& stored, Instant asked) {
  const graph::Collection* collection = graph::FindCollection(stream);
  const StoredStream& before = last_.streams[stream];
  if (!collection->counts_late || before.read.empty() || stored.progress.stuck > 0) return;
  const storage::Interval run = before.read.back();
  const bool continued = std::any_of(stored.live.begin(), stored.live.end(), [&](const auto& live) {
    return live.from <= run.to && live.to > run.to;
  });
  if (!continued) return;
  const Instant contact =
      std::min_element(stored.live.begin(), stored.live.end(), [](auto& a, auto& b) {
        return a.from < b.from;
      })->from;
  const Instant from = std::max({run.to - kOverlap, run.from, contact});
  for (const EmittedRecord& record : simulator_.Emitted(tenant_, stream)) {
    const EmittedVersion* shown = ShownAt(record, asked);
    if (shown == nullptr || shown->time < from || shown->time >= run.to) continue;
    if (stored.events.contains(record.id)) continue;
    Fail(fmt::format("{}: {} of {} came late by little, and the next live window missed it", stream,
                     record.id, FormatRfc3339(shown->time)));
  }
}

// One finding an event, each in one alert, each with the id that follows from what it is of.
void Verdict::CheckAlertsAreSound(const Stored& stored) {
  std::set<std::string> alerts, in_alerts;
  for (const StoredAlert& alert : stored.alerts) {
    if (!alerts.insert(alert.row.id).second) Fail("an alert is there twice: " + alert.row.id);
    bool active = false;
    for (const storage::FindingRow& finding : alert.findings) {
      active = active || finding.state == "active";
      if (!in_alerts.insert(finding.id).second) Fail("a finding has two alerts: " + finding.id);
    }
    if (active == (alert.row.status == "closed")) {
      Fail(fmt::format("alert {} of {} is {}, and {} of its findings is active", alert.row.id,
                       alert.row.entity.name, alert.row.status, active ? "one" : "none"));
    }
  }
  const auto sign_ins = stored.streams.find("signIns.interactive");
  if (sign_ins == stored.streams.end()) return;
  for (const auto& [id, event] : sign_ins->second.events) {
    if (event.findings.size() > 1) Fail("a sign-in has two findings: " + id);
    for (const storage::FindingRow& finding : event.findings) {
      const std::string user = AsciiLower(TextOf(Parse(event.json), "userPrincipalName"));
      const std::string expected = ToString(Uuid5(
          tenant_, std::string(kSeedRule) + "\n" + finding.entity.type + ":" + user + "\n" + id));
      if (finding.id != expected) Fail("a finding's id does not follow from its sign-in: " + id);
      if (finding.state == "active" && !in_alerts.contains(finding.id)) {
        Fail("a finding has no alert: " + id);
      }
    }
  }
}

void Verdict::InTheEnd(const Stored& stored, Instant now) {
  events_ = findings_ = 0;
  for (const auto& [name, stream] : stored.streams) CheckRecords(name, stream, now);
  CheckFindings(stored, now);
}

void Verdict::CheckRecords(const std::string& stream, const StoredStream& stored, Instant now) {
  const std::set<std::string> emitted = simulator_.EmittedIds(tenant_, stream, now);
  for (const std::string& id : emitted) {
    if (!stored.events.contains(id)) Fail(stream + " misses " + id);
  }
  for (const auto& [id, event] : stored.events) {
    if (!emitted.contains(id)) Fail(stream + " has " + id + ", which nobody emitted");
  }
  const simulator::List list = simulator::PlaceOf(stream).list;
  for (const EmittedRecord& record : simulator_.Emitted(tenant_, stream)) {
    const auto found = stored.events.find(record.id);
    if (found == stored.events.end()) continue;
    ++events_;
    const json kept = Parse(found->second.json);
    const json newest = Parse(simulator_.Record(tenant_, list, record.id).value_or("{}"));
    for (const auto& [member, value] : newest.items()) {
      if (value.is_null() || Volatile(member)) continue;
      if (kept.value(member, json()) != value) {
        Fail(fmt::format("{} {}: {} is {}, and Graph shows {}", stream, record.id, member,
                         kept.value(member, json()).dump(), value.dump()));
      }
    }
    // What Graph no longer tells may be kept as it once was.
    for (const auto& [name, value] : kept.items()) {
      if (value.is_null() || Volatile(name) || newest.contains(name)) continue;
      const auto says = [&member = name, &kept_value = value](const EmittedVersion& version) {
        return Parse(version.record).value(member, json()) == kept_value;
      };
      const bool once = std::any_of(record.versions.begin(), record.versions.end(), says);
      if (!once) Fail(fmt::format("{} {}: nobody ever said {}", stream, record.id, name));
    }
  }
  if (stored.state != "ok") {
    Fail(fmt::format("{} is {} in fair weather: {}", stream, stored.state, stored.reason));
  }
  if (!stored.progress.read_to || *stored.progress.read_to < now - kHour) {
    Fail(stream + " is not read up to now");
  }
}

// The seed's logic by hand over what Graph shows in the end.
void Verdict::CheckFindings(const Stored& stored, Instant now) {
  std::map<std::string, std::vector<Instant>> times;  // of all that ever matched, by user
  std::set<std::string> users;                        // with something active in the end
  const auto sign_ins = stored.streams.find("signIns.interactive");
  if (sign_ins == stored.streams.end()) return;
  for (const EmittedRecord& record : simulator_.Emitted(tenant_, "signIns.interactive")) {
    bool ever = false;
    for (const EmittedVersion& version : record.versions) {
      ever = ever || JudgeBySeed(SignInOf(Parse(version.record)));
    }
    const EmittedVersion* newest = ShownAt(record, now);
    if (newest == nullptr || !ever) continue;
    const rules::SignIn sign_in = SignInOf(Parse(newest->record));
    times[sign_in.user].push_back(sign_in.time);
    const bool expected = JudgeBySeed(sign_in) && !Settled(sign_in);
    const auto event = sign_ins->second.events.find(record.id);
    const bool found = event != sign_ins->second.events.end() &&
                       std::any_of(event->second.findings.begin(), event->second.findings.end(),
                                   [](const auto& finding) { return finding.state == "active"; });
    if (expected) users.insert(sign_in.user);
    if (expected) ++findings_;
    if (expected != found) {
      Fail(fmt::format("the sign-in {} of {} at {} {}", record.id, sign_in.user,
                       FormatRfc3339(sign_in.time),
                       expected ? "must alert, and does not" : "alerts, and must not"));
    }
  }
  std::map<std::string, std::size_t> alerts, open;
  for (const StoredAlert& alert : stored.alerts) {
    ++alerts[alert.row.entity.id];
    if (alert.row.status != "closed") ++open[alert.row.entity.id];
  }
  for (auto& [user, when] : times) {
    std::sort(when.begin(), when.end());
    const bool together = when.back() - when.front() < kGap;
    if (together && alerts[user] > 1) {
      Fail(fmt::format("{} has {} alerts for one thing", user, alerts[user]));
    }
    if (together && open[user] != (users.contains(user) ? 1 : 0)) {
      Fail(fmt::format("{} has {} open alerts", user, open[user]));
    }
  }
  for (const auto& [user, count] : alerts) {
    if (!times.contains(user)) Fail("an alert is about nobody who was at risk: " + user);
  }
}

}  // namespace picket::fault
