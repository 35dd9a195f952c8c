#include "agent/tables/mapping.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "agent/tables/table_catalog.h"
#include "tests/tables/tables_fixture.h"

namespace picket::tables {
namespace {

TEST(Mapping, HasEveryColumnOfTheLogAnalyticsTablesWithItsType) {
  PICKET_SHARED_OR_SKIP(text, "corpora/table-schemas.json");
  const auto schemas = nlohmann::json::parse(text, nullptr, false);
  ASSERT_TRUE(schemas.is_object());
  const TableCatalog catalog;
  for (const TableMapping* table : AllTables()) {
    const std::string name(table->table);
    ASSERT_TRUE(schemas.contains(name)) << name;
    const kql::Schema* schema = catalog.Find(name);
    ASSERT_NE(schema, nullptr) << name;
    std::map<std::string, std::string> ours;
    for (const kql::ColumnSchema& column : *schema) {
      EXPECT_TRUE(ours.emplace(column.name, kql::TypeName(column.type)).second)
          << name << "." << column.name << " is there twice";
    }
    for (const auto& [column, type] : schemas[name].items()) {
      EXPECT_TRUE(ours.contains(column)) << name << "." << column << " is missing";
      EXPECT_EQ(ours[column], type.get<std::string>()) << name << "." << column;
    }
  }
}

TEST(Mapping, GivesEveryStreamOneTableAndEveryTableATimeAndAnId) {
  std::set<std::string_view> streams;
  for (const TableMapping* table : AllTables()) {
    EXPECT_TRUE(streams.insert(table->stream).second) << table->stream;
    EXPECT_EQ(TableOfStream(table->stream), table);
    EXPECT_EQ(FindTable(table->table), table);
    const ColumnMapping* time = table->Column("TimeGenerated");
    ASSERT_NE(time, nullptr) << table->table;
    EXPECT_EQ(time->type, kql::Type::kDateTime) << table->table;
    if (!table->id_column.empty()) {
      EXPECT_NE(table->Column(table->id_column), nullptr) << table->table;
    }
    const ColumnMapping* type = table->Column("Type");
    ASSERT_NE(type, nullptr) << table->table;
    EXPECT_EQ(type->path, table->table);
  }
  for (const char* stream :
       {"signIns.interactive", "signIns.nonInteractive", "signIns.servicePrincipal",
        "signIns.managedIdentity", "riskDetections", "servicePrincipalRiskDetections", "riskyUsers",
        "directoryAudits"}) {
    EXPECT_TRUE(streams.contains(stream)) << stream;
  }
}

TEST(Mapping, NamesOnlyMembersThatGraphHas) {
  // Facts: the signIn resource of beta and v1.0, flat members. A misspelt path would be a column
  // that is always empty.
  const std::set<std::string_view> members = {"agent",
                                              "alternateSignInName",
                                              "appDisplayName",
                                              "appId",
                                              "appOwnerTenantId",
                                              "appliedConditionalAccessPolicies",
                                              "appliedEventListeners",
                                              "authenticationAppDeviceDetails",
                                              "authenticationAppPolicyEvaluationDetails",
                                              "authenticationContextClassReferences",
                                              "authenticationDetails",
                                              "authenticationMethodsUsed",
                                              "authenticationProcessingDetails",
                                              "authenticationProtocol",
                                              "authenticationRequirement",
                                              "authenticationRequirementPolicies",
                                              "autonomousSystemNumber",
                                              "clientAppUsed",
                                              "clientCredentialType",
                                              "clientSessionId",
                                              "conditionalAccessAudiences",
                                              "conditionalAccessStatus",
                                              "correlationId",
                                              "createdDateTime",
                                              "crossTenantAccessType",
                                              "deviceDetail",
                                              "federatedCredentialId",
                                              "flaggedForReview",
                                              "globalSecureAccessIpAddress",
                                              "homeTenantId",
                                              "homeTenantName",
                                              "id",
                                              "incomingTokenType",
                                              "ipAddress",
                                              "ipAddressFromResourceProvider",
                                              "isInteractive",
                                              "isTenantRestricted",
                                              "isThroughGlobalSecureAccess",
                                              "location",
                                              "managedServiceIdentity",
                                              "mfaDetail",
                                              "networkLocationDetails",
                                              "originalRequestId",
                                              "originalTransferMethod",
                                              "processingTimeInMilliseconds",
                                              "resourceDisplayName",
                                              "resourceId",
                                              "resourceOwnerTenantId",
                                              "resourceServicePrincipalId",
                                              "resourceTenantId",
                                              "riskDetail",
                                              "riskEventTypes",
                                              "riskEventTypes_v2",
                                              "riskLevelAggregated",
                                              "riskLevelDuringSignIn",
                                              "riskState",
                                              "servicePrincipalCredentialKeyId",
                                              "servicePrincipalCredentialThumbprint",
                                              "servicePrincipalId",
                                              "servicePrincipalName",
                                              "sessionId",
                                              "sessionLifetimePolicies",
                                              "signInEventTypes",
                                              "signInIdentifier",
                                              "signInIdentifierType",
                                              "status",
                                              "tokenIssuerName",
                                              "tokenIssuerType",
                                              "tokenProtectionStatusDetails",
                                              "uniqueTokenIdentifier",
                                              "userAgent",
                                              "userDisplayName",
                                              "userId",
                                              "userPrincipalName",
                                              "userType"};
  for (const TableMapping* table : AllTables()) {
    if (!table->stream.starts_with("signIns.")) continue;
    for (const ColumnMapping& column : table->columns) {
      if (column.path.empty() || column.conversion == Conversion::kConstant) continue;
      EXPECT_TRUE(members.contains(column.path.substr(0, column.path.find('/'))))
          << table->table << "." << column.name << " comes from " << column.path;
    }
  }
}

TEST(Mapping, TypesWhatTheSeedDetectionFiltersOn) {
  const TableMapping* table = FindTable("SigninLogs");
  for (const char* column :
       {"ResultType", "RiskLevelDuringSignIn", "RiskState", "RiskEventTypes_V2",
        "AuthenticationRequirement", "HomeTenantId", "ResourceTenantId", "UserPrincipalName"}) {
    EXPECT_TRUE(table->Column(column)->typed) << column;
  }
}

TEST(Mapping, KnowsAnImportedRowByItsFirstMemberOnly) {
  EXPECT_TRUE(IsImportedRow(R"({"@picket.row":{}})"));
  EXPECT_FALSE(IsImportedRow(R"({"id":"x","@picket.row":{}})"));
  EXPECT_FALSE(IsImportedRow(R"({"@picket.rows":{}})"));
  EXPECT_FALSE(IsImportedRow("{"));
}

}  // namespace
}  // namespace picket::tables
