// picket.toml as bytes: every text is either settings or problems, and no problem repeats a secret.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)picket::config::Parse(text, "fuzz.toml");
  return 0;
}
