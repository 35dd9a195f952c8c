#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/simulator/entra.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/graph.h"
#include "tests/simulator/lists.h"
#include "tests/simulator/reply.h"

namespace picket::simulator {

// The answer in place of the true one; nullopt for a fault that spoils the true one. `list` is the
// list that was asked for, null for none and for Entra.
std::optional<Reply> ReplyInstead(const Call& call, const Fault& fault, bool entra,
                                  const ListSpec* list);
// 401 with the claims challenge of continuous access evaluation.
Reply ClaimsReply(const Call& call);
// Spoils the delivery of the true answer.
void Spoil(Reply& reply, const Fault& fault);

std::string Gzip(std::string_view text);

}  // namespace picket::simulator
