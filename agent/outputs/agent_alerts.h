#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "storage/outbox_file.h"

namespace picket::outputs {

// What the agent has to tell of itself: it is blind, or something does not reach its receiver.
struct AgentAlert {
  std::string key;      // what happened: the same again is told once
  std::string subject;  // what it is about: a newer one takes the place of one that waits
  std::string title, text, hint;
  std::string output;  // that it is about: it is told by the others; "" for none
  std::string tenant;  // that it concerns; "" for none
  Instant time;
};

// Puts such alerts into the agent's own outbox, for every output of the operator but the one that
// they are about. Thread-safe.
class AgentAlerts {
 public:
  // `outputs`: names of the operator's. `on_put` is called after each, from the same thread.
  AgentAlerts(std::unique_ptr<storage::OutboxFile> file, std::vector<std::string> outputs,
              std::function<void()> on_put);
  // How many outputs are to tell it.
  [[nodiscard]] Result<std::size_t> Raise(const AgentAlert& alert);

 private:
  const std::unique_ptr<storage::OutboxFile> file_;
  const std::vector<std::string> outputs_;
  const std::function<void()> on_put_;
  std::mutex mutex_;
};

}  // namespace picket::outputs
