#include "agent/kql/signature.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace picket::kql {
namespace {

struct KindName {
  std::string_view name;
  ParameterKind kind;
  std::string_view code;  // Kusto's error
};

constexpr std::array<KindName, 18> kKinds = {{{"bool", ParameterKind::kBool, "KS107"},
                                              {"long", ParameterKind::kLong, "KS107"},
                                              {"real", ParameterKind::kReal, "KS107"},
                                              {"string", ParameterKind::kString, "KS107"},
                                              {"datetime", ParameterKind::kDateTime, "KS107"},
                                              {"timespan", ParameterKind::kTimespan, "KS107"},
                                              {"guid", ParameterKind::kGuid, "KS107"},
                                              {"scalar", ParameterKind::kScalar, "KS108"},
                                              {"integer", ParameterKind::kInteger, "KS134"},
                                              {"number", ParameterKind::kNumber, "KS137"},
                                              {"summable", ParameterKind::kSummable, "KS138"},
                                              {"quantity", ParameterKind::kQuantity, "KS138"},
                                              {"orderable", ParameterKind::kOrderable, "KS232"},
                                              {"not dynamic", ParameterKind::kNotDynamic, "KS116"},
                                              {"text", ParameterKind::kText, "KS141"},
                                              {"array", ParameterKind::kArray, "KS234"},
                                              {"bag", ParameterKind::kBag, "KS235"},
                                              {"flag", ParameterKind::kFlag, "KS107"}}};

const KindName& NameOf(ParameterKind kind) {
  for (const KindName& known : kKinds) {
    if (known.kind == kind) return known;
  }
  return kKinds[7];
}

bool Fits(ParameterKind kind, Type type) {
  switch (kind) {
    case ParameterKind::kBool:
      return type == Type::kBool;
    case ParameterKind::kLong:
    case ParameterKind::kInteger:
      return type == Type::kInt || type == Type::kLong;
    case ParameterKind::kReal:
    case ParameterKind::kNumber:
      return IsNumeric(type);
    case ParameterKind::kString:
    case ParameterKind::kText:
      return type == Type::kString || type == Type::kDynamic;
    case ParameterKind::kDateTime:
      return type == Type::kDateTime;
    case ParameterKind::kTimespan:
      return type == Type::kTimespan;
    case ParameterKind::kGuid:
      return type == Type::kGuid;
    case ParameterKind::kScalar:
      return true;
    case ParameterKind::kSummable:
      return IsNumeric(type) || type == Type::kDateTime || type == Type::kTimespan;
    case ParameterKind::kQuantity:
      return IsNumber(type) || type == Type::kDateTime || type == Type::kTimespan;
    case ParameterKind::kOrderable:
      return type != Type::kGuid && type != Type::kDynamic;
    case ParameterKind::kNotDynamic:
      return type != Type::kDynamic;
    case ParameterKind::kArray:
    case ParameterKind::kBag:
      return type == Type::kDynamic;
    case ParameterKind::kFlag:
      return type == Type::kBool || IsNumeric(type);
  }
  return false;
}

constexpr std::size_t kMany = 32'767;

Parameter ParseParameter(std::string_view text) {
  const std::size_t colon = text.find(':');
  Parameter parameter{.name = text.substr(0, colon)};
  std::string_view kind = Trim(text.substr(colon + 1));
  if (kind.ends_with('?')) {
    parameter.optional = true;
    kind.remove_suffix(1);
  }
  for (const KindName& known : kKinds) {
    if (known.name == kind) parameter.kind = known.kind;
  }
  return parameter;
}

// "...", "... 64", "... in pairs"
void ParseRepetition(std::string_view text, Signature& signature) {
  const std::string_view rest = Trim(text.substr(3));
  signature.repeated = rest == "in pairs" ? 2 : 1;
  std::size_t most = 0;
  for (const char c : rest) {
    if (c >= '0' && c <= '9') most = most * 10 + static_cast<std::size_t>(c - '0');
  }
  signature.most = most == 0 ? kMany : most;
}

std::string CountText(const Signature& signature) {
  if (signature.least == signature.most) return std::to_string(signature.least);
  if (signature.most == kMany) return fmt::format("at least {}", signature.least);
  return fmt::format("{} to {}", signature.least, signature.most);
}

}  // namespace

Signature ParseSignature(std::string_view text) {
  Signature signature{.text = text};
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  signature.name = text.substr(0, open);
  signature.result = ParseType(Trim(text.substr(close + 2)));
  for (std::string_view part : Split(text.substr(open + 1, close - open - 1), ',')) {
    part = Trim(part);
    if (part.empty()) continue;
    if (part.starts_with("...")) {
      ParseRepetition(part, signature);
      continue;
    }
    signature.parameters.push_back(ParseParameter(part));
    if (!signature.parameters.back().optional) ++signature.least;
  }
  if (signature.repeated == 0) signature.most = signature.parameters.size();
  return signature;
}

const Parameter& ParameterOf(const Signature& signature, std::size_t argument) {
  const std::size_t count = signature.parameters.size();
  if (argument < count) return signature.parameters[argument];
  const std::size_t first = count - signature.repeated;
  return signature.parameters[first + (argument - first) % signature.repeated];
}

std::optional<Misfit> FindMisfit(const Signature& signature, const std::vector<Type>& arguments) {
  if (arguments.size() < signature.least || arguments.size() > signature.most) {
    return Misfit{"KS119", fmt::format("{}() takes {} arguments, not {}", signature.name,
                                       CountText(signature), arguments.size())};
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = ParameterOf(signature, i);
    if (Fits(parameter.kind, arguments[i])) continue;
    const KindName& kind = NameOf(parameter.kind);
    return Misfit{std::string(kind.code),
                  fmt::format("{}(): '{}' takes {}, not {}", signature.name, parameter.name,
                              kind.name, TypeName(arguments[i]))};
  }
  return std::nullopt;
}

}  // namespace picket::kql
