// From a page to the store: rows and ledger in one transaction.

#include <nlohmann/json.hpp>

#include "agent/poll/tenant_work.h"
#include "base/log.h"
#include "base/text.h"

namespace picket::poll {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostPages = 100'000;
constexpr std::size_t kMostItems = 500;  // sign-ins fetched again in a round
constexpr int kMaxDepth = 64;

constexpr const char* kInteractive = "signIns.interactive";
constexpr const char* kNonInteractive = "signIns.nonInteractive";

Json ParseObject(std::string_view text) {
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth; };
  Json json = Json::parse(text, shallow, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json();
}

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsInteractive(std::string_view sign_in) {
  const Json json = ParseObject(sign_in);
  if (!json.is_object()) return true;
  const auto types = json.find("signInEventTypes");
  if (types == json.end() || !types->is_array()) return true;
  for (const Json& type : *types) {
    if (type.is_string() && EqualsIgnoreCase(type.get<std::string>(), "nonInteractiveUser")) {
      return false;
    }
  }
  return true;
}

}  // namespace

Step TenantWork::OnPage(Lane& lane, const graph::Page& page) {
  lane.throttles = 0;
  lane.reached = true;
  if (lane.item) {
    if (auto taken = TakeItem(lane, page); !taken) {
      FailTenant(taken.error());
      return {.next = Step::Next::kDone};
    }
    return {};
  }
  Result<Step> step = TakePage(lane, page);
  if (step) return *step;
  return OnError(lane, step.error());
}

Result<Step> TenantWork::TakePage(Lane& lane, const graph::Page& page) {
  Stream& stream = *lane.stream;
  Job& job = *lane.job;
  if (page.envelope.single || job.pages >= kMostPages ||
      (!page.envelope.next_link.empty() && page.envelope.next_link == job.next_link)) {
    return Fail({.kind = ErrorKind::kUnexpectedReply,
                 .message = page.envelope.single ? "Graph's answer is not a page"
                                                 : "Graph's pages have no end"});
  }
  if (job.pages == 0 && stream.AskedTooFar(job, page.date)) {
    // The own clock is ahead: what was asked for has not happened yet at Graph.
    PK_RETURN_IF_ERROR(stream.Reanchor(NowHere()));
    lane.job.reset();
    return Step{};
  }
  if (job.window == 0) {
    PK_ASSIGN_OR_RETURN(job.window, store_.ledger().Open(stream.name(), KindName(job.kind),
                                                         job.ask.from, job.ask.to, clock_.Now()));
  }
  const bool counts_late = job.extra.empty() && stream.collection().counts_late;
  const Instant read_before =
      counts_late && (job.kind == Kind::kLive || job.kind == Kind::kReconcile) ? job.counted_from
                                                                               : Instant{};
  PK_ASSIGN_OR_RETURN(const storage::PageCounts counts,
                      StoreRecords(stream.name(), page.envelope.records, job.window, read_before,
                                   stream.variant().version == "beta"));
  job.counts += counts;
  ++job.pages;
  job.tries = 0;
  if (stream.collection().stream == "riskDetections" && counts.added + counts.changed > 0) {
    PK_RETURN_IF_ERROR(QueueSignIns(stream));
  }
  job.next_link = page.envelope.next_link;
  if (!job.next_link.empty()) return Step{};
  lane.smallest = 0;
  PK_RETURN_IF_ERROR(stream.Finished(job, NowHere()));
  lane.job.reset();
  return Step{};
}

Status TenantWork::TakeItem(Lane& lane, const graph::Page& page) {
  if (page.envelope.single) {
    std::string stream = IsInteractive(page.envelope.records) ? kInteractive : kNonInteractive;
    PK_ASSIGN_OR_RETURN(const bool known, store_.events().Contains(kNonInteractive, *lane.item));
    if (known) stream = kNonInteractive;
    const Instant now = clock_.Now();
    PK_ASSIGN_OR_RETURN(const std::int64_t window,
                        store_.ledger().Open(stream, "reconcile", now, now, now));
    PK_RETURN_IF_ERROR(
        StoreRecords(stream, page.envelope.records, window, Instant{}, /*beta=*/true));
    PK_RETURN_IF_ERROR(store_.ledger().Finish(window, "read", now, "the sign-in of a detection"));
  }
  return ItemDone(lane);
}

Status TenantWork::ItemDone(Lane& lane) {
  lane.item.reset();
  if (!items_.empty()) return {};
  queued_.clear();
  for (const auto& stream : streams_) {
    if (stream->collection().stream == "riskDetections" && queued_to_ >= 0) {
      PK_RETURN_IF_ERROR(stream->RememberFetched(queued_to_));
    }
  }
  return {};
}

// Derived from what is committed, so that a crash forgets none.
Status TenantWork::QueueSignIns(Stream& detections) {
  const bool wanted = !lanes_[0].streams.empty();
  if (!wanted || items_.size() >= kMostItems) return {};
  const Instant anchor = detections.probe().anchor;
  const std::int64_t from = std::max(queued_to_, detections.probe().fetched);
  PK_ASSIGN_OR_RETURN(const std::int64_t last, store_.events().LastSeq());
  if (last <= from) return {};
  PK_ASSIGN_OR_RETURN(const auto versions, store_.events().Versions(detections.name(), from, last));
  for (const storage::EventVersion& version : versions) {
    if (version.seq <= from) continue;
    const Json json = ParseObject(version.json);
    if (!json.is_object()) continue;
    const std::string sign_in = TextOf(json, "requestId");
    if (sign_in.empty() || sign_in.size() > 100 || queued_.contains(sign_in)) continue;
    // What is older than first contact is read as it is now, by the backfill.
    const auto updated = ParseRfc3339(TextOf(json, "lastUpdatedDateTime"));
    if (updated && *updated < anchor) continue;
    queued_.insert(sign_in);
    items_.push_back(sign_in);
    if (items_.size() >= kMostItems) {
      queued_to_ = version.seq;
      return {};
    }
  }
  queued_to_ = last;
  return {};
}

}  // namespace picket::poll
