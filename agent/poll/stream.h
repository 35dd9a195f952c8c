#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/graph/collection.h"
#include "agent/poll/plan.h"
#include "agent/poll/report.h"
#include "agent/poll/settings.h"
#include "storage/stream_state.h"
#include "storage/tenant_store.h"

namespace picket::poll {

// What was found out about the service and must be remembered; kept in StreamState::probe.
struct Probe {
  std::int64_t variant = 0;   // which of the collection's variants the service takes
  Instant anchor;             // first contact: the live edge began here
  Instant horizon;            // and backfill goes down to here
  Instant last_row;           // when the newest row arrived
  Instant swept;              // last sweep over what is at risk (only without lastUpdatedDateTime)
  std::int64_t fetched = -1;  // detections up to this seq had their sign-ins fetched again
  std::int64_t refusals = 0;  // 403s in a row
  Instant first_refusal;
  std::int64_t top = 0;    // the largest $top that the service takes, where it refused the usual
  Instant tried;           // when the better form was asked for last, while in a fallback
  bool fell_back = false;  // windows were read by the fallback, and not again since
  std::int64_t fetch_tries = 0;  // rounds in which a sign-in could not be fetched again
};
// Whether the stream is off for want of a licence.
bool LacksLicence(const storage::StreamState& state);
std::string FormatProbe(const Probe& probe);
Probe ParseProbe(std::string_view text);  // unknown and broken parts are skipped

// A span of one stream that is being read: its pages one after another. A re-reading may be cut
// into parts, newest first, where the whole is too much for the service.
struct Job {
  Kind kind = Kind::kLive;
  Interval ask;
  Interval part;    // of `ask`: what the request asks for now
  Timespan widest;  // of the parts to come; zero: all that is left
  Instant counted_from;
  std::vector<storage::Window> reread;  // kReconcile: whose stage moves on
  std::string extra;                    // a condition of the filter; "" usually
  std::int64_t window = 0;              // ledger id; 0: not opened yet
  std::string next_link;                // never persisted
  std::int64_t pages = 0;
  int tries = 0;     // failures in a row
  int restarts = 0;  // because of expired skiptokens
  storage::PageCounts counts;

  // Ask for less of it, from its first page. False: it is as narrow as it may be, or cannot be cut.
  [[nodiscard]] bool Narrow();
  // The part is read: on to the one before. False: that was the last.
  [[nodiscard]] bool NextPart();
};

// One stream of one tenant: what is due, and what an outcome means for it. The caller holds the
// tenant's lock during each call.
class Stream {
 public:
  // `named`: the operator asks for this stream by name; else it is one of "all".
  Stream(const graph::Collection& collection, const Settings& settings, storage::TenantStore& store,
         bool named);

  // Reads state and coverage. Once, before the rest.
  [[nodiscard]] Status Load();

  struct Now {
    Instant own;                   // the own clock: when to ask again
    std::optional<Instant> graph;  // Graph's, when known
    // What has surely happened at Graph: data goes by it.
    [[nodiscard]] Instant sure() const { return graph ? std::min(own, *graph) : own; }
  };
  // Decides whether the stream is due, and up to where it may be read in this round.
  [[nodiscard]] Status BeginRound(const Now& now, bool all_streams);

  // The next thing to read of each sort; nullopt: nothing. In this order of importance.
  [[nodiscard]] std::optional<Job> NextLive() const;
  [[nodiscard]] Result<std::optional<Job>> NextReconciliation(const Now& now) const;
  [[nodiscard]] std::optional<Job> NextSweep(Instant now) const;
  [[nodiscard]] std::optional<Job> NextBackfill() const;

  // The answer's Date shows that the job asked for what has not settled yet.
  [[nodiscard]] bool AskedTooFar(const Job& job, std::optional<Instant> date) const;
  // Then it counts only up to what has settled. False: nothing of it does.
  [[nodiscard]] Result<bool> Clip(Job& job, const Now& now);

  [[nodiscard]] Status Finished(Job& job, const Now& now);                 // last page stored
  [[nodiscard]] Status PassBy(Job& job, Instant now, const Error& error);  // stuck
  [[nodiscard]] Status Abandon(const Job& job, Instant now,
                               const Error& error);  // to be read again
  // Ask for less: narrower, then smaller pages. False: nothing is left to shrink.
  bool Shrink();
  bool ShrinkPage();
  // The service refused the query as such; true: there is another form to try, a smaller page or
  // another variant. The better form is tried again once a day.
  [[nodiscard]] Result<bool> TryAnotherForm(Instant now);
  // Out for now: sets when to try again, and the state that `status` shows.
  [[nodiscard]] Status Failed(const Error& error, Instant now);
  [[nodiscard]] Status Throttled(const Error& error, Instant until);
  // Everything that was due is read.
  [[nodiscard]] Status RoundDone(const Now& times);
  [[nodiscard]] Status RememberFetched(std::int64_t seq);
  // A sign-in could not be fetched again: it is asked for in the next round. True: not any more.
  [[nodiscard]] Result<bool> FetchFailed();

  [[nodiscard]] const graph::Collection& collection() const { return collection_; }
  [[nodiscard]] std::string name() const { return std::string(collection_.stream); }
  [[nodiscard]] const graph::Variant& variant() const;
  [[nodiscard]] int page_size() const;
  [[nodiscard]] bool usable() const { return usable_; }  // in this round
  [[nodiscard]] bool due() const { return due_; }
  [[nodiscard]] const Probe& probe() const { return probe_; }
  [[nodiscard]] const storage::StreamState& state() const { return state_; }
  [[nodiscard]] std::vector<HealthEvent> Health(Instant now) const;
  // What an earlier failure left of it; nullopt: nothing holds it back in this round.
  [[nodiscard]] std::optional<HeldStream> Held() const;
  // The licence never gave it, and nobody asks for it by name: known, told, and no failure.
  [[nodiscard]] bool IsUnlicensed() const;
  [[nodiscard]] bool failed() const { return failed_; }  // in this round
  [[nodiscard]] Error LastError() const;                 // as it is stored
  // At the end of a round: nothing of it failed and it is read up to now, or it is off because the
  // licence or the cloud does not give it, which is known and told.
  [[nodiscard]] bool IsWell() const;
  // When there is something to do next.
  [[nodiscard]] Instant NextDue() const;

 private:
  [[nodiscard]] Status Save();
  void SetLastError(const Error& error);
  [[nodiscard]] std::string LastHint() const;
  [[nodiscard]] Status BeginContact(const Now& now);
  [[nodiscard]] Status Reanchor(const Now& now);
  void TryBetterForm(Instant now);
  [[nodiscard]] Status LoadWaiting();
  [[nodiscard]] Status RecordLost(Instant now);
  [[nodiscard]] Status GiveUpRereading(Instant now);
  [[nodiscard]] Status LoseStuck(Instant now);
  [[nodiscard]] int largest_page() const;
  [[nodiscard]] Timespan width() const;
  [[nodiscard]] Job MakeJob(const Slice& slice) const;
  [[nodiscard]] Instant EdgeAt(const Now& now) const;

  const graph::Collection& collection_;
  const Settings& settings_;
  storage::TenantStore& store_;
  const bool named_;
  storage::StreamState state_;
  Probe probe_;
  Coverage coverage_;
  std::int64_t lost_ = 0;
  std::int64_t stuck_ = 0;
  std::vector<storage::Window> to_reconcile_;
  Instant began_;  // the round
  bool due_ = false;
  bool usable_ = false;
  bool failed_ = false;  // in this round
  bool trying_small_ = false;
};

}  // namespace picket::poll
