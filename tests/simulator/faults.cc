#include "tests/simulator/faults.h"

#include "base/text.h"
#include "tests/simulator/dice.h"

namespace picket::simulator {
namespace {

bool Contains(std::string_view path, std::string_view part) {
  return AsciiLower(path).find(AsciiLower(part)) != std::string::npos;
}

}  // namespace

std::string_view FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kStatus:
      return "status";
    case FaultKind::kThrottled:
      return "throttled";
    case FaultKind::kHtml:
      return "html";
    case FaultKind::kEmptyBody:
      return "empty body";
    case FaultKind::kBody:
      return "body";
    case FaultKind::kEcho:
      return "echo";
    case FaultKind::kReset:
      return "reset";
    case FaultKind::kHang:
      return "hang";
    case FaultKind::kDrip:
      return "drip";
    case FaultKind::kTruncated:
      return "truncated";
    case FaultKind::kDeepJson:
      return "deep JSON";
    case FaultKind::kInvalidUtf8:
      return "invalid UTF-8";
    case FaultKind::kRecordWithoutId:
      return "record without id";
    case FaultKind::kTooLarge:
      return "too large";
    case FaultKind::kGzipBomb:
      return "gzip bomb";
    case FaultKind::kExpiredPage:
      return "expired page";
    case FaultKind::kExpiredToken:
      return "expired token";
    case FaultKind::kClaimsChallenge:
      return "claims challenge";
    case FaultKind::kMissingRole:
      return "missing role";
    case FaultKind::kMissingLicence:
      return "missing licence";
    case FaultKind::kRedirect:
      return "redirect";
    case FaultKind::kForeignNextLink:
      return "foreign nextLink";
    case FaultKind::kLoopingNextLink:
      return "looping nextLink";
    case FaultKind::kWrongTenant:
      return "wrong tenant";
  }
  return "";
}

std::string DescribeFault(const Fault& fault) {
  std::string name(FaultName(fault.kind));
  switch (fault.kind) {
    case FaultKind::kStatus:
    case FaultKind::kHtml:
    case FaultKind::kEmptyBody:
    case FaultKind::kBody:
      return name + " " + std::to_string(fault.status);
    case FaultKind::kThrottled:
      return name + " " + std::to_string(fault.shape);
    default:
      return name;
  }
}

std::vector<Fault> UsualFaults() {
  return {{.kind = FaultKind::kStatus, .status = 429, .retry_after = "1"},
          {.kind = FaultKind::kStatus, .status = 429, .retry_after = "1.5"},
          {.kind = FaultKind::kStatus, .status = 429},
          {.kind = FaultKind::kStatus, .status = 500},
          {.kind = FaultKind::kHtml, .status = 502},
          {.kind = FaultKind::kStatus, .status = 503, .retry_after = "2"},
          {.kind = FaultKind::kEmptyBody, .status = 503},
          {.kind = FaultKind::kStatus, .status = 504},
          {.kind = FaultKind::kHtml, .status = 504},
          {.kind = FaultKind::kReset},
          {.kind = FaultKind::kTruncated},
          {.kind = FaultKind::kExpiredPage},
          {.kind = FaultKind::kExpiredToken},
          {.kind = FaultKind::kBody, .status = 200, .text = "<!doctype html><title>Portal</title>"},
          {.kind = FaultKind::kDeepJson},
          {.kind = FaultKind::kInvalidUtf8},
          {.kind = FaultKind::kRecordWithoutId}};
}

void FaultPlan::Add(FaultRule rule) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(rule), 0});
}

void FaultPlan::Set(Chaos chaos, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  if (chaos.faults.empty()) chaos.faults = UsualFaults();
  chaos_ = std::move(chaos);
  seed_ = seed;
}

void FaultPlan::Clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  chaos_ = {};
}

std::optional<Fault> FaultPlan::Next(std::string_view tenant, std::string_view path) {
  const std::lock_guard lock(mutex_);
  std::optional<Fault> fault;
  for (Counted& counted : rules_) {
    const FaultRule& rule = counted.rule;
    if (!rule.tenant.empty() && rule.tenant != tenant) continue;
    if (!Contains(path, rule.path)) continue;
    ++counted.seen;
    if (!fault && counted.seen >= rule.first && counted.seen < rule.first + rule.count) {
      fault = rule.fault;
    }
  }
  if (fault || chaos_.per_mille <= 0) return fault;
  const std::string name = std::string(tenant) + " " + AsciiLower(path);
  Dice dice(seed_, name, ++seen_[name]);
  if (!dice.PerMille(chaos_.per_mille)) return std::nullopt;
  return chaos_.faults[dice.Below(chaos_.faults.size())];
}

}  // namespace picket::simulator
