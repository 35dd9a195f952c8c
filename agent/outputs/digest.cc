#include "agent/outputs/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "agent/outputs/output.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::outputs {
namespace {

using nlohmann::json;

constexpr std::size_t kMostListed = 50;  // the rest is counted

json LineOf(const storage::OutboxEntry& entry) {
  const json body = json::parse(entry.body, nullptr, /*allow_exceptions=*/false);
  json line = {{"id", entry.incident}, {"priority", fmt::format("P{}", entry.priority)}};
  if (!body.is_object()) return line;
  for (const char* key : {"title", "status", "entity", "last_seen", "count"}) {
    if (const auto found = body.find(key); found != body.end()) line[key] = *found;
  }
  return line;
}

}  // namespace

storage::OutboxEntry MakeDigest(const std::vector<storage::OutboxEntry>& entries,
                                storage::Outbox::Folding folding, const std::string& tenant,
                                Instant now) {
  const bool folded = folding == storage::Outbox::Folding::kFold;
  std::string name = "digest";
  Instant oldest = now;
  std::map<int, std::int64_t> counts;
  json lines = json::array();
  for (const storage::OutboxEntry& entry : entries) {  // most urgent first
    name += "\n" + entry.id;
    oldest = std::min(oldest, entry.created);
    ++counts[entry.priority];
    if (lines.size() < kMostListed) lines.push_back(LineOf(entry));
  }
  json by_priority = json::object();
  for (const auto& [priority, count] : counts) by_priority[fmt::format("P{}", priority)] = count;
  const std::string id = ToString(Uuid5(kPicketNamespace, name));
  const json body = {{"id", id},
                     {"title", fmt::format("{} waited while this output was away",
                                           Counted(std::ssize(entries), "incident"))},
                     {"text", folded ? "They are listed here, and not sent one by one."
                                     : "They follow, most urgent first."},
                     {"hint", "'picket incidents list' shows them all."},
                     {"output", entries.front().output},
                     {"tenant", tenant},
                     {"since", FormatRfc3339(oldest)},
                     {"count", entries.size()},
                     {"by_priority", by_priority},
                     {"priority", fmt::format("P{}", entries.front().priority)},
                     {"time", FormatRfc3339(now)},
                     {"incidents", std::move(lines)}};
  return {.id = id,
          .output = entries.front().output,
          .incident = id,
          .kind = kDigest,
          .priority = folded ? entries.front().priority : 0,
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace),
          .created = folded ? oldest : now};
}

}  // namespace picket::outputs
