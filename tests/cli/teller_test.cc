// What `run` says of a tenant from round to round.

#include "agent/cli/teller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TellerTest : public testing::Test {
 protected:
  static run::TenantOutcome Well() { return {.tenant = "contoso", .well = true}; }
  static run::TenantOutcome Failed(const std::string& where) {
    return {.tenant = "contoso", .failures = {{where, error_}}};
  }
  static run::TenantOutcome Held(std::int64_t minute) {
    run::TenantOutcome outcome{.tenant = "contoso"};
    for (const char* stream : {"riskyUsers", "signIns.interactive"}) {
      outcome.polled.held.push_back({stream, Instant{} + kMinute * minute, error_});
    }
    return outcome;
  }
  std::string Said(const run::TenantOutcome& outcome) {
    testing::internal::CaptureStderr();
    teller_.Tell(outcome);
    return testing::internal::GetCapturedStderr();
  }

  static inline const Error error_{
      .kind = ErrorKind::kAuth, .message = "the secret is wrong", .hint = "Make a new one."};
  Teller teller_;
};

TEST_F(TellerTest, ATenantThatIsWellIsNotSpokenOf) {
  EXPECT_THAT(Said(Well()), IsEmpty());
  EXPECT_THAT(Said(Well()), IsEmpty());
}

TEST_F(TellerTest, WhatFailsIsToldOnceAndIsNotWellWhileItIsHeldBack) {
  EXPECT_THAT(Said(Failed("")), HasSubstr("contoso: the secret is wrong"));
  EXPECT_THAT(Said(Held(1)), IsEmpty());
  EXPECT_THAT(Said(Held(2)), IsEmpty());
  EXPECT_THAT(Said(Failed("")), IsEmpty());
  EXPECT_THAT(Said(Held(9)), IsEmpty());
  EXPECT_THAT(Said(Well()), HasSubstr("contoso: all is well again"));
  EXPECT_THAT(Said(Well()), IsEmpty());
  EXPECT_THAT(Said(Failed("")), HasSubstr("contoso: the secret is wrong"));
}

TEST_F(TellerTest, AnotherStreamThatFailsOfTheSameIsTold) {
  EXPECT_THAT(Said(Failed("riskyUsers")), HasSubstr("contoso: riskyUsers: the secret"));
  EXPECT_THAT(Said(Failed("riskyUsers")), IsEmpty());
  EXPECT_THAT(Said(Held(1)), HasSubstr("contoso: riskyUsers, signIns.interactive: held back"));
}

TEST_F(TellerTest, WhatWasHeldBackFromTheBeginningIsToldWithTheTimeAndTheRemedy) {
  const std::string said = Said(Held(5));
  EXPECT_THAT(said, HasSubstr("contoso: riskyUsers, signIns.interactive: held back until " +
                              FormatRfc3339(Instant{} + kMinute * 5) +
                              ", because of the last error: the secret is wrong"));
  EXPECT_THAT(said, HasSubstr("Make a new one."));
}

TEST_F(TellerTest, ATenantThatIsStillBehindIsNotWellYet) {
  EXPECT_THAT(Said(Failed("")), Not(IsEmpty()));
  EXPECT_THAT(Said({.tenant = "contoso", .well = false}), IsEmpty());
  EXPECT_THAT(Said(Well()), HasSubstr("all is well again"));
}

}  // namespace
}  // namespace picket::cli
