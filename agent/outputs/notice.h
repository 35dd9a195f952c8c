#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/outputs/output.h"
#include "base/time.h"

namespace picket::outputs {

// What a message says, for outputs that show or log it: taken from its body, texts as they came.
struct Notice {
  std::string type;      // of the message
  std::string id;        // of the incident, or what it is about
  std::string title;     // "Risky sign-in: ada@contoso.example"
  std::string priority;  // "P1"
  std::string severity, status, closed_reason, tenant;
  std::string entity_type, entity_id, entity_name;
  std::string text, hint;  // of the agent's own and of digests
  std::optional<Instant> first_seen, last_seen;
  std::int64_t count = 0;
  std::vector<std::string> rules;  // ids
  std::vector<std::string> techniques, reasons, next_steps;
  std::vector<std::string> addresses;  // distinct IP addresses of the evidence
  std::vector<std::string> places;     // "Utrecht, NL"
  // Of a digest: one line an incident, "P3 Risky sign-in: ada@contoso.example (new)".
  std::vector<std::string> lines;
  std::int64_t listed_of = 0;  // of so many

  // "[P1] Risky sign-in: ada@…", with what happened to it in front if it is not new.
  [[nodiscard]] std::string Headline() const;
  // Name and value, in the order of what matters; none is empty.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> Facts() const;
};

Notice NoticeOf(const Message& message);

}  // namespace picket::outputs
