// A missing permission or licence is named, with what to grant; the other streams go on.

#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace picket {
namespace {

using simulator::Licence;
using testing::HasSubstr;
using testing::Not;

class PermissionTest : public TenantTest {
 protected:
  void SetUp() override {
    TenantTest::SetUp();
    good_.streams = "[\"signIns.interactive\", \"riskyUsers\"]";
  }
};

TEST_F(PermissionTest, AMissingPermissionIsNamedWithItsStreamsAndWhatToGrant) {
  graph_->AddTenant({.id = tenant_, .roles = {"AuditLog.Read.All", "Directory.Read.All"}});
  WriteConfig(good_);
  Write("good.toml", Read("picket.toml"));
  const Outcome validate = Picket("validate");
  EXPECT_EQ(validate.code, 0) << validate.out;  // it may be meant so
  EXPECT_THAT(validate.out, HasSubstr("warn  tenant contoso: the application lacks the permission "
                                      "IdentityRiskyUser.Read.All"));
  EXPECT_THAT(validate.out, HasSubstr("cannot read riskyUsers"));

  const Outcome once = Once();
  EXPECT_EQ(once.code, 3) << once.out;
  EXPECT_THAT(once.out, HasSubstr("contoso: the application lacks the permission "
                                  "IdentityRiskyUser.Read.All"));
  EXPECT_THAT(once.out, HasSubstr("grant admin consent"));
  EXPECT_EQ(StoredIds(), EmittedIds());  // sign-ins are not held up

  const Outcome status = Picket("status");
  EXPECT_THAT(status.out, HasSubstr("riskyUsers           off"));
  EXPECT_THAT(status.out, HasSubstr("Grant the application permission IdentityRiskyUser.Read.All"));

  // Granted: the next probe reads it.
  graph_->AddTenant({.id = tenant_});
  Pass(kHour * 2);
  Emit();
  WriteConfig(good_);
  const Outcome healed = Once();
  EXPECT_EQ(healed.code, 0) << healed.out;
  EXPECT_EQ(StoredIds(), EmittedIds());
  EXPECT_THAT(Picket("status").out, Not(HasSubstr(" off ")));
}

TEST_F(PermissionTest, WithoutAnyPermissionAllTenantsAreRefused) {
  good_.streams = "[\"signIns.interactive\"]";
  ReadAll();
  graph_->AddTenant({.id = tenant_, .roles = {}});
  Emit();
  WriteConfig(good_);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 77) << once.out;
  EXPECT_THAT(once.out, HasSubstr("lacks the permission AuditLog.Read.All"));
  graph_->AddTenant({.id = tenant_});
  Pass(kHour * 2);
  ExpectNothingLost();
}

TEST_F(PermissionTest, AMissingLicenceIsNamed) {
  graph_->AddTenant({.id = tenant_, .licence = Licence::kP1});
  WriteConfig(good_);
  Write("good.toml", Read("picket.toml"));
  const Outcome once = Once();
  EXPECT_EQ(once.code, 3) << once.out;
  EXPECT_THAT(once.out, HasSubstr("the tenant has no licence for identityProtection/riskyUsers"));
  EXPECT_THAT(once.out, HasSubstr("Microsoft Entra ID P2"));
  EXPECT_EQ(StoredIds(), EmittedIds());
  EXPECT_THAT(Picket("status").out, HasSubstr("Microsoft Entra ID P2"));
}

TEST_F(PermissionTest, WithoutP1GraphGivesNoSignInsAndPicketSaysSo) {
  graph_->AddTenant({.id = tenant_, .licence = Licence::kFree});
  good_.streams = "[\"signIns.interactive\"]";
  WriteConfig(good_);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 77) << once.out;
  EXPECT_THAT(once.out, HasSubstr("the tenant has no licence for auditLogs/signIns"));
  EXPECT_THAT(once.out, HasSubstr("Microsoft Entra ID P1 or P2"));
  graph_->AddTenant({.id = tenant_});
  Pass(kHour * 2);
  ExpectNothingLost();
}

TEST_F(PermissionTest, ARuleWithoutRowsInThisTenantIsNamedWithTheReason) {
  std::filesystem::create_directory(dir_ / "rules");
  Write("rules/risky.kql", "// Risky users\nAADRiskyUsers | where RiskLevel == 'high'\n");
  good_.more = "[rules]\npaths = [\"rules\"]\n";
  graph_->AddTenant({.id = tenant_, .licence = Licence::kP1});
  WriteConfig(good_);
  ASSERT_EQ(Once().code, 3);
  const Outcome off = Picket("rules list --format json");
  EXPECT_THAT(off.out, HasSubstr("\"missing\": [\n      \"AADRiskyUsers\"\n    ]")) << off.out;
  EXPECT_THAT(off.out, HasSubstr("riskyUsers is off: the tenant has no licence"));
  EXPECT_THAT(Picket("validate").out,
              HasSubstr("no rows of AADRiskyUsers, which a rule reads in vain: riskyUsers is off"));

  WriteConfig({.more = good_.more});  // interactive sign-ins alone
  EXPECT_THAT(Picket("rules list").out,
              HasSubstr("no AADRiskyUsers in contoso: the config's streams leave riskyUsers out"));
}

}  // namespace
}  // namespace picket
