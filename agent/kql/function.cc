#include "agent/kql/function.h"

#include <map>

#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

const std::map<std::string_view, Function>& Table() {
  static const std::map<std::string_view, Function> table = [] {
    std::map<std::string_view, Function> all;
    for (const FunctionList& part : {LogicFunctions(), CompareFunctions(), TextOperators(),
                                     TextFunctions(), ConvertFunctions(), MathFunctions(),
                                     TimeFunctions(), DynamicFunctions(), WindowFunctions()}) {
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

std::optional<Type> BindBool(const std::vector<Type>&, std::string&) { return Type::kBool; }
std::optional<Type> BindString(const std::vector<Type>&, std::string&) { return Type::kString; }
std::optional<Type> BindLong(const std::vector<Type>&, std::string&) { return Type::kLong; }
std::optional<Type> BindReal(const std::vector<Type>&, std::string&) { return Type::kReal; }
std::optional<Type> BindDateTime(const std::vector<Type>&, std::string&) { return Type::kDateTime; }
std::optional<Type> BindDynamic(const std::vector<Type>&, std::string&) { return Type::kDynamic; }

}  // namespace picket::kql
