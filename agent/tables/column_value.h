#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/type.h"
#include "agent/tables/mapping.h"
#include "base/uuid.h"

namespace picket::tables {

// Where the members that a table's columns come from stand in one record. Filled in one pass over
// the record, asked once a column. Views into the record's JSON. One thread at a time.
class RecordMembers {
 public:
  explicit RecordMembers(const TableMapping& table);

  // Forgets the record before. The JSON must be one that the decoder accepted.
  void Read(std::string_view json);
  // The same, member by member, by who walks the record anyway.
  void Clear();
  void Put(std::string_view name, std::string_view value);  // the first of a name counts

  // The JSON at the path; nullopt when it is absent.
  [[nodiscard]] std::optional<std::string_view> At(std::string_view path) const;
  // The exported row of an imported record becomes the record that is asked. False: it is none.
  bool EnterRow();
  [[nodiscard]] bool in_row() const { return in_row_; }

 private:
  [[nodiscard]] std::size_t Place(std::string_view name) const;

  std::vector<std::string_view> names_;   // sorted: first members of paths, and columns' names
  std::vector<std::string_view> values_;  // parallel; data() == nullptr: absent
  bool in_row_ = false;
};

kql::Value ColumnValue(const TableMapping& table, const ColumnMapping& column,
                       const RecordMembers& record, const Guid& tenant);

}  // namespace picket::tables
