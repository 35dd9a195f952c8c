// Sentinel's analytics-rule YAML into a Rule.

#include <yaml-cpp/yaml.h>

#include <charconv>

#include "agent/rules/rule_file.h"
#include "agent/rules/yaml_text.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::rules {
namespace {

Error Refused(const YAML::Mark& mark, std::string message, std::string hint = {}) {
  if (mark.line >= 0) {
    message = "line " + std::to_string(mark.line + 1) + ", column " +
              std::to_string(mark.column + 1) + ": " + message;
  }
  return {.kind = ErrorKind::kRefused, .message = std::move(message), .hint = std::move(hint)};
}

// Reads members of one mapping and remembers the first thing that was wrong.
class MemberReader {
 public:
  explicit MemberReader(const YAML::Node& node) : node_(node) {}

  // What was wrong in a mapping below, if anything.
  void Adopt(const MemberReader& below) {
    if (!error_) error_ = below.error_;
  }

  [[nodiscard]] std::string Text(const char* name) {
    const YAML::Node member = node_[name];
    if (!member || member.IsNull()) return {};
    if (!member.IsScalar()) {
      Complain(member.Mark(), std::string("'") + name + "' must be a text");
      return {};
    }
    return member.Scalar();
  }

  [[nodiscard]] std::string RequiredText(const char* name) {
    std::string text = Text(name);
    if (Trim(text).empty()) {
      Complain(node_.Mark(), std::string("'") + name + "' is missing or empty");
    }
    return text;
  }

  [[nodiscard]] std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    const YAML::Node member = node_[name];
    if (!member || member.IsNull()) return texts;
    if (!member.IsSequence()) {
      Complain(member.Mark(), std::string("'") + name + "' must be a list");
      return texts;
    }
    for (const YAML::Node& item : member) {
      if (item.IsScalar()) {
        texts.push_back(item.Scalar());
      } else {
        Complain(item.Mark(), std::string("'") + name + "' must be a list of texts");
      }
    }
    return texts;
  }

  [[nodiscard]] Timespan Span(const char* name, Timespan otherwise) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    Result<Timespan> span = ParseTimespan(text);
    if (!span) span = ParseIsoDuration(text);
    if (span && span->ticks > 0) return *span;
    Complain(node_[name].Mark(), std::string("'") + name + "' is no positive span of time: '" +
                                     EscapeTerminal(text) + "'");
    return otherwise;
  }

  template <class T>
  [[nodiscard]] T OneOf(const char* name, std::initializer_list<std::pair<const char*, T>> known,
                        T otherwise) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    std::string names;
    for (const auto& [label, value] : known) {
      if (EqualsIgnoreCase(text, label)) return value;
      names += (names.empty() ? "" : ", ") + std::string(label);
    }
    Complain(node_[name].Mark(),
             std::string("'") + name + "' is '" + EscapeTerminal(text) + "'; it may be " + names);
    return otherwise;
  }

  [[nodiscard]] YAML::Node Raw(const char* name) const { return node_[name]; }

  void Complain(const YAML::Mark& mark, std::string message) {
    if (!error_) error_ = Refused(mark, std::move(message));
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const YAML::Node node_;
  std::optional<Error> error_;
};

void ReadEntities(MemberReader& reader, const YamlText& text, Rule& rule) {
  const YAML::Node mappings = reader.Raw("entityMappings");
  if (!mappings || mappings.IsNull()) return;
  if (!mappings.IsSequence())
    return reader.Complain(mappings.Mark(), "'entityMappings' must be a list");
  for (const YAML::Node& node : mappings) {
    if (!node.IsMap()) {
      return reader.Complain(node.Mark(),
                             "an entity mapping must have entityType and fieldMappings");
    }
    MemberReader mapping(node);
    EntityMapping entity{.type = mapping.RequiredText("entityType"), .identifiers = {}};
    const YAML::Node fields = node["fieldMappings"];
    if (!fields || !fields.IsSequence()) {
      return reader.Complain(node.Mark(), "'fieldMappings' must be a list");
    }
    for (const YAML::Node& field : fields) {
      if (!field.IsMap()) return reader.Complain(field.Mark(), "a field mapping must be a mapping");
      MemberReader pair(field);
      entity.identifiers.push_back({.name = pair.RequiredText("identifier"),
                                    .column = pair.RequiredText("columnName"),
                                    .place = text.PlaceOf(pair.Raw("columnName"))});
      if (pair.error()) return reader.Adopt(pair);
    }
    if (mapping.error()) return reader.Adopt(mapping);
    rule.entities.push_back(std::move(entity));
  }
}

void ReadThreshold(MemberReader& reader, Rule& rule) {
  rule.trigger_operator = reader.OneOf<TriggerOperator>("triggerOperator",
                                                        {{"gt", TriggerOperator::kGreater},
                                                         {"GreaterThan", TriggerOperator::kGreater},
                                                         {"lt", TriggerOperator::kLess},
                                                         {"LessThan", TriggerOperator::kLess},
                                                         {"eq", TriggerOperator::kEqual},
                                                         {"Equal", TriggerOperator::kEqual},
                                                         {"ne", TriggerOperator::kNotEqual},
                                                         {"NotEqual", TriggerOperator::kNotEqual}},
                                                        TriggerOperator::kGreater);
  const std::string text = reader.Text("triggerThreshold");
  if (text.empty()) return;
  const char* end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, rule.trigger_threshold);
  if (code != std::errc{} || rest != end || rule.trigger_threshold < 0) {
    reader.Complain(reader.Raw("triggerThreshold").Mark(), "'triggerThreshold' must be a number");
  }
}

void ReadSuppression(MemberReader& reader, Rule& rule) {
  const std::string enabled = reader.Text("suppressionEnabled");
  const Timespan held = reader.Span("suppressionDuration", kHour * 5);  // Sentinel's default
  if (EqualsIgnoreCase(enabled, "true")) {
    rule.suppression = held;
  } else if (!enabled.empty() && !EqualsIgnoreCase(enabled, "false")) {
    reader.Complain(reader.Raw("suppressionEnabled").Mark(),
                    "'suppressionEnabled' must be true or false");
  }
}

void ReadGrouping(MemberReader& reader, Rule& rule) {
  const YAML::Node node = reader.Raw("eventGroupingSettings");
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) {
    return reader.Complain(node.Mark(), "'eventGroupingSettings' must be a mapping");
  }
  MemberReader grouping(node);
  rule.alert_per_result = grouping.OneOf<bool>(
      "aggregationKind", {{"SingleAlert", false}, {"AlertPerResult", true}}, false);
  reader.Adopt(grouping);
}

void ReadDetails(MemberReader& reader, Rule& rule) {
  if (const YAML::Node details = reader.Raw("customDetails"); details && details.IsMap()) {
    for (const auto& pair : details) {
      if (pair.first.IsScalar() && pair.second.IsScalar()) {
        rule.custom_details.emplace_back(pair.first.Scalar(), pair.second.Scalar());
      }
    }
  }
  if (const YAML::Node node = reader.Raw("alertDetailsOverride"); node && node.IsMap()) {
    MemberReader details(node);
    rule.display_name_format = details.Text("alertDisplayNameFormat");
    rule.description_format = details.Text("alertDescriptionFormat");
    rule.severity_column = details.Text("alertSeverityColumnName");
    rule.tactics_column = details.Text("alertTacticsColumnName");
    reader.Adopt(details);
  }
}

// The members that only our own rules have.
void ReadExtension(MemberReader& reader, Rule& rule) {
  const YAML::Node node = reader.Raw("picket");
  if (!node) return;
  if (!node.IsMap()) return reader.Complain(node.Mark(), "'picket' must be a mapping");
  MemberReader own(node);
  rule.confidence = own.OneOf<Confidence>(
      "confidence",
      {{"low", Confidence::kLow}, {"medium", Confidence::kMedium}, {"high", Confidence::kHigh}},
      Confidence::kMedium);
  rule.licence = own.Text("licence");
  rule.false_positives = own.Texts("falsePositives");
  rule.next_steps = own.Texts("nextSteps");
  if (const YAML::Node reasons = node["reasons"]; reasons && reasons.IsSequence()) {
    for (const YAML::Node& item : reasons) {
      if (!item.IsMap()) return reader.Complain(item.Mark(), "a reason must be a mapping");
      MemberReader reason(item);
      rule.explanations.push_back({.column = reason.RequiredText("column"),
                                   .values = reason.Texts("values"),
                                   .text = reason.RequiredText("text")});
      if (reason.error()) return reader.Adopt(reason);
    }
  }
  reader.Adopt(own);
}

Result<Rule> ReadRule(const YAML::Node& root, const YamlText& text,
                      const std::filesystem::path& file) {
  if (!root.IsMap()) return Fail(Refused(root.Mark(), "a rule must be a mapping of its members"));
  MemberReader reader(root);
  Rule rule;
  rule.file = file;
  rule.language = "kql";
  rule.title = reader.RequiredText("name");
  rule.description = reader.Text("description");
  rule.version = reader.Text("version");
  rule.query = reader.RequiredText("query");
  rule.query_place = text.PlaceOfScalar(root, "query");
  rule.kind = reader.OneOf<RuleKind>(
      "kind", {{"Scheduled", RuleKind::kScheduled}, {"NRT", RuleKind::kNrt}}, RuleKind::kScheduled);
  rule.severity = reader.OneOf<Severity>("severity",
                                         {{"Informational", Severity::kInformational},
                                          {"Low", Severity::kLow},
                                          {"Medium", Severity::kMedium},
                                          {"High", Severity::kHigh}},
                                         Severity::kMedium);
  // Sentinel runs NRT rules every minute over the minute before.
  const bool nrt = rule.kind == RuleKind::kNrt;
  rule.query_frequency = reader.Span("queryFrequency", nrt ? kMinute : kHour);
  rule.query_period = reader.Span("queryPeriod", nrt ? kMinute : kDay);
  for (const char* member : {"queryFrequency", "queryPeriod"}) {
    if (const YAML::Node node = reader.Raw(member)) rule.period_place = text.PlaceOf(node);
  }
  rule.tactics = reader.Texts("tactics");
  rule.techniques = reader.Texts("relevantTechniques");
  ReadThreshold(reader, rule);
  ReadSuppression(reader, rule);
  ReadGrouping(reader, rule);
  ReadEntities(reader, text, rule);
  ReadDetails(reader, rule);
  ReadExtension(reader, rule);

  const std::string id = reader.RequiredText("id");
  if (!reader.error()) {
    const Result<Guid> guid = ParseGuid(Trim(id));
    if (!guid) return Fail(Refused(root["id"].Mark(), "'id' must be a GUID"));
    rule.id = ToString(*guid);
  }
  if (reader.error()) return Fail(*reader.error());
  return rule;
}

}  // namespace

Result<Rule> ParseSentinelRule(std::string_view yaml, const std::filesystem::path& file) {
  if (!IsValidUtf8(yaml)) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = "the file is not UTF-8",
                 .hint = "Save it as UTF-8."});
  }
  if (yaml.size() > kMaxRuleFileBytes) {
    return Fail({.kind = ErrorKind::kRefused, .message = "the file is larger than 1 MiB"});
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.empty()) {
      return Fail({.kind = ErrorKind::kRefused, .message = "the file is empty"});
    }
    if (documents.size() > 1) {
      return Fail(Refused(documents[1].Mark(), "the file holds a second document",
                          "Put each rule into a file of its own."));
    }
    return ReadRule(documents.front(), YamlText(yaml), file);
  } catch (const YAML::Exception& e) {
    return Fail(Refused(e.mark, "not YAML: " + e.msg));
  }
}

}  // namespace picket::rules
