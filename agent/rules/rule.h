#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace picket::rules {

// Sentinel's severities; stored and printed by name.
enum class Severity : std::uint8_t { kInformational, kLow, kMedium, kHigh };
std::string_view SeverityName(Severity severity);              // "Informational", …
std::optional<Severity> ParseSeverity(std::string_view name);  // in any case

enum class Confidence : std::uint8_t { kLow, kMedium, kHigh };
std::string_view ConfidenceName(Confidence confidence);  // "low", …

enum class RuleKind : std::uint8_t { kScheduled, kNrt };

// Where something stands in a rule's file; both 1-based, columns in code points.
struct FilePlace {
  int line = 1;
  int column = 1;
};

// Where a rule's query stands in its file, so that what is wrong in it is shown there.
struct QueryPlace {
  FilePlace begin;       // of the text; of its key when the text is not `verbatim`
  int indent = 0;        // columns that the file has before its further lines
  bool verbatim = true;  // false: the file writes it with escapes or folded lines

  // Of a line and column of the text: in the file, or `begin` when that can't be told.
  [[nodiscard]] FilePlace InFile(int line, int column) const;
};

// Sentinel's entityMappings: which column of the result holds which identifier of which entity.
struct EntityMapping {
  struct Identifier {
    std::string name;    // "FullName", "Address", …
    std::string column;  // of the result
    FilePlace place{};   // of the column's name
  };
  std::string type;  // "Account", "IP", …
  std::vector<Identifier> identifiers;
};

enum class TriggerOperator : std::uint8_t { kGreater, kLess, kEqual, kNotEqual };

// One condition that a shipped rule explains: shown as a reason of the alert when the column of the
// result is `true`, or is one of `values`.
struct Explanation {
  std::string column;
  std::vector<std::string> values;  // empty: the column itself is the answer
  std::string text;                 // "The sign-in itself was rated high or medium risk"
};

// A rule as its file gives it. A value; its query is not compiled yet.
struct Rule {
  std::string id;  // a GUID, lower-case
  std::string title;
  std::string description;
  std::string author;
  std::string language;  // "kql"
  std::string version;
  RuleKind kind = RuleKind::kScheduled;
  bool enabled = true;
  Severity severity = Severity::kMedium;
  Confidence confidence = Confidence::kMedium;
  std::string query;
  Timespan query_frequency = kHour;
  Timespan query_period = kDay;
  TriggerOperator trigger_operator = TriggerOperator::kGreater;
  std::int64_t trigger_threshold = 0;
  // After a tick that triggered, later ones are held this long (suppressionDuration). Zero: never.
  Timespan suppression;
  // eventGroupingSettings: every row of the result is an alert of its own (AlertPerResult).
  bool alert_per_result = false;
  std::vector<std::string> tactics;
  std::vector<std::string> techniques;
  std::vector<EntityMapping> entities;
  std::vector<std::pair<std::string, std::string>> custom_details;  // name, column
  std::string display_name_format;  // alertDetailsOverride: "{{Column}}" is replaced
  std::string description_format;
  std::string severity_column, tactics_column;  // their values replace the rule's own

  // What only our own rules say (the `picket:` member; Sentinel has no place for it).
  std::string licence;  // "P1", "P2" or ""
  std::vector<Explanation> explanations;
  std::vector<std::string> false_positives;
  std::vector<std::string> next_steps;

  std::filesystem::path file;
  QueryPlace query_place;
  FilePlace period_place;  // of queryPeriod, else of queryFrequency
  bool shipped = false;
  std::string hash;  // of its meaning: another hash is another rule to the cursor
};

}  // namespace picket::rules
