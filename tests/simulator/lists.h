#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "tests/simulator/simulator.h"

namespace picket::simulator {

enum class PropertyType : std::uint8_t { kText, kTime, kNumber, kTexts, kObjects };

// What $filter takes of a list, by the documentation and by what working clients send.
struct Property {
  std::string_view name;  // "createdDateTime", "status/errorCode"; of kObjects with its member:
                          // "targetResources/id"
  PropertyType type = PropertyType::kText;
  std::string_view operators = "eq";
  bool beta_only = false;
};

struct ListSpec {
  List list;
  std::string_view path;      // below the version
  std::string_view context;   // of @odata.context
  std::string_view type;      // "#microsoft.graph.riskDetection"; "" for none
  std::string_view time;      // what the list is sorted by, newest first
  bool time_changes = false;  // a change moves the record
  int default_page = 1000, max_page = 1000;
  bool clamps_top = true;   // else a larger $top is an error
  bool protection = false;  // identityProtection's limits and errors
  bool in_beta = true;
  std::string_view role;
  std::vector<Property> properties;
};

const ListSpec& SpecOf(List list);
// By the path without case; nullptr for none.
const ListSpec* FindList(std::string_view path);

// Picket's name of a stream → the list and, for sign-ins, the event type.
struct StreamPlace {
  List list;
  std::string_view event_type;
};
StreamPlace PlaceOf(std::string_view stream);

}  // namespace picket::simulator
