#include "agent/config/local_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/external.h"
#include "base/text.h"

namespace picket::config {
namespace {

constexpr const char* kHowToHash =
    "'sha256sum FILE' prints it; look at the file before you pin it.";

// Empty, after a problem, for what is no hash.
std::string Hash(TomlTable& t, bool required) {
  std::string hash = AsciiLower(t.Text("sha256"));
  if (hash.empty()) {
    if (required) t.Complain("sha256", "'sha256' is missing: a file is pinned", kHowToHash);
    return {};
  }
  const bool hex = hash.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (hex && hash.size() == 64) return hash;
  t.Complain("sha256", "'sha256' must be 64 hexadecimal digits", kHowToHash);
  return {};
}

tables::FileSettings File(TomlTable& t, bool pinned) {
  tables::FileSettings file;
  if (!t.RequiredText("file").empty()) file.path = t.Path("file");
  file.sha256 = Hash(t, pinned);
  file.max_bytes = t.Bytes("max_size", file.max_bytes);
  if (file.max_bytes == 0 || file.max_bytes > kql::kMostFileBytes) {
    t.Complain("max_size", "'max_size' must be from 1B to 64MiB", "");
  }
  return file;
}

}  // namespace

void ReadLocalFiles(TomlTable& root, tables::LocalFiles& files) {
  root.Table("externaldata", [&](TomlTable& t) {
    for (const std::string& address : t.Names()) {
      t.Table(address,
              [&](TomlTable& one) { files.external[address] = File(one, /*pinned=*/true); });
    }
  });
  root.Table("watchlist", [&](TomlTable& t) {
    for (const std::string& alias : t.Names()) {
      t.Table(alias, [&](TomlTable& one) {
        tables::FileSettings& file = files.watchlists[alias] = File(one, /*pinned=*/false);
        file.key = one.Text("key");
      });
    }
  });
}

}  // namespace picket::config
