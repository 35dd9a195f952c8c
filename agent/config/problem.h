#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace picket::config {

// Where something stands in a config.
struct Place {
  std::string file;
  std::uint32_t line = 0;  // 1-based; 0: nowhere in particular
  std::uint32_t column = 0;
};
std::string ToString(const Place& place);  // "picket.toml:12:3"

// One thing that is wrong with a config, and where. All of a config's problems are reported at
// once.
struct Problem {
  std::string file;
  std::uint32_t line = 0;  // 1-based; 0 when it belongs to no place
  std::uint32_t column = 0;
  std::string message;
  std::string hint;
};
using Problems = std::vector<Problem>;

// "picket.toml:12:3: unknown key 'tenat_id'; did you mean 'tenant_id'?"
std::string ToString(const Problem& problem);

}  // namespace picket::config
