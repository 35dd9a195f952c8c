#include "tests/cli/leak_check.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/http.h"
#include "base/text.h"
#include "storage/frame.h"

namespace picket {
namespace {

namespace fs = std::filesystem;

std::uint64_t BeginningOf(const char* text) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

std::string BytesOf(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Closer>;
using Rows = std::unique_ptr<sqlite3_stmt, Closer>;

// Whatever its schema is, and with what stands in its WAL only.
Database Open(const fs::path& file) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  return Database(database);
}

Rows Select(const Database& database, const std::string& sql) {
  sqlite3_stmt* rows = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database.get(), sql.c_str(), -1, &rows, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database.get());
  return Rows(rows);
}

std::string_view BytesOf(const Rows& rows, int column) {
  const void* bytes = sqlite3_column_blob(rows.get(), column);
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(rows.get(), column))};
}

}  // namespace

void LeakCheck::Add(const std::string& name, const std::string& secret) {
  const auto dots = std::count(secret.begin(), secret.end(), '.');
  const std::string telling =
      dots == 2 && secret.starts_with("eyJ") ? secret.substr(secret.find('.') + 1) : secret;
  for (const std::string& form :
       {telling, PercentEncode(telling), Base64UrlEncode(telling), Base64UrlEncode("x" + telling),
        Base64UrlEncode("xx" + telling)}) {
    // The first and last characters of base64 hang on what stands beside.
    const std::size_t margin = form.size() > kPart + 4 ? 2 : 0;
    for (std::size_t at = margin; at + kPart <= form.size() - margin; at += kPart) {
      parts_.emplace(form.substr(at, kPart), name);
    }
  }
  for (const auto& [part, of] : parts_) beginnings_.insert(BeginningOf(part.data()));
}

std::string LeakCheck::FoundIn(std::string_view text) const {
  for (std::size_t at = 0; at + kPart <= text.size(); ++at) {
    if (!beginnings_.contains(BeginningOf(text.data() + at))) continue;
    const auto found = parts_.find(std::string(text.substr(at, kPart)));
    if (found != parts_.end()) return found->second;
  }
  return {};
}

std::vector<std::string> LeakCheck::FoundBelow(const fs::path& folder) const {
  std::vector<std::string> found;
  const auto note = [&](const fs::path& file, const std::string& name) {
    if (!name.empty()) found.push_back(file.string() + ": " + name);
  };
  std::vector<fs::path> databases;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    note(entry.path(), FoundIn(BytesOf(entry.path())));
    if (entry.path().extension() == ".db") databases.push_back(entry.path());
  }
  // Only now: opening them tidies their WAL away.
  for (const fs::path& file : databases) note(file, FoundInTables(file));
  return found;
}

std::string LeakCheck::FoundInTables(const fs::path& file) const {
  const Database database = Open(file);
  std::vector<std::string> tables;
  const Rows names = Select(database, "SELECT name FROM sqlite_master WHERE type = 'table'");
  while (sqlite3_step(names.get()) == SQLITE_ROW) tables.emplace_back(BytesOf(names, 0));
  EXPECT_FALSE(tables.empty()) << file;
  for (const std::string& table : tables) {
    const Rows rows = Select(database, "SELECT * FROM \"" + table + "\"");
    while (sqlite3_step(rows.get()) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(rows.get()); ++i) {
        const std::string_view bytes = BytesOf(rows, i);
        if (std::string name = FoundIn(bytes); !name.empty()) return name;
        const auto frame = storage::UnpackedFrame::From(bytes);
        for (std::size_t place = 0; frame && place < frame->size(); ++place) {
          if (std::string name = FoundIn(frame->Record(place)); !name.empty()) return name;
        }
      }
    }
  }
  return {};
}

}  // namespace picket
