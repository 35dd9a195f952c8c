#pragma once

#include "agent/config/toml_table.h"
#include "agent/tables/local_files.h"

namespace picket::config {

// [externaldata] and [watchlist]: the files that rules read. Whether they are there is not looked
// at: only the rules that need one fail without it.
void ReadLocalFiles(TomlTable& root, tables::LocalFiles& files);

}  // namespace picket::config
