// From a page to the store: rows and ledger in one transaction.

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/poll/tenant_work.h"
#include "base/log.h"
#include "base/text.h"

namespace picket::poll {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostPages = 100'000;
constexpr std::size_t kMostItems = 500;  // records fetched again in a round
constexpr std::size_t kMostSwept = 100'000;
constexpr int kMaxDepth = 64;

constexpr const char* kInteractive = "signIns.interactive";
constexpr const char* kNonInteractive = "signIns.nonInteractive";
constexpr const char* kDetections = "riskDetections";

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
    // The own clock is ahead: the last of what was asked for has not happened yet at Graph.
    PK_ASSIGN_OR_RETURN(const bool counts, stream.Clip(job, NowHere()));
    if (!counts) {
      lane.job.reset();
      return Step{};
    }
  }
  if (!job.extra.empty() && job.pages == 0) swept_.clear();
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
                                   stream.variant().version == "beta", !job.extra.empty()));
  job.counts += counts;
  ++job.pages;
  job.tries = 0;
  if (options_.on_page) {
    options_.on_page({.tenant = tenant_.name,
                      .stream = stream.collection().stream,
                      .kind = KindName(job.kind),
                      .from = job.ask.from,
                      .to = job.ask.to,
                      .rows = round_.counts[stream.name()].read});
  }
  if (stream.collection().stream == kDetections && counts.added + counts.changed > 0) {
    PK_RETURN_IF_ERROR(QueueSignIns(stream));
  }
  job.next_link = page.envelope.next_link;
  if (!job.next_link.empty()) return Step{};
  lane.smallest = 0;
  if (job.NextPart()) return Step{};
  PK_RETURN_IF_ERROR(stream.Finished(job, NowHere()));
  if (!job.extra.empty()) PK_RETURN_IF_ERROR(QueueCited(lane));
  lane.job.reset();
  return Step{};
}

// Which stream a sign-in that was fetched by its id belongs to.
Result<std::string> TenantWork::StreamOf(const Item& item, std::string_view record) {
  if (item.of->stream != kInteractive) return std::string(item.of->stream);
  PK_ASSIGN_OR_RETURN(const bool known, store_.events().Contains(kNonInteractive, item.id));
  return std::string(!known && IsInteractive(record) ? kInteractive : kNonInteractive);
}

Status TenantWork::TakeItem(Lane& lane, const graph::Page& page) {
  // A list instead of a record: not this record's answer.
  fetch_failed_ =
      fetch_failed_ || (!page.envelope.single && lane.family == graph::Family::kAuditLogs);
  if (page.envelope.single) {
    PK_ASSIGN_OR_RETURN(const std::string stream, StreamOf(*lane.item, page.envelope.records));
    const Stream* of = FindStream(lane.item->of->stream);
    const bool beta =
        (of ? of->variant() : lane.item->of->variants.front()).version == std::string_view("beta");
    const Instant now = clock_.Now();
    PK_ASSIGN_OR_RETURN(const std::int64_t window,
                        store_.ledger().Open(stream, "reconcile", now, now, now));
    PK_RETURN_IF_ERROR(StoreRecords(stream, page.envelope.records, window, Instant{}, beta));
    PK_RETURN_IF_ERROR(store_.ledger().Finish(
        window, "read", now,
        stream == kDetections ? "a detection that an alert cites" : "the sign-in of a detection"));
    if (stream == kDetections) PK_RETURN_IF_ERROR(QueueSignIns(*FindStream(kDetections)));
  }
  return ItemDone(lane);
}

Status TenantWork::ItemDone(Lane& lane) {
  lane.item.reset();
  if (!lane.items.empty() || lane.family != graph::Family::kAuditLogs) return {};
  queued_.clear();
  Stream* detections = FindStream(kDetections);
  if (detections == nullptr || queued_to_ < 0) return {};
  if (std::exchange(fetch_failed_, false)) {
    // All of them once more, unless that was in vain often enough.
    PK_ASSIGN_OR_RETURN(const bool enough, detections->FetchFailed());
    if (!enough) {
      queued_to_ = -1;
      return {};
    }
  }
  return detections->RememberFetched(queued_to_);
}

// Derived from what is committed, so that a crash forgets none.
Status TenantWork::QueueSignIns(Stream& detections) {
  Lane& lane = lanes_[0];
  if (lane.streams.empty() || lane.items.size() >= kMostItems) return {};
  const Instant anchor = detections.probe().anchor;
  const std::int64_t from = std::max(queued_to_, detections.probe().fetched);
  PK_ASSIGN_OR_RETURN(const std::int64_t last, store_.events().LastSeq());
  if (last <= from) return {};
  PK_ASSIGN_OR_RETURN(storage::VersionScan versions,
                      store_.events().Versions(detections.name(), from, last));
  while (true) {
    PK_ASSIGN_OR_RETURN(const bool more, versions.Next());
    if (!more) break;
    PK_ASSIGN_OR_RETURN(const std::string_view text, versions.Json());
    const Json json = ParseObject(text);
    if (!json.is_object()) continue;
    std::string sign_in = TextOf(json, "requestId");
    if (sign_in.empty() || sign_in.size() > 100 || queued_.contains(sign_in)) continue;
    // What is older than first contact is read as it is now, by the backfill.
    const auto updated = ParseRfc3339(TextOf(json, "lastUpdatedDateTime"));
    if (updated && *updated < anchor) continue;
    queued_.insert(sign_in);
    lane.items.push_back({graph::FindCollection(kInteractive), std::move(sign_in)});
    if (lane.items.size() >= kMostItems) {
      queued_to_ = versions.seq();
      return {};
    }
  }
  queued_to_ = last;
  return {};
}

void TenantWork::NoteSwept(const std::vector<storage::Record>& records) {
  for (const storage::Record& record : records) {
    if (swept_.size() < kMostSwept) swept_.emplace(record.id);
  }
}

// A sweep gives what is at risk. What an open alert cites and the sweep did not give has changed,
// or is gone: it is asked for by its id.
Status TenantWork::QueueCited(Lane& lane) {
  const std::string stream = lane.stream->name();
  PK_ASSIGN_OR_RETURN(const std::vector<std::string> cited,
                      store_.alerts().CitedByOpenAlerts(stream, kMostItems));
  for (const std::string& id : cited) {
    if (!swept_.contains(id)) lane.items.push_back({&lane.stream->collection(), id});
  }
  swept_.clear();
  return {};
}

}  // namespace picket::poll
