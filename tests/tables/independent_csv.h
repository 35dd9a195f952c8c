#pragma once

#include <map>
#include <string>
#include <vector>

namespace picket {

// The rows of a CSV file, column → cell, by a reader that shares nothing with the one under test.
std::vector<std::map<std::string, std::string>> IndependentCsv(std::string text);

}  // namespace picket
