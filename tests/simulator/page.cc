#include "tests/simulator/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "tests/simulator/dice.h"

namespace picket::simulator {
namespace {

constexpr std::size_t kMaxCursors = 100'000;
constexpr std::size_t kMaxSelected = 200;

tl::unexpected<Error> Bad(std::string message) {
  return Fail({.kind = ErrorKind::kRefused, .message = std::move(message)});
}

Result<int> ParseTop(const std::string& text, const ListSpec& list) {
  int top = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), top);
  if (error != std::errc() || end != text.data() + text.size() || top < 1) {
    return Bad("Invalid value '" + text + "' for $top query option found.");
  }
  if (top > list.max_page && !list.clamps_top) {
    return Bad(fmt::format("Invalid page size specified: '{}'. Must be between 1 and {} inclusive.",
                           top, list.max_page));
  }
  return std::min(top, list.max_page);
}

Result<bool> ParseOrder(const std::string& text, const ListSpec& list) {
  const auto words = Split(Trim(text), ' ');
  const bool known = words[0] == list.time && words.size() <= 2;
  const std::string_view direction = words.size() == 2 ? words[1] : "asc";
  if (!known || (direction != "asc" && direction != "desc")) {
    return Bad("Invalid $orderby: the list is ordered by " + std::string(list.time) + " only.");
  }
  return direction == "asc";
}

}  // namespace

Result<Query> ParseQuery(const Call& call, const ListSpec& list, const Guid& tenant, bool beta,
                         bool filter_by_last_update) {
  static constexpr std::array<std::string_view, 6> kTaken = {"$filter",    "$top",   "$select",
                                                             "$skiptoken", "$count", "$orderby"};
  Query query{.list = &list, .tenant = tenant, .beta = beta, .top = list.default_page};
  for (const auto& [name, value] : call.parameters) {
    if (name.starts_with('$') && std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end()) {
      return Bad("Query option '" + name + "' is not supported.");
    }
  }
  if (const std::string* top = call.Parameter("$top")) {
    PK_ASSIGN_OR_RETURN(query.top, ParseTop(*top, list));
    query.names_top = true;
  }
  if (const std::string* order = call.Parameter("$orderby")) {
    PK_ASSIGN_OR_RETURN(query.ascending, ParseOrder(*order, list));
  }
  if (const std::string* filter = call.Parameter("$filter")) {
    PK_ASSIGN_OR_RETURN(query.filter, Filter::Parse(*filter, list, beta));
    query.filter_text = *filter;
    if (!filter_by_last_update && query.filter.Names("lastUpdatedDateTime")) {
      return Bad("Invalid filter clause");
    }
  }
  query.only_interactive = list.list == List::kSignIns && !query.filter.Names("signInEventTypes");
  for (const std::string_view name : Split(call.Value("$select"), ',')) {
    if (!Trim(name).empty()) query.select.emplace_back(Trim(name));
  }
  if (query.select.size() > kMaxSelected) return Bad("Too many members are selected.");
  return query;
}

bool Fits(const Query& query, const RecordVersion& version) {
  const auto& types = version.event_types;
  if (query.only_interactive &&
      std::find(types.begin(), types.end(), "interactiveUser") == types.end()) {
    return false;
  }
  return query.filter.Matches(version);
}

// How many rows stand before the next page, as the list is now.
std::size_t Pager::Start(const Query& query, Instant now) const {
  if (!query.last) return 0;
  std::size_t before = 0;
  store_.Visit({query.tenant, query.list->list}, now, query.filter.from(), query.filter.to(),
               query.ascending, [&](const Position& position, const RecordVersion& version) {
                 const bool behind =
                     query.ascending ? position > *query.last : position < *query.last;
                 if (behind) return false;
                 if (Fits(query, version)) ++before;
                 return true;
               });
  return std::min(before, query.served);
}

Pager::Page Pager::Read(const Query& query, const Rendering& rendering, Instant now) {
  Page page;
  Dice dice(settings_.seed, ToString(query.tenant) + query.filter_text, query.served + query.pages);
  Query next = query;
  ++next.pages;
  if (!query.after_empty && dice.PerMille(settings_.empty_pages)) {
    next.after_empty = true;
    page.skiptoken = Keep(std::move(next), now);
    return page;
  }
  next.after_empty = false;
  const int most = settings_.most_rows > 0 ? std::min(settings_.most_rows, query.top) : query.top;
  auto wanted = static_cast<std::size_t>(most);
  if (wanted > 1 && dice.PerMille(settings_.short_pages)) wanted = 1 + dice.Below(wanted - 1);

  const std::size_t start = Start(query, now);
  std::size_t seen = 0;
  bool more = false;
  store_.Visit({query.tenant, query.list->list}, now, query.filter.from(), query.filter.to(),
               query.ascending, [&](const Position& position, const RecordVersion& version) {
                 if (!Fits(query, version)) return true;
                 if (seen++ < start) return true;
                 if (page.rows.size() == wanted) {
                   more = true;
                   return false;
                 }
                 page.rows.push_back(Render(*query.list, version, rendering));
                 next.last = position;
                 return true;
               });
  if (!more) return page;
  next.served = start + page.rows.size();
  page.skiptoken = Keep(std::move(next), now);
  return page;
}

std::string Pager::Keep(Query query, Instant now) {
  const std::lock_guard lock(mutex_);
  if (cursors_.size() >= kMaxCursors) {
    std::erase_if(cursors_, [&](const auto& entry) { return entry.second.ends <= now; });
    if (cursors_.size() >= kMaxCursors) cursors_.clear();
  }
  Dice dice(settings_.seed, "skiptoken", ++made_);
  const Timespan life{dice.Between(settings_.skiptoken_min.ticks, settings_.skiptoken_max.ticks)};
  std::string token = fmt::format("{:016x}{:016x}_{}", dice.Next(), dice.Next(), query.served);
  cursors_[token] = {std::move(query), now + life};
  return token;
}

std::optional<Query> Pager::Resume(const std::string& skiptoken, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = cursors_.find(skiptoken);
  if (found == cursors_.end() || found->second.ends <= now) return std::nullopt;
  return found->second.query;
}

void Pager::Forget(const std::string& skiptoken) {
  const std::lock_guard lock(mutex_);
  cursors_.erase(skiptoken);
}

}  // namespace picket::simulator
