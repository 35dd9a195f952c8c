#include "agent/graph/budgets.h"

#include <algorithm>

namespace picket::graph {
namespace {

std::string KeyOf(const Account& account) {
  return std::string(FamilyName(account.family)) + "/" + account.app + "/" + account.tenant;
}

std::chrono::nanoseconds Nanos(Timespan span) {
  return std::chrono::nanoseconds(span.ticks * 100);  // a tick is 100 ns
}

Timespan SpanOf(std::chrono::nanoseconds span) {
  return Timespan{(span.count() + 99) / 100};  // rather too long
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

void Budgets::Add(const Account& account, Sent sent) {
  sent.tenant = account.tenant;
  for (const Rule& rule : RulesFor(account)) sent_[rule.key].push_back(sent);
}

Status Budgets::Load() {
  if (journal_ == nullptr) return {};
  Timespan longest{};
  for (const Allowance& allowance :
       {settings_.audit_per_tenant, settings_.audit_per_app, settings_.protection_per_tenant}) {
    for (const Limit& limit : {allowance.own, allowance.published}) {
      longest = std::max(longest, limit.span + settings_.margin);
    }
  }
  const Instant wall = clock_.Now();
  PK_ASSIGN_OR_RETURN(std::vector<BudgetJournal::Entry> entries, journal_->Since(wall - longest));
  // A clock that went back makes old requests look like future ones: they count as just sent.
  for (auto& entry : entries) entry.time = std::min(entry.time, wall);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  const std::lock_guard lock(mutex_);
  const Clock::Ticks now = clock_.Steady();
  for (const auto& entry : entries) {
    // When they arrived only the process knew that sent them.
    Add(entry.account, {.taken = now - Nanos(wall - entry.time), .answered = now, .tenant = {}});
  }
  return {};
}

// When the rule lets the next one go; not after `now`: at once.
Clock::Ticks Budgets::FreeAt(const Rule& rule, Clock::Ticks now) {
  std::deque<Sent>& sent = sent_[rule.key];
  const auto own = Nanos(rule.allowance.own.span + settings_.margin);
  const auto published = Nanos(rule.allowance.published.span + settings_.margin);
  std::erase_if(sent, [&](const Sent& one) {
    return one.answered && *one.answered + published <= now && one.taken + own <= now;
  });
  Clock::Ticks at = now;
  const auto own_most = static_cast<std::size_t>(rule.allowance.own.requests);
  if (sent.size() >= own_most) at = std::max(at, sent[sent.size() - own_most].taken + own);
  const auto most = static_cast<std::size_t>(rule.allowance.published.requests);
  if (sent.size() >= most) {
    std::vector<Clock::Ticks> latest;  // by when each had arrived
    latest.reserve(sent.size());
    for (const Sent& one : sent) latest.push_back(one.answered.value_or(now));
    std::sort(latest.begin(), latest.end());
    at = std::max(at, latest[latest.size() - most] + published);
  }
  return at;
}

Result<std::optional<Timespan>> Budgets::TryTake(const Account& account) {
  const std::lock_guard lock(mutex_);
  const Clock::Ticks now = clock_.Steady();
  PK_ASSIGN_OR_RETURN(const std::optional<Clock::Ticks> held, HeldUntil(account, now));
  Clock::Ticks at = held.value_or(now);
  for (const Rule& rule : RulesFor(account)) at = std::max(at, FreeAt(rule, now));
  if (at > now) return std::optional<Timespan>(SpanOf(at - now));
  if (journal_ != nullptr) {
    PK_RETURN_IF_ERROR(journal_->Note({.account = account, .time = clock_.Now()}));
  }
  Add(account, {.taken = now, .answered = std::nullopt, .tenant = {}});
  return std::optional<Timespan>();
}

void Budgets::Answered(const Account& account) {
  const std::lock_guard lock(mutex_);
  const Clock::Ticks now = clock_.Steady();
  for (const Rule& rule : RulesFor(account)) {
    std::deque<Sent>& sent = sent_[rule.key];
    const auto last = std::find_if(sent.rbegin(), sent.rend(), [&](const Sent& one) {
      return !one.answered && one.tenant == account.tenant;
    });
    if (last != sent.rend()) last->answered = now;
  }
}

Status Budgets::Hold(const Account& account, Timespan wait, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  const Timespan capped = std::min(wait, kDay);
  const Clock::Ticks until = clock_.Steady() + Nanos(capped);
  std::optional<Clock::Ticks>& hold = holds_[KeyOf(account)];
  if (hold && *hold >= until) return {};
  hold = until;
  return journal_ == nullptr ? Status{} : journal_->Hold(account, clock_.Now() + capped, reason);
}

Result<std::optional<Clock::Ticks>> Budgets::HeldUntil(const Account& account, Clock::Ticks now) {
  const auto [entry, inserted] = holds_.try_emplace(KeyOf(account));
  if (inserted && journal_ != nullptr) {
    const auto held = journal_->HeldUntil(account);
    if (!held) {
      holds_.erase(entry);
      return tl::unexpected(held.error());
    }
    // No hold lasts more than a day: one that seems to is of a clock that has gone back since.
    const Instant wall = clock_.Now();
    if (*held && **held > wall && **held <= wall + kDay) entry->second = now + Nanos(**held - wall);
  }
  if (!entry->second || *entry->second <= now) return std::optional<Clock::Ticks>();
  return entry->second;
}

}  // namespace picket::graph
