#include "agent/graph/collection.h"

#include <gtest/gtest.h>

#include <set>

namespace picket::graph {
namespace {

Instant At(const char* text) { return ParseRfc3339(text).value(); }

TEST(Collection, EveryStreamOfTheDesignIsThereOnce) {
  std::set<std::string_view> names;
  for (const Collection& collection : Collections()) names.insert(collection.stream);
  EXPECT_EQ(names, (std::set<std::string_view>{
                       "signIns.interactive", "signIns.nonInteractive", "signIns.servicePrincipal",
                       "signIns.managedIdentity", "directoryAudits", "riskDetections",
                       "servicePrincipalRiskDetections", "riskyUsers"}));
  EXPECT_EQ(names.size(), Collections().size());
}

TEST(Collection, SignInsAreAskedByTypeInBetaAndWithoutTypeInV1) {
  const Collection& interactive = *FindCollection("signIns.interactive");
  const Span span{At("2026-11-24T10:00:00Z"), At("2026-11-24T11:00:00.5Z")};
  EXPECT_EQ(Filter(interactive.variants[0], span),
            "createdDateTime ge 2026-11-24T10:00:00.000Z and createdDateTime le "
            "2026-11-24T11:00:00.500Z and signInEventTypes/any(t: t eq 'interactiveUser')");
  EXPECT_EQ(Filter(interactive.variants[1], span),
            "createdDateTime ge 2026-11-24T10:00:00.000Z and createdDateTime le "
            "2026-11-24T11:00:00.500Z");
}

TEST(Collection, TheUrlIsEncodedWholeAndTopIsCapped) {
  const Collection& risk = *FindCollection("riskDetections");
  const std::string url = ListUrl("https://graph.microsoft.com", risk, risk.variants[0],
                                  "userPrincipalName eq " + Quote("o'brien+x@contoso.com"), 999);
  EXPECT_EQ(url,
            "https://graph.microsoft.com/v1.0/identityProtection/riskDetections?$top=500&$filter="
            "userPrincipalName%20eq%20%27o%27%27brien%2Bx%40contoso.com%27");
}

TEST(Collection, AnItemsIdCannotLeaveItsPath) {
  const Collection& signins = *FindCollection("signIns.interactive");
  EXPECT_EQ(ItemUrl("https://graph.microsoft.com", signins, signins.variants[0], "../../me?x=1#y"),
            "https://graph.microsoft.com/beta/auditLogs/signIns/..%2F..%2Fme%3Fx%3D1%23y");
}

TEST(Collection, AnUnknownNameIsNotFound) { EXPECT_EQ(FindCollection("signins"), nullptr); }

}  // namespace
}  // namespace picket::graph
