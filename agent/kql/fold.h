#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace picket::kql {

// Characters first, first+step, … last fold to themselves plus delta.
struct FoldRun {
  std::uint32_t first, last, step;
  std::int32_t delta;
};
extern const FoldRun kFoldRuns[];
extern const std::size_t kFoldRunCount;

// Unicode simple case folding; invalid UTF-8 stays as it is.
std::string Fold(std::string_view text);
// The capitals that fold to the text's characters, where there is just one such.
std::string Unfold(std::string_view text);
// Folds into `buffer` and returns a view of it; ASCII without capitals is returned as it is.
std::string_view FoldInto(std::string_view text, std::string& buffer);

// Kusto's terms are runs of alphanumeric characters; `_` is none. True when `term` stands in `text`
// with no such character just before or after (where the term's own edge is alphanumeric).
bool HasTerm(std::string_view text, std::string_view term);
bool HasTermPrefix(std::string_view text, std::string_view prefix);
bool HasTermSuffix(std::string_view text, std::string_view suffix);

}  // namespace picket::kql
