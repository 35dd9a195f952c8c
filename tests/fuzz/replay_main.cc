// Replays a corpus through a fuzz target without libFuzzer, so that every build runs it. Each input
// is also tried cut short at a few places and with a byte flipped.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void Try(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void TryWithDamage(const std::string& input) {
  Try(input);
  for (std::size_t part = 1; part < 16; ++part) Try(input.substr(0, input.size() * part / 16));
  for (std::size_t i = 0; i < input.size(); i += 1 + input.size() / 64) {
    std::string damaged = input;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x5A);
    Try(damaged);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    TryWithDamage({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
    ++inputs;
  }
  std::printf("%zu inputs replayed\n", inputs);
  return inputs == 0 ? 1 : 0;  // an empty corpus proves nothing
}
