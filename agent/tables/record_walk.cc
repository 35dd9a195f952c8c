#include "agent/tables/record_walk.h"

#include <simdjson.h>

#include <cctype>
#include <cstring>
#include <vector>

#include "agent/kql/json_view.h"
#include "agent/tables/mapping.h"
#include "base/text.h"

namespace picket::tables {
namespace {

namespace od = simdjson::ondemand;

static_assert(RecordWalker::kPadding >= simdjson::SIMDJSON_PADDING);

// Why a record can't be kept; empty while it can.
using Reason = std::string_view;
constexpr Reason kBroken = "broken JSON";
constexpr Reason kTooDeep = "nested deeper than 64";

// The hash tells readings of one event apart. It need not withstand someone who chooses both
// readings: what an event's author writes is in both of them alike, and an object's hash is the sum
// of its members', so that only what the service changed decides whether the sums are equal.
constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;

std::uint64_t Mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * kPrime1;
  hash ^= hash >> 29;
  hash *= kPrime2;
  return hash ^ (hash >> 32);
}

std::uint64_t HashBytes(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = Mix(seed, bytes.size());
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    hash = Mix(hash, word);
    bytes.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return Mix(hash, rest);
}

enum Seed : std::uint64_t { kName = 1, kText, kNumber, kTrue, kFalse, kNull, kArray, kObject };

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

// A text's hash is that of what it says, however it is escaped.
std::optional<std::uint64_t> HashText(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.back() != '"') return std::nullopt;
  if (quoted.find('\\') == std::string_view::npos) {
    return HashBytes(quoted.substr(1, quoted.size() - 2), kText);
  }
  if (!SoundEscapes(quoted)) return std::nullopt;
  return HashBytes(kql::UnquoteJson(quoted), kText);
}

class ValueWalker {
 public:
  // The value's hash; its exact text in `text` when asked for.
  std::optional<std::uint64_t> Walk(od::value value, int depth, std::string_view* text) {
    od::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return Broken();
    if (type == od::json_type::object) return Object(value, depth, text);
    if (type == od::json_type::array) return Array(value, depth, text);
    const std::string_view token = Trim(value.raw_json_token());
    if (text != nullptr) *text = token;
    std::optional<std::uint64_t> hash;
    if (type == od::json_type::string) {
      // Read, or simdjson would take a string before a colon for a name when it skips the value.
      od::raw_json_string read;
      if (value.get_raw_json_string().get(read) == simdjson::SUCCESS) hash = HashText(token);
    } else if (type == od::json_type::number) {
      if (IsNumber(token)) hash = HashBytes(token, kNumber);
    } else if (token == "null") {
      hash = Mix(kNull, 0);
    } else if (token == "true" || token == "false") {
      hash = Mix(token == "true" ? kTrue : kFalse, 0);
    }
    return hash ? hash : Broken();
  }

  [[nodiscard]] Reason reason() const { return reason_; }

  using OnMember = std::function<void(std::string_view, std::string_view)>;
  std::optional<std::uint64_t> Members(od::object object, int depth, const OnMember* visit) {
    std::uint64_t sum = 0;
    for (auto field : object) {
      std::string_view name;
      od::value value;
      if (field.unescaped_key().get(name) != simdjson::SUCCESS ||
          field.value().get(value) != simdjson::SUCCESS) {
        return Broken();
      }
      std::string_view text;
      const auto hash = Walk(value, depth + 1, visit == nullptr ? nullptr : &text);
      if (!hash) return std::nullopt;
      if (visit != nullptr) (*visit)(name, text);
      const bool counts = *hash != Mix(kNull, 0) && !(visit != nullptr && IsVolatile(name));
      if (counts) sum += Mix(HashBytes(name, kName), *hash);
    }
    return Mix(kObject, sum);
  }

 private:
  std::optional<std::uint64_t> Broken() {
    reason_ = kBroken;
    return std::nullopt;
  }

  std::optional<std::uint64_t> Object(od::value value, int depth, std::string_view* text) {
    if (depth >= kMaxRecordDepth) {
      reason_ = kTooDeep;
      return std::nullopt;
    }
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return Broken();
    if (text != nullptr) {
      bool any = false;
      if (object.raw_json().get(*text) != simdjson::SUCCESS ||
          object.reset().get(any) != simdjson::SUCCESS) {
        return Broken();
      }
    }
    return Members(object, depth, nullptr);
  }

  std::optional<std::uint64_t> Array(od::value value, int depth, std::string_view* text) {
    if (depth >= kMaxRecordDepth) {
      reason_ = kTooDeep;
      return std::nullopt;
    }
    od::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return Broken();
    if (text != nullptr) {
      bool any = false;
      if (array.raw_json().get(*text) != simdjson::SUCCESS ||
          array.reset().get(any) != simdjson::SUCCESS) {
        return Broken();
      }
    }
    std::uint64_t hash = kArray;
    for (auto element : array) {
      od::value item;
      if (element.get(item) != simdjson::SUCCESS) return Broken();
      const auto item_hash = Walk(item, depth + 1, nullptr);
      if (!item_hash) return std::nullopt;
      hash = Mix(hash, *item_hash);
    }
    return hash;
  }

  Reason reason_;
};

}  // namespace

class RecordWalker::Impl {
 public:
  // The records of a sound array, split by simdjson; false: the array is not sound as a whole.
  bool Split(std::string_view json, std::vector<std::string_view>& records) {
    od::document document;
    od::array array;
    if (page_parser_.iterate(json.data(), json.size(), json.size() + kPadding).get(document) !=
            simdjson::SUCCESS ||
        document.get_array().get(array) != simdjson::SUCCESS) {
      return false;
    }
    for (auto element : array) {
      od::object object;
      std::string_view record;
      if (element.get_object().get(object) != simdjson::SUCCESS ||
          object.raw_json().get(record) != simdjson::SUCCESS) {
        return false;
      }
      records.push_back(record);
    }
    const char* rest = nullptr;
    return document.current_location().get(rest) != simdjson::SUCCESS;
  }

  // One record, on its own: what is wrong with it stays with it.
  void One(std::string_view json, const Visitor& visitor) {
    visitor.begin();
    if (json.size() > kMaxRecordBytes) return visitor.reject("larger than 1 MiB");
    if (!json.empty() && json.front() != '{') return visitor.reject("not a JSON object");
    od::document document;
    // simdjson reads, and masks, up to kPadding bytes beyond the record.
    const auto error =
        parser_.iterate(json.data(), json.size(), json.size() + kPadding).get(document);
    if (error == simdjson::UTF8_ERROR) return visitor.reject("not UTF-8");
    od::object object;
    if (error != simdjson::SUCCESS || document.get_object().get(object) != simdjson::SUCCESS) {
      return visitor.reject(kBroken);
    }
    ValueWalker walker;
    const auto hash = walker.Members(object, 0, &visitor.member);
    if (!hash) return visitor.reject(walker.reason());
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
      return visitor.reject(kBroken);  // something stands behind the record
    }
    visitor.end(json, *hash);
  }

 private:
  od::parser page_parser_;
  od::parser parser_;
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
    impl_->One(json, visitor);
    return {};
  }
  if (json.front() != '[') return broken("the records are not a JSON array");
  std::vector<std::string_view> records;
  if (impl_->Split(json, records)) {
    for (const std::string_view record : records) impl_->One(Trim(record), visitor);
    return {};
  }
  std::size_t end = 1;
  kql::ForEachElement(json, [&](std::string_view element) {
    end = static_cast<std::size_t>(element.data() - json.data()) + element.size();
    impl_->One(Trim(element), visitor);
    return true;
  });
  if (Trim(json.substr(end)) != "]") return broken("the list of records breaks off");
  return {};
}

}  // namespace picket::tables
