#pragma once

#include <cstdint>
#include <cstdio>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace picket::cli {

enum class Format : std::uint8_t { kTable, kJson, kCsv, kPrometheus };

// Rows of text for people: columns aligned, text from events made harmless for a terminal.
struct TextTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Aligned by code points; a cell longer than `max_cell` is cut with "…" on a terminal only.
void PrintTable(const TextTable& table, std::FILE* out);
// RFC 4180, formulas defused.
void PrintCsv(const TextTable& table, std::FILE* out);
void PrintCsvRows(const TextTable& table, std::FILE* out);  // without the header
// The value with a line break behind it, on one line or indented; bytes that are no UTF-8 are
// replaced.
std::string JsonLine(const nlohmann::json& value);
std::string JsonPage(const nlohmann::json& value);
// Writes all of it. What could not be written is remembered: see OutputError.
void WriteAll(std::string_view text, std::FILE* out);
// Of stdout, if some of it could not be written; none for a reader that has gone, as `head` does.
std::optional<Error> OutputError();

// "MESSAGE. HINT" on one line.
std::string WithHint(std::string message, const std::string& hint);

// "error: MESSAGE" and, on a line of its own, what to try.
void PrintError(const Error& error);
// A message for people on stderr; nothing with --quiet.
void Say(std::string_view message);
void SetQuiet(bool quiet);

// One line on stderr that is written over, by itself and by messages, and cut to the terminal's
// width; on a terminal only. One at a time.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void Show(std::string_view text);

 private:
  const bool enabled_;
};

}  // namespace picket::cli
