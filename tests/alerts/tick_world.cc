#include "tests/alerts/tick_world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/alerts/load_views.h"
#include "agent/kql/json_view.h"
#include "agent/poll/stream.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "agent/tables/table_catalog.h"
#include "base/text.h"

namespace picket::alerts {

rules::Rule TickRule(const std::string& name, const std::string& query, Timespan frequency,
                     Timespan period) {
  rules::Rule rule;
  rule.id = ToString(Uuid5(kPicketNamespace, "tick test " + name));
  rule.title = name;
  rule.language = "kql";
  rule.query = query;
  rule.query_frequency = frequency;
  rule.query_period = period;
  if (query.find("UserPrincipalName") != std::string::npos) {
    rule.entities = {{.type = "Account", .identifiers = {{"FullName", "UserPrincipalName"}}}};
  }
  rule.hash = Sha256Hex(rule.id + query);
  return rule;
}

LoadedRule Load(rules::Rule rule) {
  rules::Verdict verdict = rules::Check(rule, tables::TableCatalog());
  EXPECT_EQ(verdict.verdict, "runs")
      << rule.title << ": " << (verdict.errors.empty() ? "" : verdict.errors[0].message);
  return {std::move(rule), std::move(verdict)};
}

std::string ToText(const FoundRow& row) {
  return fmt::format("{} {} {} {}..{} {}", row.rule, row.entity, row.state,
                     FormatRfc3339(row.first), FormatRfc3339(row.last), row.row);
}

TickWorld::TickWorld() { Open(); }

void TickWorld::Open() {
  auto opened = storage::TenantStore::Open(directory_.path(), tenant_, tables::StreamSchemas(),
                                           tables::ValuesOf(tenant_), {});
  PK_CHECK(opened.has_value(), "the store opens");
  store_ = *std::move(opened);
}

void TickWorld::Contact(Instant at) {
  for (const char* stream : {kInteractive, kNonInteractive}) {
    poll::Probe probe;
    probe.anchor = probe.horizon = at;
    PK_CHECK(store_->streams().Put(stream, {.state = "ok", .probe = poll::FormatProbe(probe)}),
             "state");
  }
}

void TickWorld::Store(const std::vector<SignIn>& rows) {
  for (const char* stream : {kInteractive, kNonInteractive}) {
    std::string page = "[";
    for (const SignIn& row : rows) {
      if (row.stream != stream) continue;
      page += fmt::format(
          R"({}{{"id":"{}","createdDateTime":"{}","userPrincipalName":"{}","appDisplayName":"{}",)"
          R"("ipAddress":"{}","status":{{"errorCode":{}}},"riskLevelDuringSignIn":"{}"}})",
          page.size() > 1 ? "," : "", row.id, FormatRfc3339(row.time), row.user, row.app, row.ip,
          row.error, row.risk);
    }
    if (page.size() == 1) continue;
    const tables::RecordDecoder decoder(stream, tenant_);
    const storage::Merger merger = [&](std::string_view stored, const storage::Record& read) {
      return decoder.Merge(stored, read);
    };
    const auto decoded = decoder.Decode(page + "]", tables::Rank::kV1);
    PK_CHECK(decoded && decoded->rejected.empty(), "a page");
    auto transaction = store_->Begin();
    const auto counts = store_->events().Write(
        stream, decoded->records,
        {.now = Instant{1}, .oldest = Instant{}, .read_before = Instant{}, .merger = &merger});
    PK_CHECK(counts.has_value() && transaction->Commit(), "rows");
  }
}

void TickWorld::Read(const std::string& stream, Instant from, Instant to) {
  if (to <= from) return;
  auto transaction = store_->Begin();
  const auto window = store_->ledger().Open(stream, "live", from, to, to);
  PK_CHECK(window && store_->ledger().Finish(*window, "read", to, "") && transaction->Commit(),
           "a window");
}

AlertCounts TickWorld::Evaluate(const std::vector<LoadedRule>& rules, Instant now, bool sure) {
  Alerting alerting(*store_, tenant_, rules, settings, streams);
  const auto counts = alerting.Evaluate({.now = now, .sure = sure}, {});
  EXPECT_TRUE(counts) << (counts ? "" : counts.error().message);
  failures = alerting.failures();
  return counts.value_or(AlertCounts{});
}

std::vector<FoundRow> TickWorld::Findings(const std::vector<LoadedRule>& rules) {
  std::vector<FoundRow> found;
  for (const LoadedRule& loaded : rules) {
    std::set<std::string> ids;
    const auto ticks = store_->ticks().Found(loaded.rule.id, Instant{}).value();
    for (const auto& tick : ticks) {
      const auto of = store_->ticks().FindingsAt(loaded.rule.id, tick.tick).value();
      for (const auto& finding : of) ids.insert(finding.finding);
    }
    for (const std::string& id : ids) {
      const storage::FindingRow f = store_->alerts().Finding(id).value().value();
      found.push_back({loaded.rule.title, f.entity.id, f.state, f.time, f.tick, f.row});
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace picket::alerts
