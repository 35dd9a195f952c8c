#include "agent/kql/ast.h"

namespace picket::kql {

// Here, where Pipeline is complete.
Ast::Ast() = default;
Ast::~Ast() = default;

const OptionAst* OperatorAst::Option(std::string_view option) const {
  for (const OptionAst& each : options) {
    if (each.name == option) return &each;
  }
  return nullptr;
}

}  // namespace picket::kql
