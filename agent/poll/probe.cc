#include <charconv>

#include "agent/poll/stream.h"
#include "base/text.h"

namespace picket::poll {

std::string FormatProbe(const Probe& probe) {
  std::string text;
  const auto add = [&](std::string_view name, std::int64_t value) {
    text.append(name).append("=").append(std::to_string(value)).append(";");
  };
  add("variant", probe.variant);
  add("anchor", probe.anchor.ticks);
  add("horizon", probe.horizon.ticks);
  add("last_row", probe.last_row.ticks);
  add("swept", probe.swept.ticks);
  add("fetched", probe.fetched);
  add("refusals", probe.refusals);
  add("first_refusal", probe.first_refusal.ticks);
  add("top", probe.top);
  add("tried", probe.tried.ticks);
  add("fell_back", probe.fell_back ? 1 : 0);
  add("fetch_tries", probe.fetch_tries);
  return text;
}

Probe ParseProbe(std::string_view text) {
  Probe probe;
  for (const std::string_view part : Split(text, ';')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals);
    const std::string_view digits = part.substr(equals + 1);
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc{} || end != digits.data() + digits.size()) continue;
    if (name == "variant") probe.variant = value;
    if (name == "anchor") probe.anchor = Instant{value};
    if (name == "horizon") probe.horizon = Instant{value};
    if (name == "last_row") probe.last_row = Instant{value};
    if (name == "swept") probe.swept = Instant{value};
    if (name == "fetched") probe.fetched = value;
    if (name == "refusals") probe.refusals = value;
    if (name == "first_refusal") probe.first_refusal = Instant{value};
    if (name == "top") probe.top = value;
    if (name == "tried") probe.tried = Instant{value};
    if (name == "fell_back") probe.fell_back = value != 0;
    if (name == "fetch_tries") probe.fetch_tries = value;
  }
  return probe;
}

}  // namespace picket::poll
