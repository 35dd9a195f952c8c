#pragma once

#include "agent/kql/kernel.h"

namespace picket::kql {

FunctionList UnitFunctions();  // convert_*

}  // namespace picket::kql
