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

// A tenant with P1 and a config that names no streams: what P2 would give is known and shown.
class UnlicensedTest : public PermissionTest {
 protected:
  void SetUp() override {
    PermissionTest::SetUp();
    std::filesystem::create_directory(dir_ / "rules");
    Write("rules/risky.kql", "// Risky users\nAADRiskyUsers | where RiskLevel == 'high'\n");
    good_.streams = "\"all\"";
    good_.more = "[rules]\npaths = [\"rules\"]\n";
  }
  Outcome OnceWith(Licence licence) {
    graph_->AddTenant({.id = tenant_,
                       .licence = licence,
                       .workload_identities_premium = licence == Licence::kP2});
    WriteConfig(good_);
    Write("good.toml", Read("picket.toml"));
    return Once();
  }
  [[nodiscard]] std::int64_t Asked(const std::string& path) const {
    std::int64_t count = 0;
    for (const simulator::LoggedRequest& request : graph_->Requests()) {
      if (request.path.find(path) != std::string::npos) ++count;
    }
    return count;
  }
};

TEST_F(UnlicensedTest, AStreamOfAllThatTheLicenceDoesNotGiveIsSaidAndIsNoFailure) {
  const Outcome once = OnceWith(Licence::kP1);
  EXPECT_EQ(once.code, 0) << once.out;
  EXPECT_THAT(once.out, HasSubstr("note: contoso: not licensed, and so not read: riskyUsers. It "
                                  "needs Microsoft Entra ID P2"));
  EXPECT_THAT(once.out, HasSubstr("servicePrincipalRiskDetections. It needs Workload ID Premium"));
  EXPECT_THAT(once.out, Not(HasSubstr("error:")));
  EXPECT_THAT(once.out, HasSubstr("\"failed\":0,\"held\":0,\"unlicensed\":2,"));
  EXPECT_EQ(StoredIds(), EmittedIds());

  // Each face says that it is blind there.
  const Outcome status = Picket("status");
  EXPECT_THAT(status.out, HasSubstr("riskyUsers                      off")) << status.out;
  EXPECT_THAT(status.out, HasSubstr("It needs Microsoft Entra ID P2"));
  EXPECT_THAT(Picket("status --format json").out, HasSubstr("\"licensed\":false"));
  EXPECT_THAT(Picket("validate --offline").out,
              HasSubstr("warn  tenant contoso: riskyUsers is not licensed: the tenant has no"));
  EXPECT_THAT(Picket("rules list").out, HasSubstr("riskyUsers is off: the tenant has no licence"));
  EXPECT_THAT(Picket("report --format json").out, HasSubstr("It needs Microsoft Entra ID P2"));

  // The next run of the job asks for nothing of it and says nothing more.
  const std::int64_t asked = Asked("riskyUsers");
  const Outcome again = Once();
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_THAT(again.out, Not(HasSubstr("note:")));
  EXPECT_THAT(again.out, HasSubstr("\"unlicensed\":2,"));
  EXPECT_EQ(Asked("riskyUsers"), asked);

  // A licence that comes is found by itself.
  Pass(kMinute * 30);
  const Outcome licensed = OnceWith(Licence::kP2);
  EXPECT_EQ(licensed.code, 0) << licensed.out;
  EXPECT_THAT(licensed.out, HasSubstr("\"unlicensed\":0,"));
  EXPECT_GT(Asked("riskyUsers"), asked);
  EXPECT_THAT(Picket("status").out, Not(HasSubstr(" off ")));
}

TEST_F(UnlicensedTest, WhenItIsNamedLaterItIsAFailureAtOnce) {
  ASSERT_EQ(OnceWith(Licence::kP1).code, 0);
  good_.streams = "[\"signIns.interactive\", \"riskyUsers\"]";
  const Outcome named = OnceWith(Licence::kP1);
  EXPECT_EQ(named.code, 3) << named.out;
  EXPECT_THAT(named.out, HasSubstr("the tenant has no licence for identityProtection/riskyUsers"));
}

TEST_F(UnlicensedTest, ALicenceThatIsLostIsAFailure) {
  ASSERT_EQ(OnceWith(Licence::kP2).code, 0);
  Pass(kMinute * 20);
  const Outcome lost = OnceWith(Licence::kP1);
  EXPECT_EQ(lost.code, 3) << lost.out;
  EXPECT_THAT(lost.out, HasSubstr("the tenant has no licence for identityProtection/riskyUsers"));
}

TEST_F(UnlicensedTest, WithoutP1NothingIsWatchedAndThatIsAFailure) {
  const Outcome once = OnceWith(Licence::kFree);
  EXPECT_EQ(once.code, 77) << once.out;
  EXPECT_THAT(once.out, HasSubstr("the tenant has no licence for auditLogs/signIns"));
  EXPECT_THAT(once.out, HasSubstr("\"unlicensed\":0,"));
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
