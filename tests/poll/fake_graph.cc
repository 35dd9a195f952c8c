#include "tests/poll/fake_graph.h"

#include <algorithm>
#include <condition_variable>

#include "base/text.h"

namespace picket::poll {
namespace {

std::string Decode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<std::string> Between(std::string_view text, std::string_view before, char after) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + before.size());
  return std::string(rest.substr(0, rest.find(after)));
}

}  // namespace

bool PlayClock::SleepUntil(Ticks until, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  const std::int64_t target =
      std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count() / 100;
  std::int64_t now = passed_.load();
  while (now < target && !passed_.compare_exchange_weak(now, target)) {
  }
  return true;
}

void FakeGraph::Emit(const std::string& stream, Event event) {
  const std::lock_guard lock(mutex_);
  if (!event.detected) event.detected = event.time;
  events_[stream][event.id] = std::move(event);
}

void FakeGraph::Change(const std::string& stream, const std::string& id,
                       const std::string& risk_state) {
  const std::lock_guard lock(mutex_);
  Event& event = events_[stream][id];
  ++event.version;
  event.risk_state = risk_state;
  const graph::Collection* collection = graph::FindCollection(stream);
  if (collection->family == graph::Family::kIdentityProtection) event.time = clock_.True();
}

std::map<std::string, FakeGraph::Event> FakeGraph::Events(const std::string& stream) {
  const std::lock_guard lock(mutex_);
  return events_[stream];
}

void FakeGraph::SetFaults(const Faults& faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
}

void FakeGraph::Refuse(const std::string& stream, int status, std::string body) {
  const std::lock_guard lock(mutex_);
  if (status == 0) {
    refused_.erase(stream);
  } else {
    refused_[stream] = {status, std::move(body)};
  }
}

std::vector<std::string> FakeGraph::urls() {
  const std::lock_guard lock(mutex_);
  return urls_;
}

std::vector<Instant> FakeGraph::times() {
  const std::lock_guard lock(mutex_);
  return times_;
}

HttpResponse FakeGraph::Answer(int status, std::string body) const {
  HttpResponse response;
  response.status = status;
  response.headers = {{"Date", FormatHttpDate(clock_.True())},
                      {"request-id", "420b32d9-fc06-4b81-b524-0ccc046896e2"}};
  response.body = std::move(body);
  return response;
}

std::optional<HttpResponse> FakeGraph::Misbehave() {
  if (Dice(faults_.throttled)) {
    HttpResponse response =
        Answer(429, R"({"error":{"code":"UnknownError","message":"Too Many Requests"}})");
    if (Dice(500)) response.headers.emplace_back("Retry-After", Dice(500) ? "3" : "2.128");
    return response;
  }
  if (Dice(faults_.unavailable)) return Answer(503, "<html>unavailable</html>");
  if (Dice(faults_.gateway)) return Answer(504, "");
  if (Dice(faults_.html)) return Answer(200, "<html>sign in to the hotel's network</html>");
  if (Dice(faults_.unauthorized)) {
    return Answer(401, R"({"error":{"code":"InvalidAuthenticationToken","message":"expired"}})");
  }
  return std::nullopt;
}

Result<HttpResponse> FakeGraph::Send(const HttpRequest& request, std::stop_token stop) {
  ++requests;
  if (request.url.rfind("https://graph.microsoft.com/", 0) != 0) ++token_leaks;
  if (hangs) {
    std::mutex waiting;
    std::condition_variable_any never;
    std::unique_lock lock(waiting);
    never.wait(lock, stop, [&] { return !hangs.load(); });
    if (stop.stop_requested()) return Fail({.kind = ErrorKind::kCancelled, .message = "stopped"});
  }
  const std::lock_guard lock(mutex_);
  clock_.Pass(kMillisecond * 200);
  urls_.push_back(Decode(request.url));
  times_.push_back(clock_.True());
  if (portal_) {
    HttpResponse response{.status = 503};
    response.headers = {{"Date", FormatHttpDate(*portal_)}};
    response.body = "<html>pay for the network</html>";
    return response;
  }
  if (Dice(faults_.reset)) {
    return Fail({.kind = ErrorKind::kTransient, .message = "connection reset"});
  }
  if (auto fault = Misbehave()) return *std::move(fault);
  const std::string url = Decode(request.url);
  HttpResponse response;
  if (const auto token = Between(url, "$skiptoken=", '&')) {
    response = PageFrom(*token);
  } else {
    const Query query = Parse(url);
    response = query.item.empty() ? List(query, url) : Item(query);
  }
  if (response.status == 200 && Dice(faults_.truncated)) {
    response.body.resize(response.body.size() / 2);
  }
  return response;
}

FakeGraph::Query FakeGraph::Parse(const std::string& url) const {
  Query query;
  const std::string path = url.substr(0, url.find('?'));
  for (const graph::Collection& collection : graph::Collections()) {
    for (const graph::Variant& variant : collection.variants) {
      const std::string base = "https://graph.microsoft.com/" + std::string(variant.version) + "/" +
                               std::string(collection.path);
      if (path.rfind(base + "/", 0) == 0) {
        query.collection = &collection;
        query.item = path.substr(base.size() + 1);
        return query;
      }
      const bool typed = url.find("signInEventTypes") != std::string::npos;
      const bool fits =
          path == base &&
          (variant.condition.empty() ? !typed : url.find(variant.condition) != std::string::npos) &&
          (url.find("$filter=riskState") != std::string::npos ||
           url.find(std::string(variant.time_field) + " ge ") != std::string::npos);
      if (!fits) continue;
      query.collection = &collection;
      query.variant = &variant;
      const std::string field(variant.time_field);
      if (const auto from = Between(url, field + " ge ", ' ')) {
        query.from = ParseRfc3339(*from).value();
      }
      if (const auto to = Between(url, field + " le ", ' ')) query.to = ParseRfc3339(*to).value();
      query.top = static_cast<std::size_t>(std::stoi(*Between(url, "$top=", '&')));
      query.sweep = url.find("riskState eq") != std::string::npos;
      query.bad = (!refused_field_.empty() && url.find(refused_field_) != std::string::npos) ||
                  query.top > largest_top_;
      return query;
    }
  }
  return query;
}

std::string FakeGraph::Render(const graph::Collection& collection, const Event& event) const {
  const std::string time = FormatRfc3339(event.time);
  std::string json = R"({"id":")" + event.id + R"(",)";
  if (collection.family == graph::Family::kIdentityProtection) {
    json += R"("lastUpdatedDateTime":")" + time + R"(","riskLastUpdatedDateTime":")" + time +
            R"(","detectedDateTime":")" + FormatRfc3339(event.detected.value_or(event.time)) +
            R"(","activityDateTime":")" + time + R"(","riskState":")" + event.risk_state +
            R"(","requestId":)" +
            (event.request_id.empty() ? "null" : "\"" + event.request_id + "\"");
  } else {
    json += R"("createdDateTime":")" + time + R"(","activityDateTime":")" + time +
            R"(","userId":"u","riskState":"none")";
    if (const auto type = Between(collection.variants[0].condition, "eq '", '\'')) {
      json += R"(,"signInEventTypes":[")" + *type + R"("])";
    }
  }
  return json + R"(,"correlationId":"version-)" + std::to_string(event.version) + R"("})";
}

void FakeGraph::AnswerItems(std::optional<HttpResponse> answer) {
  const std::lock_guard lock(mutex_);
  items_answer_ = std::move(answer);
}

HttpResponse FakeGraph::Item(const Query& query) {
  if (items_answer_) {
    HttpResponse response = Answer(items_answer_->status, items_answer_->body);
    for (const auto& header : items_answer_->headers) response.headers.push_back(header);
    return response;
  }
  for (const char* stream : {"signIns.interactive", "signIns.nonInteractive", "riskDetections"}) {
    const auto found = events_[stream].find(query.item);
    if (found != events_[stream].end() && found->second.visible <= clock_.True()) {
      return Answer(200, Render(*graph::FindCollection(stream), found->second));
    }
  }
  return Answer(404, R"({"error":{"code":"NotFound","message":"no"}})");
}

HttpResponse FakeGraph::List(const Query& query, const std::string& url) {
  if (query.collection == nullptr) {
    return Answer(404, R"({"error":{"code":"BadRequest","message":"Resource not found: )" +
                           std::to_string(url.size()) + "\"}}");
  }
  const auto refused = refused_.find(std::string(query.collection->stream));
  if (refused != refused_.end()) return Answer(refused->second.first, refused->second.second);
  if (query.bad) {
    return Answer(400, R"({"error":{"code":"BadRequest","message":"Invalid filter clause"}})");
  }
  const bool wide = query.to.ticks != Instant::kMaxTicks && query.to - query.from > widest_;
  if (wide || (query.sweep && !sweeps_answered_)) return Answer(504, "");
  std::vector<const Event*> matching;
  for (const auto& [id, event] : events_[std::string(query.collection->stream)]) {
    // The filter has milliseconds; Graph compares the whole instant.
    const bool by_detection = query.variant->time_field == "detectedDateTime";
    const Instant time = by_detection ? event.detected.value_or(event.time) : event.time;
    if (event.visible <= clock_.True() && time >= query.from && time <= query.to &&
        (!query.sweep || event.risk_state == "atRisk")) {
      matching.push_back(&event);
    }
  }
  std::sort(matching.begin(), matching.end(), [](const Event* a, const Event* b) {
    return a->time != b->time ? a->time > b->time : a->id < b->id;
  });
  Cursor cursor{.collection = query.collection,
                .variant = query.variant,
                .ids = {},
                .top = std::min<std::size_t>(query.top, 25),  // small, so that there are pages
                .made = clock_.True()};
  for (const Event* event : matching) cursor.ids.push_back(event->id);
  const std::string token = "c" + std::to_string(++next_cursor_);
  cursors_[token] = std::move(cursor);
  return PageFrom(token);
}

HttpResponse FakeGraph::PageFrom(const std::string& token) {
  const auto found = cursors_.find(token);
  if (found == cursors_.end() || clock_.True() - found->second.made > token_life_ ||
      Dice(faults_.expired)) {
    return Answer(400, R"({"error":{"code":"","message":"Token not found: token is either )"
                       R"(invalid or expired"}})");
  }
  Cursor cursor = found->second;
  cursors_.erase(found);
  const auto& stream = events_[std::string(cursor.collection->stream)];
  const std::size_t top = Dice(50) ? 0 : Dice(100) ? cursor.top / 2 : cursor.top;  // short, empty
  std::string body = R"({"value":[)";
  const std::size_t count = std::min(top, cursor.ids.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) body += ",";
    body += Render(*cursor.collection, stream.at(cursor.ids[i]));
  }
  body += "]";
  cursor.ids.erase(cursor.ids.begin(), cursor.ids.begin() + static_cast<std::ptrdiff_t>(count));
  if (!cursor.ids.empty()) {
    std::string path(cursor.collection->path);
    if (Dice(500)) path = AsciiLower(path);
    const std::string next = "c" + std::to_string(++next_cursor_);
    body += R"(,"@odata.nextLink":")" + next_link_host + "/" +
            std::string(cursor.variant->version) + "/" + path + "?$skiptoken=" + next + "\"";
    cursors_[next] = std::move(cursor);
  }
  return Answer(200, body + "}");
}

}  // namespace picket::poll
