#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/graph/collection.h"
#include "agent/graph/token_source.h"
#include "base/clock.h"
#include "base/http.h"

namespace picket::poll {

// A month plays in milliseconds: sleeping moves the time. `Now` is the agent's clock, which may be
// wrong; `True` is Graph's.
class PlayClock final : public Clock {
 public:
  explicit PlayClock(Instant start) : start_(start) {}
  [[nodiscard]] Instant Now() const override { return True() + Timespan{offset.load()}; }
  [[nodiscard]] Instant True() const { return start_ + Timespan{passed_.load()}; }
  [[nodiscard]] Ticks Steady() const override {
    return Ticks{} + std::chrono::nanoseconds(passed_.load() * 100);
  }
  bool SleepUntil(Ticks until, std::stop_token stop) override;
  void Pass(Timespan span) { passed_ += span.ticks; }
  std::atomic<std::int64_t> offset{0};

 private:
  const Instant start_;
  std::atomic<std::int64_t> passed_{0};
};

class FixedToken final : public graph::TokenSource {
 public:
  Result<SecretString> Token(std::stop_token) override {
    if (refused) {
      return Fail({.kind = ErrorKind::kAuth, .message = "the secret expired", .hint = "Renew it."});
    }
    return SecretString("token-" + std::to_string(generation.load()));
  }
  void Reject(std::string_view, std::string_view) override { ++generation; }
  std::atomic<int> generation{1};
  std::atomic<bool> refused{false};
};

// Graph's lists over events that the test emits: newest first, filtered by time and type, paged by
// skiptokens that expire, with events that become visible late and change. It misbehaves on demand.
class FakeGraph final : public HttpTransport {
 public:
  struct Event {
    std::string id;
    Instant time;            // what filters see
    Instant visible;         // not before
    int version = 0;         // told apart by a member that changes
    std::string request_id;  // of a detection: its sign-in
    std::string risk_state = "atRisk";
    // Of a detection: `time` is when it changed last.
    std::optional<Instant> detected = std::nullopt;
  };
  // Chances in a thousand of a request.
  struct Faults {
    int throttled = 0, unavailable = 0, reset = 0, gateway = 0, truncated = 0, html = 0,
        expired = 0, unauthorized = 0;
  };

  FakeGraph(PlayClock& clock, unsigned seed) : clock_(clock), random_(seed) {}

  void Emit(const std::string& stream, Event event);
  // A new version of the event; detections move to the present.
  void Change(const std::string& stream, const std::string& id,
              const std::string& risk_state = "atRisk");
  [[nodiscard]] std::map<std::string, Event> Events(const std::string& stream);
  void SetFaults(const Faults& faults);
  // Answers this stream's lists with this status and body; 0 ends it.
  void Refuse(const std::string& stream, int status, std::string body = "");
  // Never answers lists wider than this (504).
  void SetWidestSpan(Timespan span) { widest_ = span; }
  void RefuseField(std::string field) { refused_field_ = std::move(field); }
  // A page larger than this is a bad request.
  void SetLargestTop(std::size_t top) { largest_top_ = top; }
  // Lists that ask for a risk state are never answered (504).
  void SetSweepsAnswered(bool answered) { sweeps_answered_ = answered; }
  // Records asked for by their id are answered with this instead; nullopt: with themselves.
  void AnswerItems(std::optional<HttpResponse> answer);
  void SetTokenLife(Timespan life) { token_life_ = life; }
  // Something between that answers everything by itself, with a clock of its own.
  void SetPortal(std::optional<Instant> date) { portal_ = date; }
  // Every request hangs until stopped or until its time-out.
  std::atomic<bool> hangs{false};
  std::atomic<int> requests{0};
  std::atomic<int> token_leaks{0};  // a token went where it must not
  std::string next_link_host = "https://graph.microsoft.com";
  std::vector<std::string> urls();
  std::vector<Instant> times();

  Result<HttpResponse> Send(const HttpRequest& request, std::stop_token stop) override;

 private:
  struct Query {
    const graph::Collection* collection = nullptr;
    const graph::Variant* variant = nullptr;
    Instant from{}, to{Instant::kMaxTicks};
    std::size_t top = 20;
    std::string item;
    bool sweep = false;
    bool bad = false;
  };
  [[nodiscard]] std::optional<HttpResponse> Misbehave();
  [[nodiscard]] Query Parse(const std::string& url) const;
  [[nodiscard]] HttpResponse List(const Query& query, const std::string& url);
  [[nodiscard]] HttpResponse Item(const Query& query);
  [[nodiscard]] HttpResponse PageFrom(const std::string& token);
  [[nodiscard]] HttpResponse Answer(int status, std::string body) const;
  [[nodiscard]] std::string Render(const graph::Collection& collection, const Event& event) const;
  bool Dice(int per_mille) { return static_cast<int>(random_() % 1000) < per_mille; }

  struct Cursor {
    const graph::Collection* collection = nullptr;
    const graph::Variant* variant = nullptr;
    std::vector<std::string> ids;  // what is left, as the list stood
    std::size_t top = 0;
    Instant made;
  };

  PlayClock& clock_;
  std::mutex mutex_;
  std::mt19937 random_;
  Faults faults_;
  std::map<std::string, std::map<std::string, Event>> events_;
  std::map<std::string, std::pair<int, std::string>> refused_;
  std::map<std::string, Cursor> cursors_;
  Timespan widest_{kDay * 10'000};
  std::string refused_field_;
  std::size_t largest_top_ = 1000;
  bool sweeps_answered_ = true;
  std::optional<HttpResponse> items_answer_;
  Timespan token_life_ = kMinute * 5;
  std::optional<Instant> portal_;
  std::vector<std::string> urls_;
  std::vector<Instant> times_;
  int next_cursor_ = 0;
};

}  // namespace picket::poll
