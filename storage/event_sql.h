#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "storage/event_store.h"

namespace picket::storage {

// The SQL of a stream's table. Names come from the mapping (our own data) and are checked.
std::string TableName(std::string_view stream);
std::string CreateTableSql(const StreamSchema& schema);
std::string InsertSql(const StreamSchema& schema);
std::string UpdateSql(const StreamSchema& schema);
std::string ScanSql(const StreamSchema& schema, const ScanSpec& spec);
// The keys of events that were added or changed after the seq ?1. An event's first seq is its key,
// so only changed ones need an index.
std::string NewerKeysSql(std::string_view stream);
// All of a stream's indexes; they keep their names when the table is renamed, so a rebuild drops
// them first.
std::string DropIndexesSql(std::string_view stream);
// A statement for each text column: the words that the table's rows hold in it.
std::vector<std::string> WordsUsedSql(const StreamSchema& schema);
// "name:type,…", to notice another mapping.
std::string ColumnList(const StreamSchema& schema);

// A GUID is stored as its 16 bytes, anything else as text; both keep their order. Bound as views:
// this and the text must live until the statement's next step or reset.
class StoredId {
 public:
  explicit StoredId(std::string_view id);
  void Bind(Statement& statement, int index) const;
  static std::string Read(const Statement& statement, int column);

 private:
  std::string_view text_;
  std::optional<Guid> guid_;
};

// For numbers; texts are bound by BindText (storage/words.h).
void BindNumber(Statement& statement, int index, const SqlValue& value);

}  // namespace picket::storage
