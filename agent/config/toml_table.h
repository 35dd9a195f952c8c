#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/problem.h"
#include "base/secret.h"
#include "base/time.h"

namespace picket::config {

// Reads one table of a config by its keys. Every key must be asked for: Finish() reports the others
// as unknown, with the nearest known one. A wrong type or value is reported with file, line and
// column, and the given default is returned.
class TomlTable {
 public:
  TomlTable(const toml::table& table, std::string name, std::string file, Problems& problems)
      : table_(table), name_(std::move(name)), file_(std::move(file)), problems_(problems) {}

  [[nodiscard]] bool Has(std::string_view key) const { return table_.contains(key); }
  [[nodiscard]] bool IsText(std::string_view key) const {
    const toml::node* node = table_.get(key);
    return node != nullptr && node->is_string();
  }
  [[nodiscard]] bool IsEmptyList(std::string_view key) const {
    const toml::node* node = table_.get(key);
    return node != nullptr && node->is_array() && node->as_array()->empty();
  }
  [[nodiscard]] std::string Text(std::string_view key, std::string otherwise = {});
  [[nodiscard]] std::string RequiredText(std::string_view key);
  [[nodiscard]] bool Bool(std::string_view key, bool otherwise);
  [[nodiscard]] std::int64_t Integer(std::string_view key, std::int64_t otherwise,
                                     std::int64_t lowest, std::int64_t highest);
  // A span of time as text: "5m", "90d", "0".
  [[nodiscard]] Timespan Span(std::string_view key, Timespan otherwise, Timespan lowest,
                              Timespan highest);
  // A size as text: "512MB", "1GiB", "0".
  [[nodiscard]] std::uint64_t Bytes(std::string_view key, std::uint64_t otherwise);
  [[nodiscard]] std::vector<std::string> Texts(std::string_view key);
  // Paths; those that are relative are so to the folder of the config's file. An empty one stays
  // so.
  [[nodiscard]] std::filesystem::path Path(std::string_view key,
                                           const std::filesystem::path& otherwise = {});
  [[nodiscard]] std::vector<std::filesystem::path> Paths(std::string_view key);
  // One of the names given, else a problem that lists them.
  [[nodiscard]] std::string OneOf(std::string_view key, const std::vector<std::string_view>& names,
                                  std::string_view otherwise);
  // A secret reference; a literal is a problem that does not repeat it. That of a file is a Path.
  [[nodiscard]] std::optional<SecretRef> Secret(std::string_view key);
  // An https URL, or http of a loopback host; with path and query, without user and fragment.
  [[nodiscard]] std::string Url(std::string_view key, std::string otherwise);
  // The same of scheme, host and port alone: callers append paths. No final slash is kept.
  [[nodiscard]] std::string Endpoint(std::string_view key, std::string otherwise);

  // Calls `read` with the sub-table, if there is one.
  void Table(std::string_view key, const std::function<void(TomlTable&)>& read);
  // Calls `read` with each table of an array of tables.
  void Tables(std::string_view key, const std::function<void(TomlTable&)>& read);
  // The names of all members, for tables whose keys are the operator's.
  [[nodiscard]] std::vector<std::string> Names() const;
  // The names of the members that are tables themselves; marks them as known.
  [[nodiscard]] std::vector<std::string> TableNames();

  // Where the key's value stands; without the key, where the table does.
  [[nodiscard]] Place PlaceOf(std::string_view key) const;
  void Complain(std::string_view key, std::string message, std::string hint = {});
  void Finish();

 private:
  // nullptr when absent; marks the key as known.
  const toml::node* Find(std::string_view key);
  [[nodiscard]] std::filesystem::path Beside(const std::filesystem::path& path) const;
  [[nodiscard]] std::string Label(std::string_view key) const;
  // The value as text, or a problem.
  std::optional<std::string> TextAt(std::string_view key, std::string_view what);
  // The value, if it is a URL that may be asked; else nullopt, and a problem if it is there.
  std::optional<std::string> UrlAt(std::string_view key);

  const toml::table& table_;
  const std::string name_;
  const std::string file_;
  Problems& problems_;
  std::set<std::string, std::less<>> known_;
};

// A reference as the config writes it; "" without one.
std::string RefText(const std::optional<SecretRef>& ref);

}  // namespace picket::config
