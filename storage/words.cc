#include "storage/words.h"

#include <fmt/format.h>

#include <unordered_set>

#include "storage/event_sql.h"

namespace picket::storage {
namespace {

constexpr std::size_t kShort = 4;        // not worth an id
constexpr std::size_t kLong = 512;       // not worth an index entry
constexpr std::size_t kMostSeen = 8192;  // about 1 MB
constexpr std::uint32_t kJudgedAfter = 1024;
constexpr std::uint32_t kWorthwhile = 64;  // one in so many comes again
constexpr std::uint32_t kForgottenAfter = 8192;
constexpr std::uint32_t kProbe = 16;  // of a hopeless column, one in so many is tried
constexpr std::int64_t kSweepFrom = 10'000;
constexpr std::int64_t kDeletedAtOnce = 1000;

std::optional<Guid> LowerGuid(std::string_view text) {
  if (text.size() != 36 || text[8] != '-') return std::nullopt;
  for (const char c : text) {
    if (c >= 'A' && c <= 'F') return std::nullopt;
  }
  const Result<Guid> guid = ParseGuid(text);
  return guid ? std::optional<Guid>(*guid) : std::nullopt;
}

StoredText Plain(std::string_view text) {
  return {.word = 0, .guid = LowerGuid(text), .text = text};
}

}  // namespace

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

Result<std::string_view> WordCache::Text(Database& database, std::int64_t word) {
  const auto found = texts_.find(word);
  if (found != texts_.end()) return std::string_view(found->second);
  PK_ASSIGN_OR_RETURN(Statement select, database.Prepare("SELECT text FROM word WHERE id=?"));
  PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, word).Step());
  if (!row) {
    return Fail({.kind = ErrorKind::kStorage,
                 .message = database.path().string() + ": a text is missing",
                 .hint = "Run 'picket db check'; move the tenant's file aside if it stays."});
  }
  return std::string_view(texts_.emplace(word, select.Text(0)).first->second);
}

const std::shared_ptr<WordCache>& Words::Cache() {
  if (!cache_ || cache_->Full() || rollbacks_ != database_.Rollbacks()) Forget();
  if (!cache_) cache_ = std::make_shared<WordCache>();
  return cache_;
}

void Words::Forget() {
  seen_.clear();
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

Result<StoredText> Words::ForWriting(std::string_view column, std::string_view text) {
  if (text.size() <= kShort || text.size() > kLong) return Plain(text);
  if (rollbacks_ != database_.Rollbacks()) Forget();  // ids that were taken back
  auto use = usage_.find(column);
  if (use == usage_.end()) use = usage_.emplace(std::string(column), Usage{}).first;
  Usage& usage = use->second;
  ++usage.seen;
  if (usage.seen >= kForgottenAfter) usage = {usage.seen / 2, usage.again / 2};
  const bool hopeless = usage.seen >= kJudgedAfter && usage.again < usage.seen / kWorthwhile;
  if (hopeless && usage.seen % kProbe != 0) return Plain(text);

  auto known = seen_.find(text);
  if (known == seen_.end()) {
    if (seen_.size() >= kMostSeen) seen_.clear();
    PK_ASSIGN_OR_RETURN(const std::int64_t word, Find(text));
    seen_.emplace(std::string(text), word);
    if (word == 0) return Plain(text);
    ++usage.again;
    return StoredText{.word = word, .guid = {}, .text = text};
  }
  ++usage.again;
  if (known->second == 0) {
    PK_ASSIGN_OR_RETURN(known->second, Make(text));
  }
  return StoredText{.word = known->second, .guid = {}, .text = text};
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
