#include "agent/tables/record_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "agent/kql/json_view.h"
#include "agent/kql/lexer.h"
#include "base/text.h"
#include "base/time.h"

namespace picket::tables {
namespace {

using kql::JsonKind;
using kql::Type;
using kql::Value;

Error Rejected(std::string reason) {
  return {.kind = ErrorKind::kUnexpectedReply, .message = std::move(reason)};
}

// The canonical form: members in order of name, volatile ones left out, values compact. Its
// SHA-256, cut to 64 bits: an event's author cannot make two readings look alike.
std::uint64_t CanonicalHash(std::string_view compact) {
  std::vector<std::pair<std::string, std::string_view>> members;
  kql::ForEachMember(compact, [&](std::string_view name, std::string_view value) {
    if (!IsVolatile(name)) members.emplace_back(std::string(name), value);
    return true;
  });
  std::sort(members.begin(), members.end());
  std::string canonical;
  canonical.reserve(compact.size());
  for (const auto& [name, value] : members) {
    canonical += kql::QuoteJson(name);
    canonical += ':';
    canonical += value;
    canonical += ',';
  }
  const std::string hex = Sha256Hex(canonical).substr(0, 16);
  std::uint64_t hash = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), hash, 16);
  return hash;
}

std::optional<std::string_view> PlainText(std::string_view json, std::string_view member,
                                          std::deque<std::string>& texts) {
  const auto value = kql::JsonMember(json, member);
  if (!value || kql::KindOf(*value) != JsonKind::kString) return std::nullopt;
  return texts.emplace_back(kql::UnquoteJson(*value));
}

storage::SqlValue ToSql(Value value, std::deque<std::string>& texts) {
  if (value.null) return std::monostate{};
  switch (value.type) {
    case Type::kReal:
      return value.real;
    case Type::kString:
    case Type::kGuid:
    case Type::kDynamic:
      return std::string_view(texts.emplace_back(std::move(value.text)));
    default:
      return value.number;
  }
}

bool IsHidden(std::string_view value) {
  return kql::KindOf(value) == JsonKind::kNull || value == "\"hidden\"";
}

}  // namespace

RecordDecoder::RecordDecoder(std::string_view stream, const Guid& tenant)
    : table_(*[&] {
        const TableMapping* table = TableOfStream(stream);
        PK_CHECK(table != nullptr, "a decoder for a stream that the mapping does not have");
        return table;
      }()),
      tenant_(tenant) {}

Result<storage::Record> RecordDecoder::DecodeOne(std::string_view json, Rank rank,
                                                 std::deque<std::string>& texts) const {
  if (json.size() > kMaxRecordBytes) return Fail(Rejected("larger than 1 MiB"));
  if (!IsValidUtf8(json)) return Fail(Rejected("not UTF-8"));
  auto compact = kql::CompactJson(json);
  if (!compact || compact->front() != '{') {
    return Fail(Rejected("no JSON object, or nested too deep"));
  }
  const std::string_view record = texts.emplace_back(*std::move(compact));
  const bool imported = record.substr(0, kImportedRow.size() + 3) == "{\"@picket.row\"";
  const auto row = imported ? kql::JsonMember(record, kImportedRow) : std::nullopt;

  storage::Record decoded;
  decoded.json = record;
  decoded.rank = static_cast<int>(rank);
  const auto id = row ? PlainText(*row, "Id", texts) : PlainText(record, "id", texts);
  if (!id || id->empty() || id->size() > 512) return Fail(Rejected("no id"));
  decoded.id = *id;
  const auto time = row ? PlainText(*row, "TimeGenerated", texts)
                        : PlainText(record, table_.time_member, texts);
  const auto created = time ? kql::ParseDateTimeText(*time) : std::nullopt;
  if (!created) {
    return Fail(Rejected(fmt::format("no time in '{}'",
                                     row ? "TimeGenerated" : table_.time_member)));
  }
  decoded.created = Instant{*created};
  if (!table_.updated_member.empty() && !row) {
    const auto updated = PlainText(record, table_.updated_member, texts);
    const auto ticks = updated ? kql::ParseDateTimeText(*updated) : std::nullopt;
    if (ticks) decoded.updated = Instant{*ticks};
  }
  decoded.hash = CanonicalHash(record);
  for (const ColumnMapping& column : table_.columns) {
    if (column.typed) {
      decoded.values.push_back(ToSql(ColumnValue(table_, column, record, tenant_), texts));
    }
  }
  return decoded;
}

Result<storage::OwnedRecord> RecordDecoder::DecodeOwned(std::string json, Rank rank) const {
  std::deque<std::string> texts;
  PK_ASSIGN_OR_RETURN(const storage::Record record, DecodeOne(json, rank, texts));
  storage::OwnedRecord owned;
  owned.id = record.id;
  owned.json = record.json;
  owned.created = record.created;
  owned.updated = record.updated;
  owned.hash = record.hash;
  owned.rank = record.rank;
  for (const storage::SqlValue& value : record.values) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      owned.values.emplace_back(std::string(*text));
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      owned.values.emplace_back(*number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      owned.values.emplace_back(*real);
    } else {
      owned.values.emplace_back(std::monostate{});
    }
  }
  return owned;
}

Result<DecodedPage> RecordDecoder::Decode(std::string_view records, Rank rank) const {
  DecodedPage page;
  std::size_t index = 0;
  const auto take = [&](std::string_view json) {
    Result<storage::Record> record = DecodeOne(json, rank, page.texts);
    if (record) {
      page.records.push_back(*std::move(record));
    } else {
      page.rejected.push_back({index, record.error().message});
    }
    ++index;
    return true;
  };
  const JsonKind kind = kql::KindOf(records);
  if (kind == JsonKind::kObject) {
    take(records);
  } else if (kind == JsonKind::kArray) {
    kql::ForEachElement(records, take);
  } else {
    return Fail(Rejected("the page has no list of records"));
  }
  return page;
}

Result<storage::OwnedRecord> RecordDecoder::Merge(std::string_view stored,
                                                  const storage::Record& read) const {
  const bool stored_is_import = stored.substr(0, kImportedRow.size() + 3) == "{\"@picket.row\"";
  if (stored_is_import) {
    return DecodeOwned(std::string(read.json), static_cast<Rank>(read.rank));
  }
  std::map<std::string, std::string_view> kept;
  kql::ForEachMember(stored, [&](std::string_view name, std::string_view value) {
    kept.emplace(std::string(name), value);
    return true;
  });
  std::string merged = "{";
  const auto add = [&](std::string_view name, std::string_view value) {
    merged += (merged.size() > 1 ? "," : "") + kql::QuoteJson(name) + ":" + std::string(value);
  };
  kql::ForEachMember(read.json, [&](std::string_view name, std::string_view value) {
    const auto known = kept.find(std::string(name));
    if (known == kept.end()) {
      add(name, value);
    } else {
      add(name, IsHidden(value) ? known->second : value);
      kept.erase(known);
    }
    return true;
  });
  for (const auto& [name, value] : kept) add(name, value);
  return DecodeOwned(merged + "}", static_cast<Rank>(read.rank));
}

}  // namespace picket::tables
