#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"

namespace picket::storage {

// What to do with parts of a data folder that others may read.
enum class Lax : std::uint8_t { kTighten, kList };

// Makes the data folder (0700) if it is missing, and takes away what other users may read of it and
// of Picket's files in it: what an earlier umask, a `mkdir` or a restored backup left. Returns what
// was (kList: would be) changed. Call it before any database of the folder is open.
//
// kStorage: the folder is another user's or may be written by others (see EnsurePrivateDirectory),
// holds other things than Picket's and can be read by others, or its volume keeps no modes. Files
// that others own or may write are not touched here: each is refused when it is opened.
Result<std::vector<std::filesystem::path>> SecureDataFolder(const std::filesystem::path& data_dir,
                                                            Lax lax);

}  // namespace picket::storage
