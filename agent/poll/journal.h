#pragma once

#include "agent/graph/budgets.h"
#include "storage/agent_store.h"

namespace picket::poll {

// The budgets' memory, in agent.db. Thread-safe.
class StoredJournal final : public graph::BudgetJournal {
 public:
  explicit StoredJournal(storage::AgentStore& store) : store_(store) {}
  [[nodiscard]] Status Note(const Entry& entry) override;
  [[nodiscard]] Result<std::vector<Entry>> Since(Instant time) override;
  [[nodiscard]] Status Hold(const graph::Account& account, Instant until,
                            std::string_view reason) override;
  [[nodiscard]] Result<std::optional<Instant>> HeldUntil(const graph::Account& account) override;

 private:
  storage::AgentStore& store_;
};

}  // namespace picket::poll
