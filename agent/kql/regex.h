#pragma once

#include <memory>
#include <string>

namespace re2 {
class RE2;
}

namespace picket::kql {

// A pattern as Kusto reads it: its \d, \w and \s are classes of Unicode. Compiled once for all
// queries; never nullptr, but ok() is false for a pattern that RE2 refuses. Any thread.
std::shared_ptr<const re2::RE2> CompileRegex(const std::string& pattern);

}  // namespace picket::kql
