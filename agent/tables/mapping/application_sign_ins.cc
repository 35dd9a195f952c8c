// The two tables of applications' sign-ins.

#include "agent/tables/mapping.h"

namespace picket::tables {
namespace {

using kql::Type;
using enum Conversion;

constexpr ColumnMapping kServicePrincipal[] = {
    {"AppId", Type::kString, kText, "appId", true},
    {"AuthenticationContextClassReferences", Type::kString, kJsonText, "authenticationContextClassReferences"},
    {"AuthenticationProcessingDetails", Type::kString, kJsonText, "authenticationProcessingDetails"},
    {"_BilledSize", Type::kReal, kNone, ""},
    {"Category", Type::kString, kConstant, "ServicePrincipalSignInLogs"},
    {"ConditionalAccessPolicies", Type::kString, kJsonText, "appliedConditionalAccessPolicies"},
    {"ConditionalAccessStatus", Type::kString, kText, "conditionalAccessStatus", true},
    {"CorrelationId", Type::kString, kText, "correlationId", true},
    {"DurationMs", Type::kLong, kZero, ""},
    {"FederatedCredentialId", Type::kString, kText, "federatedCredentialId"},
    {"Id", Type::kString, kText, "id", true},
    {"Identity", Type::kString, kText, "servicePrincipalName"},
    {"IPAddress", Type::kString, kText, "ipAddress", true},
    {"_IsBillable", Type::kString, kNone, ""},
    {"Level", Type::kString, kConstant, "4"},
    {"Location", Type::kString, kText, "location/countryOrRegion", true},
    {"LocationDetails", Type::kString, kPrunedText, "location"},
    {"OperationName", Type::kString, kConstant, "Sign-in activity"},
    {"OperationVersion", Type::kString, kConstant, "1.0"},
    {"ResourceDisplayName", Type::kString, kText, "resourceDisplayName", true},
    {"ResourceGroup", Type::kString, kConstant, "Microsoft.aadiam"},
    {"ResourceIdentity", Type::kString, kText, "resourceId"},
    {"ResourceServicePrincipalId", Type::kString, kText, "resourceServicePrincipalId"},
    {"ResultDescription", Type::kString, kFailureReason, "status/failureReason", true},
    {"ResultSignature", Type::kString, kConstant, "None"},
    {"ResultType", Type::kString, kText, "status/errorCode", true},
    {"ServicePrincipalCredentialKeyId", Type::kString, kText, "servicePrincipalCredentialKeyId"},
    {"ServicePrincipalCredentialThumbprint", Type::kString, kText, "servicePrincipalCredentialThumbprint"},
    {"ServicePrincipalId", Type::kString, kText, "servicePrincipalId", true},
    {"ServicePrincipalName", Type::kString, kText, "servicePrincipalName", true},
    {"SourceSystem", Type::kString, kConstant, "Azure AD"},
    {"TenantId", Type::kString, kTenant, ""},
    {"TimeGenerated", Type::kDateTime, kDateTime, "createdDateTime"},
    {"Type", Type::kString, kConstant, "AADServicePrincipalSignInLogs"},
    {"UniqueTokenIdentifier", Type::kString, kText, "uniqueTokenIdentifier"},
    {"_ItemId", Type::kString, kNone, ""},
    {"_ResourceId", Type::kString, kNone, ""},
};

constexpr ColumnMapping kManagedIdentity[] = {
    {"AppId", Type::kString, kText, "appId", true},
    {"AuthenticationContextClassReferences", Type::kString, kJsonText, "authenticationContextClassReferences"},
    {"AuthenticationProcessingDetails", Type::kString, kJsonText, "authenticationProcessingDetails"},
    {"_BilledSize", Type::kReal, kNone, ""},
    {"Category", Type::kString, kConstant, "ManagedIdentitySignInLogs"},
    {"ConditionalAccessPolicies", Type::kString, kJsonText, "appliedConditionalAccessPolicies"},
    {"ConditionalAccessStatus", Type::kString, kText, "conditionalAccessStatus", true},
    {"CorrelationId", Type::kString, kText, "correlationId", true},
    {"DurationMs", Type::kLong, kZero, ""},
    {"FederatedCredentialId", Type::kString, kText, "federatedCredentialId"},
    {"Id", Type::kString, kText, "id", true},
    {"Identity", Type::kString, kText, "servicePrincipalName"},
    {"IPAddress", Type::kString, kText, "ipAddress", true},
    {"_IsBillable", Type::kString, kNone, ""},
    {"Level", Type::kString, kConstant, "4"},
    {"Location", Type::kString, kText, "location/countryOrRegion", true},
    {"LocationDetails", Type::kString, kPrunedText, "location"},
    {"OperationName", Type::kString, kConstant, "Sign-in activity"},
    {"OperationVersion", Type::kString, kConstant, "1.0"},
    {"ResourceDisplayName", Type::kString, kText, "resourceDisplayName", true},
    {"ResourceGroup", Type::kString, kConstant, "Microsoft.aadiam"},
    {"ResourceIdentity", Type::kString, kText, "resourceId"},
    {"ResourceServicePrincipalId", Type::kString, kText, "resourceServicePrincipalId"},
    {"ResultDescription", Type::kString, kFailureReason, "status/failureReason", true},
    {"ResultSignature", Type::kString, kConstant, "None"},
    {"ResultType", Type::kString, kText, "status/errorCode", true},
    {"ServicePrincipalCredentialKeyId", Type::kString, kText, "servicePrincipalCredentialKeyId"},
    {"ServicePrincipalCredentialThumbprint", Type::kString, kText, "servicePrincipalCredentialThumbprint"},
    {"ServicePrincipalId", Type::kString, kText, "servicePrincipalId", true},
    {"ServicePrincipalName", Type::kString, kText, "servicePrincipalName", true},
    {"SourceSystem", Type::kString, kConstant, "Azure AD"},
    {"TenantId", Type::kString, kTenant, ""},
    {"TimeGenerated", Type::kDateTime, kDateTime, "createdDateTime"},
    {"Type", Type::kString, kConstant, "AADManagedIdentitySignInLogs"},
    {"UniqueTokenIdentifier", Type::kString, kText, "uniqueTokenIdentifier"},
    {"_ItemId", Type::kString, kNone, ""},
    {"_ResourceId", Type::kString, kNone, ""},
};

}  // namespace

extern const TableMapping kServicePrincipalTable;
const TableMapping kServicePrincipalTable = {"AADServicePrincipalSignInLogs",
    "signIns.servicePrincipal", "createdDateTime", "", false, kServicePrincipal};
extern const TableMapping kManagedIdentityTable;
const TableMapping kManagedIdentityTable = {"AADManagedIdentitySignInLogs",
    "signIns.managedIdentity", "createdDateTime", "", false, kManagedIdentity};

}  // namespace picket::tables
