#include "storage/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "storage/event_sql.h"

namespace picket::storage {
namespace {

constexpr std::size_t kShort = 4;           // not worth an id
constexpr std::size_t kLong = 512;          // not worth an index entry
constexpr std::size_t kRemembered = 16384;  // with their texts about 1.5 MB
constexpr std::uint32_t kJudgedAfter = 1024;
constexpr std::uint32_t kWorthwhile = 64;  // one in so many comes again
constexpr std::uint32_t kForgottenAfter = 8192;
constexpr std::uint32_t kProbe = 16;  // of a hopeless column, one in so many is tried
constexpr std::int64_t kSweepFrom = 10'000;
constexpr std::int64_t kDeletedAtOnce = 1000;

// 16: no digit. A table, since the digits of GUIDs are random and branches on them are slow.
constexpr std::array<std::uint8_t, 256> kNibbles = [] {
  std::array<std::uint8_t, 256> nibbles{};
  nibbles.fill(16);
  for (std::uint8_t i = 0; i < 10; ++i) nibbles[static_cast<std::size_t>('0' + i)] = i;
  for (std::uint8_t i = 10; i < 16; ++i) nibbles[static_cast<std::size_t>('a' + i - 10)] = i;
  return nibbles;
}();

unsigned NibbleOf(char c) { return kNibbles[static_cast<unsigned char>(c)]; }

StoredText Plain(std::string_view text) {
  return {.word = 0, .guid = ParseLowerGuid(text), .text = text};
}

}  // namespace

std::optional<Guid> ParseLowerGuid(std::string_view text) {
  if (text.size() != kGuidText) return std::nullopt;
  Guid guid;
  std::size_t at = 0;
  unsigned wrong = 0;
  for (std::uint8_t& byte : guid.bytes) {
    if (at == 8 || at == 13 || at == 18 || at == 23) wrong |= text[at++] == '-' ? 0U : 1U;
    const unsigned high = NibbleOf(text[at++]);
    const unsigned low = NibbleOf(text[at++]);
    wrong |= (high | low) >> 4U;
    byte = static_cast<std::uint8_t>(high << 4U | low);
  }
  return wrong == 0 ? std::optional<Guid>(guid) : std::nullopt;
}

void FormatGuid(std::string_view bytes, std::array<char, kGuidText>& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16 && i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text[at++] = kDigits[byte >> 4U];
    text[at++] = kDigits[byte & 0xFU];
  }
}

void BindText(Statement& statement, int index, const StoredText& stored) {
  if (stored.word != 0) {
    statement.Bind(index, stored.word);
  } else if (stored.guid) {
    statement.BindBlob(index, {reinterpret_cast<const char*>(stored.guid->bytes.data()),
                               stored.guid->bytes.size()});
  } else {
    statement.Bind(index, stored.text);
  }
}

void BindTextCopy(Statement& statement, int index, const StoredText& stored) {
  if (stored.word != 0) {
    statement.Bind(index, stored.word);
  } else if (stored.guid) {
    statement.BindBlobCopy(index, {reinterpret_cast<const char*>(stored.guid->bytes.data()),
                                   stored.guid->bytes.size()});
  } else {
    statement.BindCopy(index, stored.text);
  }
}

Result<std::string_view> WordCache::Read(Database& database, std::int64_t word) {
  const auto found = texts_.find(word);
  if (found != texts_.end()) return std::string_view(found->second);
  PK_ASSIGN_OR_RETURN(Statement select, database.Prepare("SELECT text FROM word WHERE id=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, word).Step());
  if (!row) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = database.path().string() + ": a text is missing",
                 .hint = "Run 'picket db check'; move the tenant's file aside if it stays."});
  }
  const std::string_view text = texts_.emplace(word, select.Text(0)).first->second;
  if (word >= 0 && word < kLow) {
    const auto place = static_cast<std::size_t>(word);
    if (place >= low_.size()) low_.resize(std::min<std::size_t>(2 * place + 64, kLow));
    low_[place] = text;
  }
  return text;
}

const std::shared_ptr<WordCache>& Words::Cache() {
  if (!cache_ || cache_->Full() || rollbacks_ != database_.Rollbacks()) Forget();
  if (!cache_) cache_ = std::make_shared<WordCache>();
  return cache_;
}

void Words::Forget() {
  remembered_ = {};
  cache_.reset();
  rollbacks_ = database_.Rollbacks();
}

Result<std::int64_t> Words::Find(std::string_view text) {
  PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare("SELECT id FROM word WHERE text=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, text).Step());
  return row ? select.Int(0) : 0;
}

Result<std::int64_t> Words::Make(std::string_view text) {
  PK_ASSIGN_OR_RETURN(Statement insert, database_.Prepare("INSERT INTO word(text) VALUES(?)"));
  PK_RETURN_IF_ERROR(insert.Bind(1, text).Run());
  return database_.LastInsertId();
}

// A text has two places, and a new one may drive out an old one: an author of events can make us
// forget, but never search long.
Words::Remembered& Words::PlaceOf(std::string_view text) {
  if (remembered_.empty()) remembered_.resize(kRemembered);
  const std::size_t hash = std::hash<std::string_view>{}(text);
  Remembered& first = remembered_[hash % kRemembered];
  if (first.text == text) return first;
  Remembered& second = remembered_[(hash >> 32U) % kRemembered];
  return second.text == text || !first.text.empty() ? second : first;
}

Result<StoredText> Words::ForWriting(Usage& usage, std::string_view text) {
  if (text.size() <= kShort || text.size() > kLong) return Plain(text);
  if (rollbacks_ != database_.Rollbacks()) Forget();  // ids that were taken back
  ++usage.seen;
  if (usage.seen >= kForgottenAfter) usage = {usage.seen / 2, usage.again / 2};
  const bool hopeless = usage.seen >= kJudgedAfter && usage.again < usage.seen / kWorthwhile;
  if (hopeless && usage.seen % kProbe != 0) return Plain(text);

  Remembered& place = PlaceOf(text);
  if (place.text != text) {
    PK_ASSIGN_OR_RETURN(const std::int64_t word, Find(text));
    place.text = text;
    place.word = word;
    if (word == 0) return Plain(text);
  } else if (place.word == 0) {
    PK_ASSIGN_OR_RETURN(place.word, Make(text));
  }
  ++usage.again;
  return StoredText{.word = place.word, .guid = {}, .text = text};
}

Result<Words::Forms> Words::ForSearching(std::string_view text) {
  Forms forms{.word = 0, .other = Plain(text)};
  if (text.size() <= kShort || text.size() > kLong) return forms;
  PK_ASSIGN_OR_RETURN(forms.word, Find(text));
  return forms;
}

Status Words::Sweep(const std::vector<StreamSchema>& schemas) {
  PK_ASSIGN_OR_RETURN(const std::int64_t words, database_.QueryInt("SELECT count(*) FROM word"));
  PK_ASSIGN_OR_RETURN(const std::int64_t kept,
                      database_.QueryInt("SELECT value FROM counter WHERE name='words_kept'"));
  // To look through all events pays only when there may be much to delete.
  if (words < 2 * kept + kSweepFrom) return {};
  PK_RETURN_IF_ERROR(DeleteUnused(schemas));
  PK_ASSIGN_OR_RETURN(const std::int64_t left, database_.QueryInt("SELECT count(*) FROM word"));
  PK_ASSIGN_OR_RETURN(Statement note,
                      database_.Prepare("UPDATE counter SET value=? WHERE name='words_kept'"));
  return note.Bind(1, left).Run();
}

Status Words::DeleteUnused(const std::vector<StreamSchema>& schemas) {
  std::unordered_set<std::int64_t> used;
  for (const StreamSchema& schema : schemas) {
    for (const std::string& sql : WordsUsedSql(schema)) {
      PK_ASSIGN_OR_RETURN(Statement select, database_.PrepareOnce(sql));
      while (true) {
        PK_ASSIGN_OR_RETURN(const bool row, select.Step());
        if (!row) break;
        used.insert(select.Int(0));
      }
    }
  }
  std::vector<std::int64_t> unused;
  {
    PK_ASSIGN_OR_RETURN(Statement select, database_.PrepareOnce("SELECT id FROM word"));
    while (true) {
      PK_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (!row) break;
      if (!used.contains(select.Int(0))) unused.push_back(select.Int(0));
    }
  }
  Forget();
  for (std::size_t at = 0; at < unused.size();) {
    PK_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
    {
      PK_ASSIGN_OR_RETURN(Statement remove, database_.Prepare("DELETE FROM word WHERE id=?"));
      for (std::int64_t n = 0; n < kDeletedAtOnce && at < unused.size(); ++n, ++at) {
        PK_RETURN_IF_ERROR(remove.Bind(1, unused[at]).Run());
      }
    }
    PK_RETURN_IF_ERROR(transaction.Commit());
  }
  return {};
}

}  // namespace picket::storage
