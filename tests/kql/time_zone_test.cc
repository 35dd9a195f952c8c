#include "agent/kql/time_zone.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "tests/kql/run_query.h"

namespace picket::kql {
namespace {

Instant At(const std::string& text) { return ParseRfc3339(text).value(); }

class TimeZoneTest : public testing::Test {
 protected:
  void SetUp() override {
    paris_ = TimeZone::Find("Europe/Paris");
    if (!paris_) GTEST_SKIP() << "this system has no time zone database";
  }
  std::shared_ptr<const TimeZone> paris_;
};

TEST_F(TimeZoneTest, TellsSummerFromWinter) {
  EXPECT_EQ(paris_->ToLocal(At("2026-01-15T12:00:00Z")), At("2026-01-15T13:00:00Z"));
  EXPECT_EQ(paris_->ToLocal(At("2026-07-15T12:00:00Z")), At("2026-07-15T14:00:00Z"));
  EXPECT_EQ(paris_->ToUtc(At("2026-07-15T14:00:00Z")), At("2026-07-15T12:00:00Z"));
}

TEST_F(TimeZoneTest, GivesSkippedAndRepeatedTimesTheOffsetThatTheClocksChangeTo) {
  EXPECT_EQ(paris_->ToUtc(At("2022-03-27T01:59:59Z")), At("2022-03-27T00:59:59Z"));
  EXPECT_EQ(paris_->ToUtc(At("2022-03-27T02:00:00Z")), At("2022-03-27T00:00:00Z"));
  EXPECT_EQ(paris_->ToUtc(At("2022-03-27T03:00:00Z")), At("2022-03-27T01:00:00Z"));
  EXPECT_EQ(paris_->ToUtc(At("2022-10-30T01:59:59Z")), At("2022-10-29T23:59:59Z"));
  EXPECT_EQ(paris_->ToUtc(At("2022-10-30T02:30:00Z")), At("2022-10-30T01:30:00Z"));
}

// The C library reads the same database with code of its own.
TEST_F(TimeZoneTest, AgreesWithTheCLibraryEveryFewHours) {
  for (const char* name : {"America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"}) {
    const auto zone = TimeZone::Find(name);
    ASSERT_NE(zone, nullptr) << name;
    setenv("TZ", name, 1);
    tzset();
    constexpr std::int64_t kEpoch = 621'355'968'000'000'000;  // ticks of 1970-01-01
    for (std::time_t time = 0; time < 2'000'000'000; time += 1'234'567) {
      std::tm local{};
      ASSERT_NE(localtime_r(&time, &local), nullptr);
      const auto ours = zone->ToLocal(Instant{kEpoch + time * 10'000'000});
      ASSERT_TRUE(ours) << name << " " << time;
      EXPECT_EQ((ours->ticks - kEpoch) / 10'000'000 - time, local.tm_gmtoff) << name << " " << time;
    }
  }
  unsetenv("TZ");
  tzset();
}

TEST_F(TimeZoneTest, KnowsNoZoneOutsideItsDatabase) {
  for (const char* name : {"", "/etc/passwd", "../../../etc/passwd", "Europe/Atlantis", "Europe",
                           "tzdata.zi", "Europe/Paris/", "a b"}) {
    EXPECT_EQ(TimeZone::Find(name), nullptr) << name;
  }
}

TEST(TimeZoneFile, IsRefusedWhenItIsCutOrNone) {
  EXPECT_EQ(TimeZone::Parse(""), nullptr);
  EXPECT_EQ(TimeZone::Parse("TZif2"), nullptr);
  EXPECT_EQ(TimeZone::Parse("TZif2" + std::string(39, '\xff')), nullptr);
  EXPECT_EQ(TimeZone::Parse("TZif2" + std::string(39 + 44, '\0')), nullptr);
}

TEST(TimeZoneFunctions, GiveNullForWhatIsUnknown) {
  EXPECT_EQ(Ask("print a = isnull(datetime_utc_to_local(datetime(2026-01-01), 'Nowhere')), "
                "b = isnull(datetime_local_to_utc(datetime(null), 'UTC'))"),
            "a,b | True,True");
}

}  // namespace
}  // namespace picket::kql
