#include "agent/rules/rule.h"

#include "base/text.h"

namespace picket::rules {

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInformational:
      return "Informational";
    case Severity::kLow:
      return "Low";
    case Severity::kMedium:
      return "Medium";
    case Severity::kHigh:
      return "High";
  }
  return "Medium";
}

std::optional<Severity> ParseSeverity(std::string_view name) {
  for (const Severity severity :
       {Severity::kInformational, Severity::kLow, Severity::kMedium, Severity::kHigh}) {
    if (EqualsIgnoreCase(name, SeverityName(severity))) return severity;
  }
  return std::nullopt;
}

std::string_view ConfidenceName(Confidence confidence) {
  switch (confidence) {
    case Confidence::kLow:
      return "low";
    case Confidence::kMedium:
      return "medium";
    case Confidence::kHigh:
      return "high";
  }
  return "medium";
}

FilePlace QueryPlace::InFile(int line, int column) const {
  if (!verbatim) return begin;
  return {.line = begin.line + line - 1,
          .column = column + (line == 1 ? begin.column - 1 : indent)};
}

}  // namespace picket::rules
