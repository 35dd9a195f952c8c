#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/lists.h"
#include "tests/simulator/store.h"

namespace picket::simulator {

// What the asking application gets to see of a record.
struct Rendering {
  bool beta = false;
  bool hides_risk = false;            // no P2: levels and details are "hidden", events "generic"
  bool with_policies = false;         // may read conditional access policies
  bool young_members = false;         // Prefer: include-unknown-enum-members
  std::vector<std::string> select{};  // empty: everything
};

// A record as JSON text. v1.0 of a sign-in is the poorer one: what only beta has is left out, an
// empty text becomes null.
std::string Render(const ListSpec& list, const RecordVersion& version, const Rendering& rendering);

}  // namespace picket::simulator
