#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "tests/simulator/lists.h"
#include "tests/simulator/store.h"

namespace picket::simulator {

// A $filter of OData, as far as these lists take it:
//
//   expression: term {or term}    term: factor {and factor}
//   factor: ( expression ) | not factor | property op literal | startsWith(property,'text')
//         | collection/any(v: expression over v or v/member)
//   op: eq ne ge gt le lt, each where the property takes it
//
// Times stand without quotes, texts in single quotes (doubled inside). Keywords are in lower case.
class Filter {
 public:
  // The message of the error is what Graph says; the caller answers 400.
  static Result<Filter> Parse(std::string_view text, const ListSpec& list, bool beta);
  Filter() = default;  // takes everything

  [[nodiscard]] bool Matches(const RecordVersion& version) const;
  // What the list's time must be within for a record to match; for skipping, never exact.
  [[nodiscard]] Instant from() const { return from_; }
  [[nodiscard]] Instant to() const { return to_; }
  // Takes nothing older than this any more.
  void RaiseFrom(Instant from) {
    if (from > from_) from_ = from;
  }
  // Whether it says anything of this property.
  [[nodiscard]] bool Names(std::string_view property) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  Instant from_{0}, to_{Instant::kMaxTicks - 1};
};

}  // namespace picket::simulator
