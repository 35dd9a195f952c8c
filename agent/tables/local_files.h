#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/table_source.h"
#include "base/result.h"

namespace picket::tables {

// Files on this machine that rules read: nothing is fetched. A file is read when the rules are
// loaded; what changes in it counts from then on.
struct FileSettings {
  std::filesystem::path path;
  std::string sha256;  // lower-case hex that the content must have; "": any
  std::size_t max_bytes = std::size_t{16} << 20;
  std::string key;  // of a watchlist: the column that SearchKey repeats; "": the first
};

struct LocalFiles {
  std::map<std::string, FileSettings, std::less<>> external;    // by the address of externaldata
  std::map<std::string, FileSettings, std::less<>> watchlists;  // by the alias of _GetWatchlist
};

// The content, if it is what the settings say. Errors name the file and what to do: kNotFound,
// kStorage, kLimit; kRefused when it is not the content that was pinned.
Result<kql::LocalFile> ReadLocalFile(const FileSettings& settings);

// Of all files those that no rule could read, by the settings' name of them.
std::vector<std::pair<std::string, Error>> CheckLocalFiles(const LocalFiles& files);

// The file that stands for the address: by all of it, or by what stands before its query (`?…`) or
// key (`;…`), which nobody has to write into a config. nullptr: none.
const FileSettings* FindExternal(const LocalFiles& files, std::string_view address);

}  // namespace picket::tables
