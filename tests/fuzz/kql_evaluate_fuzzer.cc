// The bytes choose a valid query over small tables; the engine's answer is the oracle's.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/kql/oracle/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::kql;
  oracle::Dice dice(std::span(data, size));
  const oracle::Case made = oracle::MakeCase(dice);
  if (const auto difference = oracle::Disagreement(made, dice)) {
    std::fprintf(stderr, "%s\n", difference->c_str());
    std::abort();
  }
  return 0;
}
