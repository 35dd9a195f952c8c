#include "agent/tables/local_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/external.h"
#include "base/files.h"
#include "base/text.h"

namespace picket::tables {

Result<kql::LocalFile> ReadLocalFile(const FileSettings& settings) {
  const std::string name = settings.path.string();
  Result<std::string> text =
      ReadFile(settings.path, std::min(settings.max_bytes, kql::kMostFileBytes));
  if (!text && text.error().kind == ErrorKind::kLimit) {
    return Fail({.kind = ErrorKind::kLimit,
                 .message = fmt::format("{} is larger than {} bytes", name, settings.max_bytes),
                 .hint = "Raise its 'max_size' (at most 64MiB), or shorten it."});
  }
  if (!text) {
    return Fail({.kind = text.error().kind,
                 .message = text.error().message,
                 .hint = "Put the file there, readable for who runs Picket, or correct its path."});
  }
  const std::string hash = settings.sha256.empty() ? std::string() : Sha256Hex(*text);
  if (hash != settings.sha256) {
    return Fail({.kind = ErrorKind::kRefused,
                 .message = fmt::format("{} is not the file that was pinned: its SHA-256 is {}",
                                        name, hash),
                 .hint = "Look at what changed in it; if it is good, write that 'sha256'."});
  }
  return kql::LocalFile{.name = name, .text = *std::move(text), .key = settings.key};
}

std::vector<std::pair<std::string, Error>> CheckLocalFiles(const LocalFiles& files) {
  std::vector<std::pair<std::string, Error>> wrong;
  for (const auto& [address, settings] : files.external) {
    auto file = ReadLocalFile(settings);
    if (!file) {
      wrong.emplace_back("externaldata " + kql::ShownAddress(address), std::move(file).error());
    }
  }
  for (const auto& [alias, settings] : files.watchlists) {
    const auto rows = ReadLocalFile(settings).and_then(
        [](const kql::LocalFile& file) { return kql::ReadWatchlist(file); });
    if (!rows) wrong.emplace_back("watchlist " + EscapeTerminal(alias), rows.error());
  }
  return wrong;
}

const FileSettings* FindExternal(const LocalFiles& files, std::string_view address) {
  auto found = files.external.find(address);
  if (found == files.external.end()) {
    found = files.external.find(address.substr(0, address.find_first_of("?;")));
  }
  return found == files.external.end() ? nullptr : &found->second;
}

}  // namespace picket::tables
