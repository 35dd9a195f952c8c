#include "agent/kql/reserved_names.h"

#include <string>

namespace picket::kql {
namespace {

bool Holds(std::string_view words, std::string_view word) {
  return word.find(' ') == std::string_view::npos &&
         words.find(" " + std::string(word) + " ") != std::string_view::npos;
}

constexpr std::string_view kNeverNames =
    " string boolean real date timespan datetime isfuzzy decimal double int int64 int8 long time "
    "uniqueid float int16 int32 uint uint16 uint32 uint64 uint8 ulong dynamic barchart piechart "
    "ladderchart timechart linechart anomalychart pivotchart areachart stackedareachart "
    "scatterchart timepivot columnchart timeline card treemap simple relaxed hotcache last "
    "nooptimization and asc between byte cachingpolicy callout cancel char dataexport desc "
    "encodingpolicy extent_tags_retention first flags harddelete hardretention has_all has_any "
    "journal missing or others pathformat project queries query_results restricted_view_access "
    "row_level_security rowstore rowstore_references rowstore_sealinfo rowstorepolicy rowstores "
    "seal seals shards softdelete softretention statistics storedqueryresultcontainers "
    "tablepurge union unrestrictedviewers views writeaheadlog bagexpansion bin_legacy "
    "decodeblocks expandoutput with_match_id with_itemindex with_step_name force_remote cycles "
    "containscs contains_cs datascope endswith endswith_cs has_cs hasprefix hasprefix_cs "
    "hassuffix hassuffix_cs like likecs notcontains notcontainscs notlike notlikecs startswith "
    "startswith_cs ";
constexpr std::string_view kOnlyDeclared =
    " set to search title accumulate as by contains earliest find has in invoke latest "
    "materialize mdm of print sample sql verbose viewers where ";
constexpr std::string_view kOnlyReferred = " kind withsource with_source external_data ";
constexpr std::string_view kOperators =
    " negate member index between and or in has has_cs contains contains_cs startswith "
    "startswith_cs endswith endswith_cs hasprefix hasprefix_cs hassuffix hassuffix_cs has_any "
    "has_all ";

}  // namespace

bool MayNameColumn(std::string_view word) {
  return !Holds(kNeverNames, word) && !Holds(kOnlyReferred, word);
}

bool MayReferToColumn(std::string_view word) {
  return !Holds(kNeverNames, word) && !Holds(kOnlyDeclared, word);
}

bool IsOperatorName(std::string_view word) { return Holds(kOperators, word); }

}  // namespace picket::kql
