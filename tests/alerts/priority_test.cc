#include "agent/alerts/priority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::alerts {
namespace {

using rules::Confidence;
using rules::Severity;
using testing::Contains;
using testing::HasSubstr;

const PriorityTable kTable;

Priority Of(Severity severity, Confidence confidence, const PriorityFacts& facts = {}) {
  return Judge(severity, confidence, facts, kTable).priority;
}

TEST(PriorityTest, HighSeverityWithMediumConfidenceIsP2) {
  EXPECT_EQ(Of(Severity::kHigh, Confidence::kMedium), Priority::kP2);
}

TEST(PriorityTest, ConfirmedCompromiseMakesAHighSeverityRuleP1) {
  EXPECT_EQ(Of(Severity::kHigh, Confidence::kLow, {.confirmed_compromised = true}), Priority::kP1);
}

TEST(PriorityTest, ASecondRuleRaisesConfidenceByOneStepOnly) {
  EXPECT_EQ(Of(Severity::kHigh, Confidence::kLow, {.second_rule = true}), Priority::kP2);
  EXPECT_EQ(Of(Severity::kHigh, Confidence::kHigh, {.second_rule = true}), Priority::kP1);
}

TEST(PriorityTest, GuestsAndDisabledAccountsLowerTheImpact) {
  EXPECT_EQ(Of(Severity::kHigh, Confidence::kMedium, {.guest = true}), Priority::kP3);
  EXPECT_EQ(Of(Severity::kHigh, Confidence::kMedium, {.guest = true, .disabled_account = true}),
            Priority::kP4);
  EXPECT_EQ(Of(Severity::kInformational, Confidence::kHigh, {.guest = true}), Priority::kP5);
}

TEST(PriorityTest, HiddenRiskMovesNothingAndIsSaid) {
  const Judgement judgement =
      Judge(Severity::kMedium, Confidence::kMedium, {.risk_hidden = true}, kTable);
  EXPECT_EQ(judgement.priority, Of(Severity::kMedium, Confidence::kMedium));
  EXPECT_THAT(judgement.why, Contains(HasSubstr("hides the risk")));
}

TEST(PriorityTest, MoreImpactOrConfidenceIsNeverLessUrgent) {
  for (int s = 0; s < 4; ++s) {
    for (int c = 0; c < 3; ++c) {
      const auto here = Of(static_cast<Severity>(s), static_cast<Confidence>(c));
      if (s > 0) {
        EXPECT_LE(here, Of(static_cast<Severity>(s - 1), static_cast<Confidence>(c)));
      }
      if (c > 0) {
        EXPECT_LE(here, Of(static_cast<Severity>(s), static_cast<Confidence>(c - 1)));
      }
    }
  }
}

TEST(PriorityTest, NamesAreReadBack) {
  for (int p = 1; p <= 5; ++p) {
    const auto priority = static_cast<Priority>(p);
    EXPECT_EQ(ParsePriority(PriorityName(priority)).value(), priority);
  }
  EXPECT_FALSE(ParsePriority("P6"));
  EXPECT_FALSE(ParsePriority("1"));
}

}  // namespace
}  // namespace picket::alerts
