#include "agent/tables/record_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "agent/kql/json_view.h"
#include "agent/kql/lexer.h"
#include "agent/tables/column_value.h"
#include "base/text.h"
#include "base/time.h"

namespace picket::tables {
namespace {

using kql::JsonKind;
using kql::Type;
using kql::Value;

constexpr std::size_t kMaxIdBytes = 512;

// The text of a JSON string, in place when no escape stands in it.
std::string_view TextOf(std::string_view json, std::deque<std::string>& texts) {
  const std::string_view inside = json.substr(1, json.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside;
  return texts.emplace_back(kql::UnquoteJson(json));
}

storage::SqlValue ToSql(Value value, std::deque<std::string>& texts) {
  if (value.null) return std::monostate{};
  switch (value.type) {
    case Type::kReal:
      return value.real;
    case Type::kString:
    case Type::kGuid:
    case Type::kDynamic:
      // '' and NULL are the same in KQL; NULL takes no room.
      if (value.text.empty()) return std::monostate{};
      return std::string_view(texts.emplace_back(std::move(value.text)));
    default:
      return value.number;
  }
}

bool IsUnknown(std::string_view value) {
  switch (kql::KindOf(value)) {
    case JsonKind::kNull:
      return true;
    case JsonKind::kString:
      return value == "\"hidden\"" || value == "\"\"";
    case JsonKind::kObject: {
      bool unknown = true;
      kql::ForEachMember(value, [&](std::string_view, std::string_view member) {
        unknown = IsUnknown(member);
        return unknown;
      });
      return unknown;
    }
    default:
      return false;
  }
}

// Makes one storage record of the members that a walk found.
class RecordMaker {
 public:
  RecordMaker(const TableMapping& table, const Guid& tenant, std::deque<std::string>& texts)
      : table_(table), tenant_(tenant), members_(table), texts_(texts) {}

  RecordMembers& members() { return members_; }

  Result<storage::Record> Make(std::string_view json, std::uint64_t hash, Rank rank) {
    if (IsImportedRow(json)) {
      if (rank != Rank::kImport) return Bad("it has a member that only an import may bring");
      members_.EnterRow();
    }
    storage::Record record;
    record.json = json;
    record.hash = hash;
    record.rank = static_cast<int>(rank);
    PK_ASSIGN_OR_RETURN(record.id, Id(json));
    PK_ASSIGN_OR_RETURN(record.created, Time());
    record.updated = Updated(record.created);
    for (const ColumnMapping& column : table_.columns) {
      if (column.typed) record.values.push_back(ValueOf(column));
    }
    for (const MemberMapping& member : table_.members) record.values.push_back(ValueOf(member));
    return record;
  }

 private:
  static tl::unexpected<Error> Bad(std::string why) {
    return Fail({.kind = ErrorKind::kUnexpectedReply, .message = std::move(why)});
  }

  std::optional<std::string_view> Text(std::string_view member) {
    const auto json = members_.At(member);
    if (!json || kql::KindOf(*json) != JsonKind::kString) return std::nullopt;
    return TextOf(*json, texts_);
  }

  std::optional<Instant> TimeAt(std::string_view member) {
    const auto text = Text(member);
    const auto ticks = text ? kql::ParseDateTimeText(*text) : std::nullopt;
    return ticks ? std::optional(Instant{*ticks}) : std::nullopt;
  }

  Result<std::string_view> Id(std::string_view json) {
    const std::string_view member = members_.in_row() ? table_.id_column : table_.id_member;
    auto id = members_.in_row() ? Text(kImportedId) : std::nullopt;
    if (!id && !member.empty()) {
      id = Text(member);
    } else if (!id) {
      id = texts_.emplace_back(Sha256Hex(CanonicalJson(json)));
    }
    if (!id || id->empty()) return Bad("no id");
    if (id->size() > kMaxIdBytes) return Bad("an id longer than 512 bytes");
    return *id;
  }

  Result<Instant> Time() {
    if (members_.in_row()) {
      if (const auto beside = TimeAt(kImportedTime)) return *beside;
    }
    const std::string_view member = members_.in_row() ? "TimeGenerated" : table_.time_member;
    const auto time = TimeAt(member);
    if (!time) return Bad(fmt::format("no time in '{}'", member));
    return *time;
  }

  std::optional<Instant> Updated(Instant created) {
    if (table_.updated_member.empty()) return std::nullopt;
    if (members_.in_row()) return created;  // each exported row is a reading of its own time
    return TimeAt(table_.updated_member);
  }

  storage::SqlValue ValueOf(const ColumnMapping& column) {
    if (column.conversion == Conversion::kText && !members_.in_row()) {
      const auto json = members_.At(column);
      if (json && kql::KindOf(*json) == JsonKind::kString) return OrNull(TextOf(*json, texts_));
    }
    return ToSql(ColumnValue(table_, column, members_, tenant_), texts_);
  }

  storage::SqlValue ValueOf(const MemberMapping& member) {
    if (!members_.in_row()) {
      const auto json = members_.At(member);
      if (!json || kql::KindOf(*json) == JsonKind::kNull) return std::monostate{};
      if (kql::KindOf(*json) == JsonKind::kString) return OrNull(TextOf(*json, texts_));
    }
    return OrNull(texts_.emplace_back(MemberText(table_, member, members_)));
  }

  // '' and NULL are the same in KQL; NULL takes no room.
  static storage::SqlValue OrNull(std::string_view text) {
    if (text.empty()) return std::monostate{};
    return text;
  }

  const TableMapping& table_;
  const Guid& tenant_;
  RecordMembers members_;
  std::deque<std::string>& texts_;
};

storage::OwnedRecord Own(const storage::Record& record) {
  storage::OwnedRecord owned;
  owned.id = record.id;
  owned.json = record.json;
  owned.created = record.created;
  owned.updated = record.updated;
  owned.hash = record.hash;
  owned.rank = record.rank;
  for (const storage::SqlValue& value : record.values) {
    owned.values.push_back(std::visit(
        [](const auto& held) -> storage::OwnedValue {
          if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string_view>) {
            return std::string(held);
          } else {
            return held;
          }
        },
        value));
  }
  return owned;
}

class ObjectText {
 public:
  void Add(std::string_view name, std::string_view value) {
    text_ += text_.size() > 1 ? "," : "";
    text_ += kql::QuoteJson(name);
    text_ += ':';
    text_ += value;
  }
  std::string Take() { return std::move(text_) + "}"; }

 private:
  std::string text_ = "{";
};

// What a tenant without P2 is told instead of the kind of a risk event: less than a kind by name,
// and more than nothing.
bool IsGeneric(std::string_view value) {
  if (kql::KindOf(value) != JsonKind::kArray) return value == "\"generic\"";
  bool any = false;
  bool generic = true;
  kql::ForEachElement(value, [&](std::string_view element) {
    any = true;
    generic = element == "\"generic\"";
    return generic;
  });
  return any && generic;
}

bool NamesNothing(std::string_view value) {
  if (kql::KindOf(value) != JsonKind::kArray) return IsUnknown(value);
  bool any = false;
  kql::ForEachElement(value, [&](std::string_view) {
    any = true;
    return false;
  });
  return !any;
}

// Whether a reading of a member replaces what was known of it.
bool Replaces(std::string_view member, std::string_view value, std::string_view known) {
  if (IsUnknown(value)) return false;
  return !member.starts_with("riskEventType") || !IsGeneric(value) || NamesNothing(known);
}

// The new reading, with what the old one knows and it does not.
std::string Overlay(std::string_view stored, std::string_view read) {
  std::map<std::string, std::string_view, std::less<>> known;
  kql::ForEachMember(stored, [&](std::string_view name, std::string_view value) {
    known.emplace(name, value);
    return true;
  });
  ObjectText merged;
  kql::ForEachMember(read, [&](std::string_view name, std::string_view value) {
    const auto before = known.find(name);
    if (before == known.end()) {
      merged.Add(name, value);
    } else {
      merged.Add(name, Replaces(name, value, before->second) ? value : before->second);
      known.erase(before);
    }
    return true;
  });
  for (const auto& [name, value] : known) merged.Add(name, value);
  return merged.Take();
}

void AppendCanonical(std::string_view json, int depth, std::string& out) {
  const JsonKind kind = kql::KindOf(json);
  if (depth > kMaxRecordDepth || (kind != JsonKind::kObject && kind != JsonKind::kArray)) {
    out += kql::CompactJson(json).value_or("null");
  } else if (kind == JsonKind::kArray) {
    out += '[';
    const std::size_t begin = out.size();
    kql::ForEachElement(json, [&](std::string_view element) {
      if (out.size() > begin) out += ',';
      AppendCanonical(element, depth + 1, out);
      return true;
    });
    out += ']';
  } else {
    std::vector<std::pair<std::string, std::string_view>> members;
    kql::ForEachMember(json, [&](std::string_view name, std::string_view value) {
      members.emplace_back(name, value);
      return true;
    });
    std::sort(members.begin(), members.end());
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      out += (i > 0 ? "," : "") + kql::QuoteJson(members[i].first) + ":";
      AppendCanonical(members[i].second, depth + 1, out);
    }
    out += '}';
  }
}

}  // namespace

std::string CanonicalJson(std::string_view json) {
  const auto compact = kql::CompactJson(json);
  std::string out;
  if (compact) AppendCanonical(*compact, 0, out);
  return out;
}

RecordDecoder::RecordDecoder(std::string_view stream, const Guid& tenant)
    : table_(*[&] {
        const TableMapping* table = TableOfStream(stream);
        PK_CHECK(table != nullptr, "a decoder for a stream that the mapping does not have");
        return table;
      }()),
      tenant_(tenant) {}

Result<DecodedPage> RecordDecoder::Decode(std::string_view records, Rank rank) const {
  DecodedPage page;
  const auto body = std::make_shared<const std::string>(records);
  page.body = body;
  std::size_t index = 0;
  RecordMaker maker(table_, tenant_, page.texts);
  const auto reject = [&](std::string_view why) {
    page.rejected.push_back({index++, std::string(why)});
  };
  const RecordWalker::Visitor visitor{
      .begin = [&] { maker.members().Clear(); },
      .member = [&](std::string_view name,
                    std::string_view value) { maker.members().Put(name, value); },
      .end =
          [&](std::string_view json, std::uint64_t hash) {
            Result<storage::Record> record = maker.Make(json, hash, rank);
            if (!record) return reject(record.error().message);
            page.records.push_back(*std::move(record));
            ++index;
          },
      .reject = reject};
  RecordWalker walker;
  PK_RETURN_IF_ERROR(walker.Walk(*body, visitor));
  return page;
}

Result<storage::OwnedRecord> RecordDecoder::DecodeOwned(std::string_view json, Rank rank) const {
  PK_ASSIGN_OR_RETURN(const DecodedPage page, Decode(json, rank));
  if (page.records.size() != 1 || !page.rejected.empty()) {
    return Fail(
        {.kind = ErrorKind::kUnexpectedReply,
         .message = page.rejected.empty() ? "not one record" : page.rejected.front().reason});
  }
  return Own(page.records.front());
}

Result<storage::OwnedRecord> RecordDecoder::Merge(std::string_view stored,
                                                  const storage::Record& read) const {
  const auto rank = static_cast<Rank>(read.rank);
  const bool stored_row = IsImportedRow(stored);
  if (IsImportedRow(read.json)) {
    if (stored_row) return MergeRows(stored, read);
    return DecodeOwned(stored, Rank::kImport);  // the source's own record tells more
  }
  return DecodeOwned(stored_row ? OverRow(stored, read.json) : Overlay(stored, read.json), rank);
}

Result<storage::OwnedRecord> RecordDecoder::MergeRows(std::string_view stored,
                                                      const storage::Record& read) const {
  PK_ASSIGN_OR_RETURN(storage::OwnedRecord known, DecodeOwned(stored, Rank::kImport));
  if (read.created < known.created) return known;
  return Own(read);
}

// The mapping's other direction: what the record hides, and a row's column of the same text tells.
std::string RecordDecoder::OverRow(std::string_view stored, std::string_view read) const {
  const auto row = kql::JsonMember(stored, kImportedRow);
  PK_CHECK(row.has_value(), "a stored row has its member");
  ObjectText known;
  std::set<std::string_view> told;
  for (const ColumnMapping& column : table_.columns) {
    if (column.conversion != Conversion::kText || column.path.find('/') != std::string_view::npos) {
      continue;
    }
    const auto cell = kql::JsonMember(*row, column.name);
    const auto value = kql::JsonMember(read, column.path);
    if (!cell || IsUnknown(*cell) || kql::KindOf(*cell) != JsonKind::kString) continue;
    if (value && *value == "\"hidden\"" && told.insert(column.path).second) {
      known.Add(column.path, *cell);
    }
  }
  return Overlay(known.Take(), read);
}

storage::EventStore::ValuesOf ValuesOf(const Guid& tenant) {
  return [tenant](std::string_view stream, std::string_view json) {
    const Rank rank = IsImportedRow(json) ? Rank::kImport : Rank::kV1;
    return RecordDecoder(stream, tenant).DecodeOwned(json, rank);
  };
}

}  // namespace picket::tables
