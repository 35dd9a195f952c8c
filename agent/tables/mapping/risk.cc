// Identity Protection's tables. Azure Monitor writes a new row for each update of a detection, so
// these show every kept version.

#include "agent/tables/mapping.h"

namespace picket::tables {
namespace {

using kql::Type;
using enum Conversion;

constexpr ColumnMapping kUserRiskEvents[] = {
    {"Activity", Type::kString, kText, "activity"},
    {"ActivityDateTime", Type::kDateTime, kDateTime, "activityDateTime"},
    {"AdditionalInfo", Type::kDynamic, kEmbeddedJson, "additionalInfo"},
    {"_BilledSize", Type::kReal, kNone, ""},
    {"CorrelationId", Type::kString, kText, "correlationId", true},
    {"DetectedDateTime", Type::kDateTime, kDateTime, "detectedDateTime"},
    {"DetectionTimingType", Type::kString, kText, "detectionTimingType"},
    {"Id", Type::kString, kText, "id", true},
    {"IpAddress", Type::kString, kText, "ipAddress", true},
    {"_IsBillable", Type::kString, kNone, ""},
    {"LastUpdatedDateTime", Type::kDateTime, kDateTime, "lastUpdatedDateTime"},
    {"Location", Type::kDynamic, kDynamic, "location"},
    {"OperationName", Type::kString, kConstant, "User Risk Detection"},
    {"RequestId", Type::kString, kText, "requestId", true},
    {"RiskDetail", Type::kString, kText, "riskDetail", true},
    {"RiskEventType", Type::kString, kText, "riskEventType", true},
    {"RiskLevel", Type::kString, kText, "riskLevel", true},
    {"RiskState", Type::kString, kText, "riskState", true},
    {"Source", Type::kString, kText, "source", true},
    {"SourceSystem", Type::kString, kConstant, "Azure AD"},
    {"TenantId", Type::kString, kTenant, ""},
    {"TimeGenerated", Type::kDateTime, kUpdatedTime, "lastUpdatedDateTime"},
    {"TokenIssuerType", Type::kString, kText, "tokenIssuerType"},
    {"Type", Type::kString, kConstant, "AADUserRiskEvents"},
    {"UserDisplayName", Type::kString, kText, "userDisplayName"},
    {"UserId", Type::kString, kText, "userId", true},
    {"UserPrincipalName", Type::kString, kText, "userPrincipalName", true},
    {"_ItemId", Type::kString, kNone, ""},
    {"_ResourceId", Type::kString, kNone, ""},
};

constexpr ColumnMapping kServicePrincipalRiskEvents[] = {
    {"Activity", Type::kString, kText, "activity"},
    {"ActivityDateTime", Type::kDateTime, kDateTime, "activityDateTime"},
    {"AdditionalInfo", Type::kDynamic, kEmbeddedJson, "additionalInfo"},
    {"AppId", Type::kString, kText, "appId"},
    {"_BilledSize", Type::kReal, kNone, ""},
    {"CorrelationId", Type::kString, kText, "correlationId", true},
    {"DetectedDateTime", Type::kDateTime, kDateTime, "detectedDateTime"},
    {"DetectionTimingType", Type::kString, kText, "detectionTimingType"},
    {"Id", Type::kString, kText, "id", true},
    {"IpAddress", Type::kString, kText, "ipAddress", true},
    {"_IsBillable", Type::kString, kNone, ""},
    {"KeyIds", Type::kDynamic, kDynamic, "keyIds"},
    {"LastUpdatedDateTime", Type::kDateTime, kDateTime, "lastUpdatedDateTime"},
    {"Location", Type::kDynamic, kDynamic, "location"},
    {"OperationName", Type::kString, kConstant, "Service Principal Risk Detection"},
    {"RequestId", Type::kString, kText, "requestId", true},
    {"RiskDetail", Type::kString, kText, "riskDetail", true},
    {"RiskEventType", Type::kString, kText, "riskEventType", true},
    {"RiskLevel", Type::kString, kText, "riskLevel", true},
    {"RiskState", Type::kString, kText, "riskState", true},
    {"ServicePrincipalDisplayName", Type::kString, kText, "servicePrincipalDisplayName"},
    {"ServicePrincipalId", Type::kString, kText, "servicePrincipalId", true},
    {"Source", Type::kString, kText, "source", true},
    {"SourceSystem", Type::kString, kConstant, "Azure AD"},
    {"TenantId", Type::kString, kTenant, ""},
    {"TimeGenerated", Type::kDateTime, kUpdatedTime, "lastUpdatedDateTime"},
    {"TokenIssuerType", Type::kString, kText, "tokenIssuerType"},
    {"Type", Type::kString, kConstant, "AADServicePrincipalRiskEvents"},
    {"_ItemId", Type::kString, kNone, ""},
    {"_ResourceId", Type::kString, kNone, ""},
};

constexpr ColumnMapping kRiskyUsers[] = {
    {"_BilledSize", Type::kReal, kNone, ""},
    {"CorrelationId", Type::kString, kNone, ""},
    {"Id", Type::kString, kText, "id", true},
    {"_IsBillable", Type::kString, kNone, ""},
    {"IsDeleted", Type::kBool, kBool, "isDeleted"},
    {"IsProcessing", Type::kBool, kBool, "isProcessing"},
    {"OperationName", Type::kString, kConstant, "Risky user"},
    {"RiskDetail", Type::kString, kText, "riskDetail"},
    {"RiskLastUpdatedDateTime", Type::kDateTime, kDateTime, "riskLastUpdatedDateTime"},
    {"RiskLevel", Type::kString, kText, "riskLevel", true},
    {"RiskState", Type::kString, kText, "riskState", true},
    {"SourceSystem", Type::kString, kConstant, "Azure AD"},
    {"TenantId", Type::kString, kTenant, ""},
    {"TimeGenerated", Type::kDateTime, kDateTime, "riskLastUpdatedDateTime"},
    {"Type", Type::kString, kConstant, "AADRiskyUsers"},
    {"UserDisplayName", Type::kString, kText, "userDisplayName"},
    {"UserPrincipalName", Type::kString, kText, "userPrincipalName", true},
    {"_ItemId", Type::kString, kNone, ""},
    {"_ResourceId", Type::kString, kNone, ""},
};

}  // namespace

extern const TableMapping kUserRiskEventsTable;
const TableMapping kUserRiskEventsTable = {
    "AADUserRiskEvents", "riskDetections", "detectedDateTime", "lastUpdatedDateTime", true,
    kUserRiskEvents};
extern const TableMapping kServicePrincipalRiskEventsTable;
const TableMapping kServicePrincipalRiskEventsTable = {"AADServicePrincipalRiskEvents",
                                                       "servicePrincipalRiskDetections",
                                                       "detectedDateTime",
                                                       "lastUpdatedDateTime",
                                                       true,
                                                       kServicePrincipalRiskEvents};
extern const TableMapping kRiskyUsersTable;
const TableMapping kRiskyUsersTable = {
    "AADRiskyUsers",           "riskyUsers", "riskLastUpdatedDateTime",
    "riskLastUpdatedDateTime", true,         kRiskyUsers};

}  // namespace picket::tables
