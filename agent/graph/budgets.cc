#include "agent/graph/budgets.h"

#include <algorithm>

namespace picket::graph {
namespace {

std::string KeyOf(const Account& account) {
  return std::string(FamilyName(account.family)) + "/" + account.app + "/" + account.tenant;
}

}  // namespace

Budgets::Budgets(const Clock& clock, BudgetJournal* journal, const BudgetSettings& settings)
    : clock_(clock), journal_(journal), settings_(settings) {}

std::vector<Budgets::Rule> Budgets::RulesFor(const Account& account) const {
  if (account.family == Family::kIdentityProtection) {
    return {{"protection/" + account.tenant, settings_.protection_per_tenant}};
  }
  return {{"audit/" + account.app + "/" + account.tenant, settings_.audit_per_tenant},
          {"audit/" + account.app, settings_.audit_per_app}};
}

void Budgets::Add(const Account& account, Instant time) {
  for (const Rule& rule : RulesFor(account)) {
    std::deque<Instant>& sent = sent_[rule.key];
    sent.push_back(time);
    if (sent.size() > static_cast<std::size_t>(rule.limit.requests)) sent.pop_front();
  }
}

Status Budgets::Load() {
  if (journal_ == nullptr) return {};
  const Instant now = clock_.Now();
  Timespan longest{};
  for (const Limit& limit :
       {settings_.audit_per_tenant, settings_.audit_per_app, settings_.protection_per_tenant}) {
    longest = std::max(longest, limit.span + settings_.margin);
  }
  PK_ASSIGN_OR_RETURN(std::vector<BudgetJournal::Entry> entries, journal_->Since(now - longest));
  // A clock that went back makes old requests look like future ones: they count as just sent.
  for (auto& entry : entries) entry.time = std::min(entry.time, now);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries) Add(entry.account, entry.time);
  return {};
}

Result<std::optional<Instant>> Budgets::TryTake(const Account& account) {
  PK_ASSIGN_OR_RETURN(const std::optional<Instant> held, HeldUntil(account));
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.Now();
  Instant at = held && *held > now ? *held : now;
  for (const Rule& rule : RulesFor(account)) {
    std::deque<Instant>& sent = sent_[rule.key];
    // The clock went back: what was sent counts as just sent, or nothing would go for hours.
    for (Instant& time : sent) time = std::min(time, now);
    if (sent.size() < static_cast<std::size_t>(rule.limit.requests)) continue;
    at = std::max(at, sent.front() + rule.limit.span + settings_.margin);
  }
  if (at > now) return std::optional<Instant>(at);
  if (journal_ != nullptr) {
    PK_RETURN_IF_ERROR(journal_->Note({.account = account, .time = now}));
  }
  Add(account, now);
  return std::optional<Instant>();
}

Status Budgets::Hold(const Account& account, Instant until, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  const Instant capped = std::min(until, clock_.Now() + kDay);
  std::optional<Instant>& hold = holds_[KeyOf(account)];
  if (hold && *hold >= capped) return {};
  hold = capped;
  return journal_ == nullptr ? Status{} : journal_->Hold(account, capped, reason);
}

Result<std::optional<Instant>> Budgets::HeldUntil(const Account& account) {
  const std::lock_guard lock(mutex_);
  const auto [entry, inserted] = holds_.try_emplace(KeyOf(account));
  if (inserted && journal_ != nullptr) {
    auto held = journal_->HeldUntil(account);
    if (!held) {
      holds_.erase(entry);
      return tl::unexpected(std::move(held).error());
    }
    entry->second = *held;
  }
  // No hold lasts more than a day: one that seems to is of a clock that has gone back since.
  const Instant now = clock_.Now();
  if (!entry->second || *entry->second <= now || *entry->second > now + kDay) {
    return std::optional<Instant>();
  }
  return entry->second;
}

}  // namespace picket::graph
