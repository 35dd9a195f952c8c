#pragma once

#include <map>
#include <set>
#include <string>

#include "agent/run/round.h"

namespace picket::cli {

// Tells on stderr of each tenant what is wrong when it begins, and when all is well again; `run`
// would say the same every few minutes else. One thread at a time.
class Teller {
 public:
  void Tell(const run::TenantOutcome& outcome);

 private:
  // What was told of a tenant and is still so: messages, each with the streams that it is about,
  // "" for the tenant as a whole.
  using Messages = std::map<std::string, std::set<std::string>>;
  struct Told {
    Messages messages;
    std::set<std::string> notes;
    bool ill = false;
  };
  std::map<std::string, Told> told_;
};

}  // namespace picket::cli
