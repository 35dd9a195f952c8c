#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace picket::cli {

// The choices of an option; another value is refused with the list and the nearest choice.
void Choices(CLI::App& verb, const std::string& option, std::vector<std::string> names);

// Answers a command line that CLI11 did not take: prints help where that was asked for, else what
// is wrong with the nearest right word. Returns the exit code: 0 or 64.
int AnswerParseError(const CLI::App& app, const CLI::ParseError& error);

}  // namespace picket::cli
