#include "agent/poll/plan.h"

#include <algorithm>

namespace picket::poll {
namespace {

// The newest uncovered part, or nothing.
std::optional<Interval> NewestGap(Interval whole, const std::vector<Interval>& covered) {
  if (whole.to <= whole.from) return std::nullopt;
  std::vector<Interval> gaps = storage::Gaps(whole, covered);
  while (!gaps.empty() && gaps.back().to - gaps.back().from < kMillisecond) gaps.pop_back();
  if (gaps.empty()) return std::nullopt;
  return gaps.back();
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kLive:
      return "live";
    case Kind::kGap:
      return "gap";
    case Kind::kBackfill:
      return "backfill";
    case Kind::kReconcile:
      return "reconcile";
  }
  return "live";
}

std::optional<Slice> NextLive(const Coverage& coverage, Timespan width, Timespan overlap) {
  const Instant start = std::max({coverage.anchor, coverage.floor, coverage.kept});
  const auto gap = NewestGap({start, coverage.edge}, coverage.covered);
  if (!gap) return std::nullopt;
  const bool at_edge = gap->to == coverage.edge;
  Slice slice;
  slice.kind = at_edge ? Kind::kLive : Kind::kGap;
  slice.ask = {std::max(gap->from, gap->to - width), gap->to};
  slice.counted_from = slice.ask.from;
  if (at_edge && slice.ask.from == gap->from && gap->from > start) {
    // Not beyond the run that it continues: what was never read is a gap of its own.
    for (const Interval& run : coverage.covered) {
      if (run.to == gap->from) slice.ask.from = std::max({start, run.from, gap->from - overlap});
    }
  }
  return slice;
}

std::optional<Slice> NextBackfill(const Coverage& coverage, Timespan width) {
  const Instant start = std::max({coverage.horizon, coverage.floor, coverage.kept});
  const auto gap = NewestGap({start, coverage.anchor}, coverage.covered);
  if (!gap) return std::nullopt;
  const Interval ask{std::max(gap->from, gap->to - width), gap->to};
  return Slice{.kind = Kind::kBackfill, .ask = ask, .counted_from = ask.from};
}

std::vector<Interval> LostParts(const Coverage& coverage) {
  const Instant start = std::max(coverage.anchor, coverage.kept);
  if (coverage.floor <= start) return {};
  return storage::Gaps({start, coverage.floor}, coverage.covered);
}

Timespan AdaptWidth(Timespan width, std::int64_t pages, Timespan widest) {
  constexpr std::int64_t kFew = 3;
  constexpr std::int64_t kMany = 12;  // a skiptoken lives for minutes
  if (pages <= kFew) return std::min(widest, width * 2);
  if (pages > kMany) return std::max(kLeastWidth, Timespan{width.ticks / 2});
  return width;
}

int StagesPassed(Instant to, Instant now, const std::vector<Timespan>& after) {
  return static_cast<int>(
      std::count_if(after.begin(), after.end(), [&](Timespan delay) { return to + delay <= now; }));
}

std::optional<Reconciliation> NextReconciliation(std::vector<storage::Window> windows, Instant now,
                                                 const std::vector<Timespan>& after,
                                                 Timespan width) {
  const auto due_at = [&](const storage::Window& window) {
    const auto stage = static_cast<std::size_t>(std::max(0, window.stage));
    return stage < after.size() ? window.to + after[stage] : Instant{Instant::kMaxTicks};
  };
  std::erase_if(windows, [&](const auto& window) { return due_at(window) > now; });
  std::sort(windows.begin(), windows.end(),
            [](const auto& a, const auto& b) { return a.from < b.from; });
  for (std::size_t start = 0; start < windows.size();) {
    Reconciliation group{.ask = {windows[start].from, windows[start].to}, .windows = {}};
    bool ripe = false;
    std::size_t next = start;
    for (; next < windows.size(); ++next) {
      const storage::Window& window = windows[next];
      const Instant to = std::max(group.ask.to, window.to);
      if (next > start && (window.from > group.ask.to || to - group.ask.from > width)) break;
      group.ask.to = to;
      const auto stage = static_cast<std::size_t>(window.stage);
      ripe = ripe || due_at(window) + Timespan{after[stage].ticks / 4} <= now;
      group.windows.push_back(window);
    }
    if (ripe) return group;
    start = next;
  }
  return std::nullopt;
}

Timespan NextInterval(Timespan poll_interval, Timespan longest, Timespan quiet_for) {
  constexpr std::int64_t kShare = 12;  // an hour of quiet is worth five minutes
  return std::clamp(Timespan{quiet_for.ticks / kShare}, poll_interval,
                    std::max(poll_interval, longest));
}

Timespan Backoff(std::int64_t failures, Timespan first, Timespan longest) {
  Timespan wait = first;
  for (std::int64_t i = 1; i < failures && wait < longest; ++i) wait = wait * 2;
  return std::min(wait, longest);
}

}  // namespace picket::poll
