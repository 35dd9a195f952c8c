// Prints the functions and aggregates that Picket's KQL engine has, as Markdown: a line each, by
// their signatures. scripts/kql-support puts them into the documentation.

#include <iostream>
#include <string>
#include <string_view>

#include "agent/kql/function.h"

namespace picket::kql {
namespace {

// Backslashes in a table's cell would be Markdown's own.
void PrintRow(std::string_view name, std::string_view signature) {
  std::cout << "| `" << name << "` | `" << signature << "` |\n";
}

void PrintTables() {
  std::size_t scalar = 0;
  for (const Function* function : Functions()) {
    if (function->signature) ++scalar;
  }
  std::cout << "## Scalar functions (" << scalar << ")\n\n| name | signature |\n|---|---|\n";
  for (const Function* function : Functions()) {
    if (function->signature) PrintRow(function->name, function->signature->text);
  }
  const auto aggregates = Aggregates();
  std::cout << "\n## Aggregates (" << aggregates.size() << ")\n\n| name | signature |\n|---|---|\n";
  for (const AggregateFunction* aggregate : aggregates) {
    PrintRow(aggregate->name(), aggregate->signature.text);
  }
  std::cout << "\n## Window functions\n\n";
  for (const Function* function : Functions()) {
    if (function->window) std::cout << "- `" << function->name << "()`\n";
  }
}

}  // namespace
}  // namespace picket::kql

int main() { picket::kql::PrintTables(); }
