#include "tests/outputs/delivery_fixture.h"

#include <fmt/format.h>

namespace picket::outputs {
namespace {

const Instant kStart = *ParseRfc3339("2026-11-24T10:00:00Z");

class TestOutput final : public Output {
 public:
  TestOutput(Receiver& receiver, const std::string& name) : receiver_(receiver), name_(name) {}
  Attempt Send(const Message& message, std::stop_token) override {
    receiver_.tried.push_back(message);
    Attempt attempt = receiver_.answer(message);
    if (attempt.fate == Fate::kDelivered) receiver_.got.push_back(message);
    return attempt;
  }
  std::string Repetition() const override { return {}; }
  std::string Where() const override { return name_; }
  bool ForPeople() const override { return receiver_.people; }

 private:
  Receiver& receiver_;
  const std::string name_;
};

}  // namespace

Instant TestClock::Now() const {
  const std::lock_guard lock(mutex_);
  return kStart + passed_;
}

Clock::Ticks TestClock::Steady() const {
  const std::lock_guard lock(mutex_);
  return Ticks{} + std::chrono::nanoseconds(passed_.ticks * 100);
}

bool TestClock::SleepUntil(Ticks until, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  const std::lock_guard lock(mutex_);
  const auto target =
      std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count() / 100;
  passed_.ticks = std::max(passed_.ticks, target);
  return true;
}

void TestClock::Pass(Timespan span) {
  const std::lock_guard lock(mutex_);
  passed_ = passed_ + span;
}

void TestClock::Reset() {
  const std::lock_guard lock(mutex_);
  passed_ = {};
}

std::vector<std::string> Receiver::Incidents() const {
  std::vector<std::string> incidents;
  for (const Message& message : got) {
    const std::size_t at = message.body.find("\"id\":\"") + 6;
    incidents.push_back(message.body.substr(at, message.body.find('"', at) - at));
  }
  return incidents;
}

std::vector<std::string> Receiver::Types() const {
  std::vector<std::string> types;
  for (const Message& message : got) types.push_back(message.type);
  return types;
}

Attempt Away() {
  return {.fate = Fate::kRetry,
          .receipt = {},
          .error = {.kind = ErrorKind::kTransient, .message = "no answer", .hint = "Look there."}};
}

Attempt Refuses() {
  return {.fate = Fate::kRefused,
          .receipt = {},
          .error = {.kind = ErrorKind::kRefused, .message = "answered 400"}};
}

Attempt Closed() {
  return {.fate = Fate::kNotConfigured,
          .receipt = {},
          .error = {.kind = ErrorKind::kNotFound, .message = "answered 410", .hint = "Renew it."}};
}

Attempt Busy(std::chrono::milliseconds after) {
  Attempt attempt = Away();
  attempt.error.kind = ErrorKind::kThrottled;
  attempt.after = after;
  return attempt;
}

DeliveryTest::DeliveryTest() { Reopen(); }

void DeliveryTest::Close() {
  stores_.clear();
  alerts_.reset();
  agent_.reset();
}

void DeliveryTest::Reopen() {
  Close();
  for (const Guid& tenant : tenants_) {
    auto opened = storage::TenantStore::Open(folder_.path(), tenant, {}, {}, {});
    PK_CHECK(opened.has_value(), "a tenant's file");
    stores_.push_back(*std::move(opened));
  }
  agent_ = storage::AgentStore::Open(folder_.path()).value();
  alerts_ = std::make_unique<AgentAlerts>(storage::OutboxFile::OpenAgent(folder_.path()).value(),
                                          operators_, nullptr);
}

std::string DeliveryTest::Put(const std::string& incident, int priority, const std::string& output,
                              std::size_t tenant, const std::string& kind, int state) {
  const storage::OutboxEntry entry{
      .id = ToString(Uuid5(tenants_[tenant], fmt::format("{}\n{}\n{}", output, incident, state))),
      .output = output,
      .incident = incident,
      .kind = kind,
      .priority = priority,
      .body = fmt::format(R"({{"id":"{}","title":"Risky","priority":"P{}","status":"new"}})",
                          incident, priority),
      .created = clock_.Now()};
  clock_.Pass(kMillisecond);
  EXPECT_TRUE(OutboxOf(tenant).Put(entry));
  return entry.id;
}

std::unique_ptr<Lane> DeliveryTest::MakeLane(const std::string& output, Timespan give_up) {
  std::vector<Source> sources;
  for (std::size_t i = 0; i < tenants_.size(); ++i) {
    sources.push_back({.tenant = i == 0 ? "a" : "b", .open = [this, i] {
                         return storage::OutboxFile::OpenTenant(folder_.path(), tenants_[i]);
                       }});
  }
  sources.push_back(
      {.tenant = {}, .open = [this] { return storage::OutboxFile::OpenAgent(folder_.path()); }});
  auto lane = std::make_unique<Lane>(LaneSettings{.output = output, .give_up_after = give_up},
                                     std::make_unique<TestOutput>(receivers_[output], output),
                                     std::move(sources), *agent_, *alerts_, clock_,
                                     [this](const OutputNote& note) { notes_.push_back(note); });
  EXPECT_TRUE(lane->Open());
  return lane;
}

void DeliveryTest::RunFor(Lane& lane, Timespan span) {
  using Next = Lane::Step::Next;
  const Instant until = clock_.Now() + span;
  for (std::size_t i = 0; i <= tenants_.size(); ++i) lane.Touch(i);
  for (int steps = 0; steps < 100'000; ++steps) {
    const Lane::Step step = lane.Advance({});
    if (step.next == Next::kAgain) continue;
    if (step.next == Next::kPace) {
      clock_.SleepFor(step.wait, {});
      continue;
    }
    if (step.next == Next::kWait && step.until <= until) {
      if (step.until > clock_.Now()) clock_.Pass(step.until - clock_.Now());
      continue;
    }
    if (until > clock_.Now()) clock_.Pass(until - clock_.Now());
    return;
  }
  FAIL() << "the lane goes on without end";
}

}  // namespace picket::outputs
