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
  // The same of a column of the table, which costs no search.
  [[nodiscard]] std::optional<std::string_view> At(const ColumnMapping& column) const;
  [[nodiscard]] std::optional<std::string_view> At(const MemberMapping& member) const;
  // The exported row of an imported record becomes the record that is asked. False: it is none.
  bool EnterRow();
  [[nodiscard]] bool in_row() const { return in_row_; }

 private:
  // Where a column's value stands: a member of the record, or a member of that one; `rest` of the
  // path is searched below it.
  struct Place {
    std::size_t member = 0;
    std::optional<std::size_t> inner;
    std::string_view rest;
  };
  // A wanted member of a member. Read when the first of its siblings is asked for.
  struct Inner {
    std::string_view name;
    std::string_view value;
  };
  struct Member {
    std::string_view name;
    std::string_view value;  // data() == nullptr: absent
    mutable bool opened = false;
    mutable std::vector<Inner> inners;
  };

  [[nodiscard]] std::size_t PlaceOf(std::string_view name) const;
  [[nodiscard]] Place PlaceOfPath(std::string_view path);
  [[nodiscard]] std::optional<std::string_view> At(const Place& place) const;
  void Open(const Member& member) const;

  const TableMapping& table_;
  std::vector<Member> members_;  // sorted by name: first members of paths, and columns' names
  std::vector<Place> columns_;   // in the table's order; of those with a path
  std::vector<Place> mapped_;    // of the table's mapped members
  // Records of one stream have their members in one order: the last one's tells where to look.
  struct Seen {
    std::string name;
    std::size_t place = 0;
  };
  std::vector<Seen> order_;
  std::size_t next_ = 0;
  bool in_row_ = false;
};

kql::Value ColumnValue(const TableMapping& table, const ColumnMapping& column,
                       const RecordMembers& record, const Guid& tenant);

// What tostring() gives of the member of the column's value: '' when there is none.
std::string MemberText(const TableMapping& table, const MemberMapping& member,
                       const RecordMembers& record);

}  // namespace picket::tables
