#include "agent/kql/function.h"

#include <fmt/format.h>

#include <map>

#include "agent/kql/kernel.h"
#include "agent/kql/unit_functions.h"

namespace picket::kql {
namespace {

const std::map<std::string_view, Function>& Table() {
  static const std::map<std::string_view, Function> table = [] {
    std::map<std::string_view, Function> all;
    for (const FunctionList& part : {ArithmeticFunctions(), ArrayFunctions(),
                                     BagFunctions(),        CompareFunctions(),
                                     ConvertFunctions(),    DateTimeFunctions(),
                                     EncodingFunctions(),   FormatFunctions(),
                                     GeoEarthFunctions(),   GeoH3Functions(),
                                     GeoShapeFunctions(),   GeoTextFunctions(),
                                     GeohashFunctions(),    IpFunctions(),
                                     LogicFunctions(),      MathFunctions(),
                                     ParseFunctions(),      PunycodeFunctions(),
                                     RegexFunctions(),      SeriesAnalysisFunctions(),
                                     SeriesFunctions(),     SetFunctions(),
                                     StringFunctions(),     TextOperators(),
                                     TimeZoneFunctions(),   UserAgentFunctions(),
                                     WindowFunctions(),     XmlFunctions(),
                                     UnitFunctions()}) {
      for (const Function& function : part) all.emplace(function.name, function);
    }
    return all;
  }();
  return table;
}

}  // namespace

const Function* FindFunction(std::string_view name) {
  const auto found = Table().find(name);
  return found == Table().end() ? nullptr : &found->second;
}

std::string_view ConverterTo(Type type) {
  switch (type) {
    case Type::kBool:
      return "tobool";
    case Type::kInt:
      return "toint";
    case Type::kLong:
      return "tolong";
    case Type::kReal:
      return "todouble";
    case Type::kDecimal:
      return "todecimal";
    case Type::kString:
      return "tostring";
    case Type::kDateTime:
      return "todatetime";
    case Type::kTimespan:
      return "totimespan";
    case Type::kGuid:
      return "toguid";
    case Type::kDynamic:
      return "todynamic";
  }
  return "tostring";
}

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names;
  for (const auto& [name, function] : Table()) names.push_back(name);
  return names;
}

std::vector<const Function*> Functions() {
  std::vector<const Function*> functions;
  for (const auto& [name, function] : Table()) functions.push_back(&function);
  return functions;
}

FunctionList Declare(std::initializer_list<FunctionRow> rows) {
  FunctionList list;
  for (const FunctionRow& row : rows) {
    Function& function = list.emplace_back();
    function.signature = ParseSignature(row.signature);
    function.name = function.signature->name;
    function.min_arguments = function.signature->least;
    function.max_arguments = function.signature->most;
    function.bind = row.bind;
    function.run = row.run;
    if (row.column_prefix != nullptr) function.column_prefix = row.column_prefix;
  }
  return list;
}

namespace {

// By the rule where there is one, else by the signature.
Fit FitTo(const std::optional<Signature>& signature, std::string_view name, BindRule bind,
          const std::vector<Type>& arguments) {
  Fit fit;
  if (signature) fit.misfit = FindMisfit(*signature, arguments);
  if (fit.misfit) return fit;
  std::optional<Type> type = signature ? signature->result : std::nullopt;
  if (bind != nullptr) {
    std::string why;
    type = bind(arguments, why);
    if (!type) fit.misfit = Misfit{"KS106", fmt::format("'{}': {}", name, why)};
  }
  if (type) fit.type = *type;
  return fit;
}

}  // namespace

Fit FitArguments(const Function& function, const std::vector<Type>& arguments) {
  if (!function.signature &&
      (arguments.size() < function.min_arguments || arguments.size() > function.max_arguments)) {
    return {.misfit = Misfit{"KS119", fmt::format("{}() takes {} to {} arguments, not {}",
                                                  function.name, function.min_arguments,
                                                  function.max_arguments, arguments.size())}};
  }
  return FitTo(function.signature, function.name, function.bind, arguments);
}

Fit FitArguments(const AggregateFunction& function, const std::vector<Type>& arguments) {
  return FitTo(function.signature, function.name(), function.bind, arguments);
}

std::optional<Type> BindFirst(const std::vector<Type>& arguments, std::string&) {
  return arguments.front();
}
std::optional<Type> BindBool(const std::vector<Type>&, std::string&) { return Type::kBool; }
std::optional<Type> BindString(const std::vector<Type>&, std::string&) { return Type::kString; }
std::optional<Type> BindLong(const std::vector<Type>&, std::string&) { return Type::kLong; }
std::optional<Type> BindReal(const std::vector<Type>&, std::string&) { return Type::kReal; }
std::optional<Type> BindDateTime(const std::vector<Type>&, std::string&) { return Type::kDateTime; }
std::optional<Type> BindDynamic(const std::vector<Type>&, std::string&) { return Type::kDynamic; }

}  // namespace picket::kql
