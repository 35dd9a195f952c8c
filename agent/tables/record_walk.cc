#include "agent/tables/record_walk.h"

#include <cctype>
#include <optional>

#include "agent/kql/json_view.h"
#include "agent/tables/mapping.h"
#include "agent/tables/reading_hash.h"
#include "base/json_structure.h"
#include "base/text.h"

namespace picket::tables {
namespace {

// Why a record can't be kept; empty while it can.
using Reason = std::string_view;
constexpr Reason kBroken = "broken JSON";
constexpr const char* kBreaksOff = "the list of records breaks off";
constexpr Reason kTooDeep = "nested deeper than 64";

bool IsNumber(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
    return at > first;
  };
  const auto take = [&](char c) {
    if (at == text.size() || text[at] != c) return false;
    ++at;
    return true;
  };
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    if (!digits()) return false;
  }
  return at == text.size();
}

bool SoundEscapes(std::string_view quoted) {
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') continue;
    const char c = quoted[++i];
    if (c == 'u') {
      for (const char digit : quoted.substr(i + 1, 4)) {
        if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) return false;
      }
      if (quoted.size() - i < 6) return false;
      i += 4;
    } else if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

// What a string token says; escapes are resolved into `scratch`. nullopt: it is no string.
std::optional<std::string_view> TextOf(std::string_view token, std::string& scratch) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
  if (!SoundEscapes(token)) return std::nullopt;
  scratch = kql::UnquoteJson(token);
  return scratch;
}

// Checks the JSON of the record that begins with a token, and hashes it.
class RecordReader {
 public:
  RecordReader(const JsonStructure& tokens, std::size_t first) : tokens_(tokens), at_(first) {}

  using OnMember = std::function<void(std::string_view, std::string_view)>;
  // The record's hash; nullopt when it can't be kept.
  std::optional<std::uint64_t> Read(const OnMember& visit) { return Object(0, &visit); }

  // Of a record that was read: its last token.
  [[nodiscard]] std::size_t last() const { return at_ - 1; }
  [[nodiscard]] Reason reason() const { return reason_; }

 private:
  std::optional<std::uint64_t> Reject(Reason reason) {
    reason_ = reason;
    return std::nullopt;
  }

  [[nodiscard]] char Next() const { return tokens_.At(at_); }
  bool Take(char c) {
    if (Next() != c) return false;
    ++at_;
    return true;
  }

  std::optional<std::uint64_t> Value(int depth) {
    const char c = Next();
    if (c == '{') return Object(depth, nullptr);
    if (c == '[') return Array(depth);
    if (c == '\0') return Reject(kBroken);
    const std::string_view token = tokens_.Token(at_++);
    if (c == '"') {
      const auto text = TextOf(token, scratch_);
      return text ? hash::OfText(*text) : Reject(kBroken);
    }
    if (token == "null") return hash::kNull;
    if (token == "true") return hash::kTrue;
    if (token == "false") return hash::kFalse;
    return IsNumber(token) ? hash::OfNumber(token) : Reject(kBroken);
  }

  // `visit` is given for the record itself, whose volatile members do not count.
  std::optional<std::uint64_t> Object(int depth, const OnMember* visit) {
    if (depth >= kMaxRecordDepth) return Reject(kTooDeep);
    ++at_;
    hash::Members sum;
    if (Take('}')) return sum.Hash();
    do {
      const auto name = TextOf(tokens_.Token(at_), scratch_);
      if (Next() != '"' || !name) return Reject(kBroken);
      if (visit != nullptr) name_ = *name;
      const std::uint64_t name_hash = hash::OfName(*name);
      ++at_;
      if (!Take(':')) return Reject(kBroken);
      const std::size_t first = at_;
      const auto value = Value(depth + 1);
      if (!value) return std::nullopt;
      if (visit != nullptr) (*visit)(name_, TextFrom(first));
      const bool counts = *value != hash::kNull && !(visit != nullptr && IsVolatile(name_));
      if (counts) sum.Add(name_hash, *value);
    } while (Take(','));
    return Take('}') ? sum.Hash() : Reject(kBroken);
  }

  std::optional<std::uint64_t> Array(int depth) {
    if (depth >= kMaxRecordDepth) return Reject(kTooDeep);
    ++at_;
    hash::Elements chain;
    if (Take(']')) return chain.Hash();
    do {
      const auto element = Value(depth + 1);
      if (!element) return std::nullopt;
      chain.Add(*element);
    } while (Take(','));
    return Take(']') ? chain.Hash() : Reject(kBroken);
  }

  // The JSON of the value that was just read.
  [[nodiscard]] std::string_view TextFrom(std::size_t first) const {
    return first + 1 == at_ ? tokens_.Token(first) : tokens_.Span(first, at_ - 1);
  }

  const JsonStructure& tokens_;
  std::size_t at_;
  Reason reason_ = kBroken;
  std::string name_, scratch_;
};

}  // namespace

class RecordWalker::Impl {
 public:
  // The records of an array. False: it breaks off; what came before was handed out.
  bool Array(const Visitor& visitor) {
    std::size_t at = 1;
    if (tokens_.At(at) != ']') {
      do {
        if (std::string_view(",:]}").find(tokens_.At(at)) != std::string_view::npos) return false;
        const auto last = Record(tokens_, at, visitor);
        if (!last) return false;
        at = *last + 1;
      } while (tokens_.At(at++) == ',');
      --at;
    }
    return tokens_.At(at) == ']' && at + 1 == tokens_.size();
  }

  bool Sound(std::string_view json) { return tokens_.Read(json) == JsonStructure::Finding::kSound; }

  // One record on its own: what is wrong with it stays with it.
  void Alone(std::string_view json, const Visitor& visitor) {
    const auto reject = [&](std::string_view why) {
      visitor.begin();
      visitor.reject(why);
    };
    if (json.size() > kMaxRecordBytes) return reject(kTooLarge);
    if (!json.empty() && json.front() != '{') return reject(kNoObject);
    const JsonStructure::Finding finding = alone_.Read(json);
    if (finding == JsonStructure::Finding::kNotUtf8) return reject("not UTF-8");
    const auto last = alone_.Last(0);
    if (!last || *last + 1 != alone_.size()) return reject(kBroken);
    Record(alone_, 0, visitor);
  }

 private:
  static constexpr std::string_view kTooLarge = "larger than 1 MiB";
  static constexpr std::string_view kNoObject = "not a JSON object";

  // Hands out the record that begins there, or its rejection. Its last token; nullopt when its
  // brackets do not close.
  static std::optional<std::size_t> Record(const JsonStructure& tokens, std::size_t first,
                                           const Visitor& visitor) {
    visitor.begin();
    RecordReader reader(tokens, first);
    const bool is_object = tokens.At(first) == '{';
    const auto hash = is_object ? reader.Read(visitor.member) : std::nullopt;
    if (!hash) {
      const auto last = tokens.Last(first);
      const bool large = last && is_object && tokens.Span(first, *last).size() > kMaxRecordBytes;
      visitor.reject(large ? kTooLarge : is_object ? reader.reason() : kNoObject);
      return last;
    }
    const std::string_view json = tokens.Span(first, reader.last());
    if (json.size() > kMaxRecordBytes) {
      visitor.reject(kTooLarge);
    } else {
      visitor.end(json, *hash);
    }
    return reader.last();
  }

  JsonStructure tokens_;
  JsonStructure alone_;
};

RecordWalker::RecordWalker() : impl_(std::make_unique<Impl>()) {}
RecordWalker::~RecordWalker() = default;

Status RecordWalker::Walk(std::string_view json, const Visitor& visitor) {
  json = Trim(json);
  const auto broken = [](std::string why) {
    return Fail({.kind = ErrorKind::kUnexpectedReply, .message = std::move(why)});
  };
  if (json.empty()) return broken("there is no list of records");
  if (json.front() == '{') {
    impl_->Alone(json, visitor);
    return {};
  }
  if (json.front() != '[') return broken("the records are not a JSON array");
  if (impl_->Sound(json)) {
    if (!impl_->Array(visitor)) return broken(kBreaksOff);
    return {};
  }
  // One record's bytes are damaged: each is read on its own.
  std::size_t end = 1;
  kql::ForEachElement(json, [&](std::string_view element) {
    end = static_cast<std::size_t>(element.data() - json.data()) + element.size();
    impl_->Alone(Trim(element), visitor);
    return true;
  });
  if (Trim(json.substr(end)) != "]") return broken(kBreaksOff);
  return {};
}

}  // namespace picket::tables
