#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace picket {

// Looks for secrets where they must not be: whole, in parts of 32 characters and more, and as URLs
// and base64 carry them.
class LeakCheck {
 public:
  // `name` is what a failure calls it. Of a JWT the header, which is the same for all, is left out.
  void Add(const std::string& name, const std::string& secret);

  // The name of a secret that is in the text; "" for none.
  [[nodiscard]] std::string FoundIn(std::string_view text) const;
  // "FILE: NAME" for each file below the folder that holds one: in its bytes as they are (SQLite's
  // WAL and free pages with them), and in what its tables hold once frames are unpacked.
  [[nodiscard]] std::vector<std::string> FoundBelow(const std::filesystem::path& folder) const;

 private:
  void AddPart(const std::string& name, std::string part);
  [[nodiscard]] std::string FoundInTables(const std::filesystem::path& file) const;

  static constexpr std::size_t kPart = 16;
  std::unordered_map<std::string, std::string> parts_;  // of kPart characters → name
  std::unordered_set<std::uint64_t> beginnings_;        // of parts, to look fast
};

}  // namespace picket
