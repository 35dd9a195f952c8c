#include "agent/config/toml_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/http.h"
#include "base/text.h"

namespace picket::config {

std::string ToString(const Place& place) {
  return place.line == 0 ? place.file
                         : fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::string ToString(const Problem& problem) {
  std::string text = ToString(Place{problem.file, problem.line, problem.column});
  text += (text.empty() ? "" : ": ") + problem.message;
  if (!problem.hint.empty()) text += ". " + problem.hint;
  return text;
}

const toml::node* TomlTable::Find(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

std::string TomlTable::Label(std::string_view key) const {
  return name_.empty() ? fmt::format("'{}'", key) : fmt::format("'{}' of [{}]", key, name_);
}

Place TomlTable::PlaceOf(std::string_view key) const {
  const toml::node* node = table_.get(key);
  const toml::source_position at = node != nullptr ? node->source().begin : table_.source().begin;
  return {.file = file_, .line = at.line, .column = at.column};
}

void TomlTable::Complain(std::string_view key, std::string message, std::string hint) {
  Place at = PlaceOf(key);
  problems_.push_back({.file = std::move(at.file),
                       .line = at.line,
                       .column = at.column,
                       .message = std::move(message),
                       .hint = std::move(hint)});
}

std::optional<std::string> TomlTable::TextAt(std::string_view key, std::string_view what) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* text = node->as_string()) return text->get();
  Complain(key, fmt::format("{} must be {}", Label(key), what));
  return std::nullopt;
}

std::string TomlTable::Text(std::string_view key, std::string otherwise) {
  return TextAt(key, "a text").value_or(std::move(otherwise));
}

std::filesystem::path TomlTable::Beside(const std::filesystem::path& path) const {
  if (path.empty() || path.is_absolute()) return path;
  return (std::filesystem::path(file_).parent_path() / path).lexically_normal();
}

std::filesystem::path TomlTable::Path(std::string_view key,
                                      const std::filesystem::path& otherwise) {
  return Beside(Text(key, otherwise.string()));
}

std::vector<std::filesystem::path> TomlTable::Paths(std::string_view key) {
  std::vector<std::filesystem::path> paths;
  for (const std::string& path : Texts(key)) paths.push_back(Beside(path));
  return paths;
}

std::string TomlTable::RequiredText(std::string_view key) {
  const bool present = Has(key);
  std::string text = Text(key);
  if (!present || (text.empty() && table_.get(key)->is_string())) {
    Complain(key, fmt::format("{} is missing", Label(key)));
  }
  return text;
}

bool TomlTable::Bool(std::string_view key, bool otherwise) {
  const toml::node* node = Find(key);
  if (node == nullptr) return otherwise;
  if (const auto* value = node->as_boolean()) return value->get();
  Complain(key, fmt::format("{} must be true or false", Label(key)));
  return otherwise;
}

std::int64_t TomlTable::Integer(std::string_view key, std::int64_t otherwise, std::int64_t lowest,
                                std::int64_t highest) {
  const toml::node* node = Find(key);
  if (node == nullptr) return otherwise;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= lowest && value->get() <= highest) return value->get();
  Complain(key, fmt::format("{} must be a number from {} to {}", Label(key), lowest, highest));
  return otherwise;
}

Timespan TomlTable::Span(std::string_view key, Timespan otherwise, Timespan lowest,
                         Timespan highest) {
  const std::optional<std::string> text = TextAt(key, "a span of time such as \"5m\"");
  if (!text) return otherwise;
  const Result<Timespan> span = ParseTimespan(*text);
  if (span && *span >= lowest && *span <= highest) return *span;
  Complain(key,
           fmt::format("{} must be a span of time from {} to {}", Label(key),
                       FormatTimespan(lowest), FormatTimespan(highest)),
           "Write it as a number and a unit of ms, s, m, h, d: \"90d\".");
  return otherwise;
}

std::uint64_t TomlTable::Bytes(std::string_view key, std::uint64_t otherwise) {
  const std::optional<std::string> text = TextAt(key, "a size such as \"1GiB\"");
  if (!text) return otherwise;
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits = {
      {{"", 1},
       {"B", 1},
       {"KB", 1000},
       {"KiB", 1024},
       {"MB", 1'000'000},
       {"MiB", 1 << 20},
       {"GB", 1'000'000'000},
       {"GiB", 1 << 30}}};
  std::uint64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [rest, code] = std::from_chars(text->data(), end, number);
  const std::string_view unit = Trim(std::string_view(rest, static_cast<std::size_t>(end - rest)));
  if (code == std::errc{} && number <= (std::uint64_t{1} << 32)) {
    for (const auto& [name, factor] : kUnits) {
      if (name == unit) return number * factor;
    }
  }
  Complain(key, fmt::format("{} must be a size", Label(key)),
           "Write it as a number and a unit of B, KB, KiB, MB, MiB, GB, GiB: \"1GiB\".");
  return otherwise;
}

std::vector<std::string> TomlTable::Texts(std::string_view key) {
  std::vector<std::string> texts;
  const toml::node* node = Find(key);
  if (node == nullptr) return texts;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    Complain(key, fmt::format("{} must be a list of texts", Label(key)));
    return texts;
  }
  for (const toml::node& item : *array) {
    if (const auto* text = item.as_string()) {
      texts.push_back(text->get());
    } else {
      Complain(key, fmt::format("{} must be a list of texts", Label(key)));
    }
  }
  return texts;
}

std::string TomlTable::OneOf(std::string_view key, const std::vector<std::string_view>& names,
                             std::string_view otherwise) {
  const std::optional<std::string> text = TextAt(key, "a text");
  if (!text) return std::string(otherwise);
  for (const std::string_view name : names) {
    if (name == *text) return *text;
  }
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  const std::string_view nearest = Nearest(*text, names);
  Complain(key, fmt::format("{} may be {}", Label(key), list),
           nearest.empty() ? "" : fmt::format("Did you mean '{}'?", nearest));
  return std::string(otherwise);
}

std::optional<SecretRef> TomlTable::Secret(std::string_view key) {
  const std::optional<std::string> text = TextAt(key, "a secret reference");
  if (!text) return std::nullopt;
  Result<SecretRef> ref = ParseSecretRef(*text);
  if (ref) {
    if (ref->store == "file") ref->key = Beside(ref->key).string();
    return *std::move(ref);
  }
  Complain(key, fmt::format("{}: {}", Label(key), ref.error().message), ref.error().hint);
  return std::nullopt;
}

std::optional<std::string> TomlTable::UrlAt(std::string_view key) {
  std::optional<std::string> text = TextAt(key, "a URL");
  if (!text) return std::nullopt;
  const Result<Origin> origin = ParseOrigin(*text);
  if (!origin) {
    Complain(key, fmt::format("{} is no URL", Label(key)), "It must begin with https://.");
    return std::nullopt;
  }
  if (origin->scheme == "http" && !IsLoopback(*origin)) {
    Complain(key, fmt::format("{} must be https", Label(key)),
             "http is for loopback addresses only.");
    return std::nullopt;
  }
  const bool odd = std::any_of(text->begin(), text->end(), [](unsigned char c) {
    return c <= ' ' || c == 0x7F || c == '#' || c == '@';
  });
  if (odd) {
    Complain(key, fmt::format("{} may have no fragment, user or space", Label(key)),
             "Remove it, or write %23, %40, %20.");
    return std::nullopt;
  }
  return text;
}

std::string TomlTable::Url(std::string_view key, std::string otherwise) {
  return UrlAt(key).value_or(std::move(otherwise));
}

std::string TomlTable::Endpoint(std::string_view key, std::string otherwise) {
  const std::optional<std::string> url = UrlAt(key);
  if (!url) return otherwise;
  const std::size_t end = url->find_first_of("/?", url->find("://") + 3);
  std::string endpoint = url->substr(0, end);
  if (end != std::string::npos && url->find_first_not_of('/', end) != std::string::npos) {
    Complain(key,
             fmt::format("{} may have no path and no query: Picket appends its own", Label(key)),
             fmt::format("Write {} = \"{}\".", key, EscapeTerminal(endpoint)));
  }
  return endpoint;
}

void TomlTable::Table(std::string_view key, const std::function<void(TomlTable&)>& read) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    Complain(key, fmt::format("{} must be a table", Label(key)));
    return;
  }
  TomlTable sub(*table, name_.empty() ? std::string(key) : name_ + "." + std::string(key), file_,
                problems_);
  read(sub);
  sub.Finish();
}

void TomlTable::Tables(std::string_view key, const std::function<void(TomlTable&)>& read) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    Complain(key, fmt::format("{} must be written as [[{}]]", Label(key), key));
    return;
  }
  for (const toml::node& item : *array) {
    const toml::table* table = item.as_table();
    if (table == nullptr) {
      Complain(key, fmt::format("{} must be written as [[{}]]", Label(key), key));
      return;
    }
    TomlTable sub(*table, std::string(key), file_, problems_);
    read(sub);
    sub.Finish();
  }
}

std::vector<std::string> TomlTable::Names() const {
  std::vector<std::string> names;
  for (const auto& [key, node] : table_) names.emplace_back(key.str());
  return names;
}

std::vector<std::string> TomlTable::TableNames() {
  std::vector<std::string> names;
  for (const auto& [key, node] : table_) {
    if (node.is_table()) names.emplace_back(key.str());
  }
  return names;
}

void TomlTable::Finish() {
  std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const auto& [key, node] : table_) {
    if (known_.contains(key.str())) continue;
    const std::string_view nearest = Nearest(key.str(), known);
    const toml::source_position at = key.source().begin;
    problems_.push_back(
        {.file = file_,
         .line = at.line,
         .column = at.column,
         .message = name_.empty()
                        ? fmt::format("unknown key '{}'", EscapeTerminal(key.str()))
                        : fmt::format("unknown key '{}' in [{}]", EscapeTerminal(key.str()), name_),
         .hint = nearest.empty() ? "See 'picket config sample' for all keys."
                                 : fmt::format("Did you mean '{}'?", nearest)});
  }
}

std::string RefText(const std::optional<SecretRef>& ref) {
  return ref ? "@{" + ref->store + ":" + ref->key + "}" : "";
}

}  // namespace picket::config
