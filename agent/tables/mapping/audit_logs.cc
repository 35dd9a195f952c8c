// The directory's audit log.

#include "agent/tables/mapping.h"

namespace picket::tables {
namespace {

using kql::Type;
using enum Conversion;

constexpr ColumnMapping kAuditLogs[] = {
    {"AADOperationType", Type::kString, kText, "operationType"},
    {"AADTenantId", Type::kString, kTenant, ""},
    {"ActivityDateTime", Type::kDateTime, kDateTime, "activityDateTime"},
    {"ActivityDisplayName", Type::kString, kText, "activityDisplayName"},
    {"AdditionalDetails", Type::kDynamic, kDynamic, "additionalDetails"},
    {"_BilledSize", Type::kReal, kNone, ""},
    {"Category", Type::kString, kText, "category", true},
    {"CorrelationId", Type::kString, kText, "correlationId", true},
    {"DurationMs", Type::kLong, kZero, ""},
    {"Id", Type::kString, kText, "id", true},
    {"Identity", Type::kString, kText, "initiatedBy/user/displayName"},
    {"InitiatedBy", Type::kDynamic, kDynamic, "initiatedBy"},
    {"_IsBillable", Type::kString, kNone, ""},
    {"Level", Type::kString, kConstant, "4"},
    {"Location", Type::kString, kNone, ""},
    {"LoggedByService", Type::kString, kText, "loggedByService", true},
    {"OperationName", Type::kString, kText, "activityDisplayName", true},
    {"OperationVersion", Type::kString, kConstant, "1.0"},
    {"Resource", Type::kString, kConstant, "Microsoft.aadiam"},
    {"ResourceGroup", Type::kString, kConstant, "Microsoft.aadiam"},
    {"ResourceId", Type::kString, kTenantResource, ""},
    {"ResourceProvider", Type::kString, kConstant, ""},
    {"Result", Type::kString, kText, "result", true},
    {"ResultDescription", Type::kString, kText, "resultReason"},
    {"ResultReason", Type::kString, kText, "resultReason"},
    {"ResultSignature", Type::kString, kConstant, "None"},
    {"ResultType", Type::kString, kNone, ""},
    {"SourceSystem", Type::kString, kConstant, "Azure AD"},
    {"TargetResources", Type::kDynamic, kDynamic, "targetResources"},
    {"TimeGenerated", Type::kDateTime, kDateTime, "activityDateTime"},
    {"Type", Type::kString, kConstant, "AuditLogs"},
    {"_ItemId", Type::kString, kNone, ""},
    {"TenantId", Type::kString, kTenant, ""},
    {"_ResourceId", Type::kString, kNone, ""},
};

}  // namespace

extern const TableMapping kAuditLogsTable;
const TableMapping kAuditLogsTable = {"AuditLogs", "directoryAudits", "activityDateTime", "",
                                      false,       kAuditLogs};

}  // namespace picket::tables
