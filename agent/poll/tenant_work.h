#pragma once

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/poll/poller.h"
#include "agent/poll/stream.h"

namespace picket::poll {

// What a lane wants after a step.
struct Step {
  enum class Next : std::uint8_t { kAgain, kWait, kDone };
  Next next = Next::kAgain;
  Timespan wait{};  // kWait
};

// One record that is fetched again by its id: a sign-in that a detection names, or a detection that
// an open alert cites.
struct Item {
  const graph::Collection* of = nullptr;
  std::string id;
};

// A lane: the streams of one family, one request at a time.
struct Lane {
  graph::Family family = graph::Family::kAuditLogs;
  std::vector<Stream*> streams;
  std::deque<Item> items;  // to be fetched again
  // What is being read: a span of a stream, or one record.
  Stream* stream = nullptr;
  std::optional<Job> job;
  std::optional<Item> item;
  int item_tries = 0;
  graph::Refusals refusals;  // of the request that is under way
  double credit = 0;         // of reconciliation: a fifth of the requests is its own
  int throttles = 0;         // in a row
  int smallest = 0;          // failures of a window that cannot shrink further, in a row
  bool reached = false;      // Graph gave a page in this round
  bool given_up = false;     // for this round
};

// The work of one tenant in a round. A lane's step runs in one thread; both lanes may run at once,
// and share the tenant's lock whenever they touch the store.
class TenantWork {
 public:
  TenantWork(TenantSettings tenant, const Settings& settings, storage::TenantStore& store,
             graph::Client& client, graph::Budgets& budgets, const Clock& clock);

  [[nodiscard]] Status Load();
  void BeginRound(const RoundOptions& options);
  [[nodiscard]] Step Run(Lane& lane, std::stop_token stop);
  // Both lanes are done: true when sign-ins are still to be fetched again.
  [[nodiscard]] bool WantsAnotherTurn();
  [[nodiscard]] TenantRound EndRound();
  [[nodiscard]] Instant NextDue() const;

  std::array<Lane, 2>& lanes() { return lanes_; }
  [[nodiscard]] const TenantSettings& tenant() const { return tenant_; }
  [[nodiscard]] storage::TenantStore& store() { return store_; }

 private:
  [[nodiscard]] Stream::Now NowHere() const;
  [[nodiscard]] graph::Account AccountOf(const Lane& lane) const;

  // Choosing; false: nothing to do.
  [[nodiscard]] Result<bool> Pick(Lane& lane);
  [[nodiscard]] bool PickLive(Lane& lane);
  [[nodiscard]] Result<bool> PickReconciliation(Lane& lane);
  [[nodiscard]] bool PickBackfill(Lane& lane);
  [[nodiscard]] bool PickItem(Lane& lane);
  // In `run` a round ends in time for the next poll of the live edge; the rest is for that one.
  [[nodiscard]] bool RoundIsLong() const;
  void Spent(Lane& lane);

  // Asking and what came of it.
  [[nodiscard]] Stream* FindStream(std::string_view name) const;
  [[nodiscard]] Result<graph::Page> Ask(Lane& lane, std::stop_token stop);
  [[nodiscard]] Step OnPage(Lane& lane, const graph::Page& page);
  [[nodiscard]] Result<Step> TakePage(Lane& lane, const graph::Page& page);
  [[nodiscard]] Step OnError(Lane& lane, const Error& error);
  [[nodiscard]] Result<Step> Answer(Lane& lane, const Error& error);
  [[nodiscard]] Step OnThrottled(Lane& lane, const Error& error);
  [[nodiscard]] Result<Step> OnShrink(Lane& lane, const Error& error);
  [[nodiscard]] Result<Step> PassBy(Lane& lane, const Error& error);
  [[nodiscard]] Result<Step> OnExpiredPage(Lane& lane, const Error& error);
  [[nodiscard]] Result<Step> OnRefused(Lane& lane, const Error& error);
  [[nodiscard]] Result<Step> Retry(Lane& lane, const Error& error, int most);
  [[nodiscard]] Result<Step> Drop(Lane& lane, const Error& error);  // this stream, this round
  [[nodiscard]] Result<Step> Replan(Lane& lane, const Error& error, Timespan wait);
  [[nodiscard]] Timespan WaitOf(const Error& error, int tries) const;
  void FailTenant(const Error& error);
  void NoteUnlicensed();
  Step HeldBack(Lane& lane, Timespan wait, const Error& error);

  // Storing.
  [[nodiscard]] Result<storage::PageCounts> StoreRecords(const std::string& stream,
                                                         std::string_view records,
                                                         std::int64_t window, Instant read_before,
                                                         bool beta, bool sweep = false);
  void NoteSwept(const std::vector<storage::Record>& records);
  [[nodiscard]] Result<std::string> StreamOf(const Item& item, std::string_view record);
  [[nodiscard]] Status TakeItem(Lane& lane, const graph::Page& page);
  [[nodiscard]] Status QueueSignIns(Stream& detections);
  [[nodiscard]] Status QueueCited(Lane& lane);
  [[nodiscard]] Status ItemDone(Lane& lane);
  void ItemAgain(Lane& lane);
  // The span is not read to its end in this round.
  [[nodiscard]] Status LeaveJob(Lane& lane, const Error& error);

  const TenantSettings tenant_;
  const Settings& settings_;
  storage::TenantStore& store_;
  graph::Client& client_;
  graph::Budgets& budgets_;
  const Clock& clock_;

  mutable std::mutex mutex_;  // the store, and everything below
  std::vector<std::unique_ptr<Stream>> streams_;
  std::array<Lane, 2> lanes_;
  RoundOptions options_;
  TenantRound round_;
  std::optional<Error> failed_;  // the tenant as a whole, in this round
  Clock::Ticks began_{};
  std::optional<Clock::Ticks> backfill_began_;
  // Sign-ins that new or changed detections name: which are in the lane's items.
  std::set<std::string> queued_;
  std::int64_t queued_to_ = -1;  // seq of the detections
  bool fetch_failed_ = false;    // one of them could not be had, and may be later
  std::set<std::string> swept_;  // the detections that a sweep gave
};

}  // namespace picket::poll
