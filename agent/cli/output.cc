#include "agent/cli/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/text.h"
#include "base/utf8.h"

namespace picket::cli {
namespace {

constexpr std::size_t kMaxCell = 48;

std::atomic<bool> quiet_messages = false;
std::atomic<int> output_error = 0;          // an errno, of stdout
std::atomic<bool> progress_stands = false;  // an unfinished line on the terminal

// Writes over the progress line, if there is one.
void Tell(std::string text) {
  if (progress_stands.exchange(false)) text.insert(0, "\r\x1b[K");
  WriteAll(text, stderr);
}

// Code points, which is near enough to columns for names and addresses.
std::size_t Width(std::string_view text) { return Utf8Length(text); }

std::string Cut(std::string text, std::size_t width) {
  if (Width(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t points = 0; end < text.size(); ++end) {
    if (ContinuesUtf8(text[end])) continue;
    if (points++ == width - 1) break;
  }
  return text.substr(0, end) + "…";
}

// A line that wraps cannot be written over. The last column is left free: some terminals wrap
// there.
std::size_t TerminalWidth() {
  constexpr std::size_t kUsual = 79;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return kUsual;
  return std::size_t{size.ws_col} - 1;
}

std::string Line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 < cells.size()) line.append(widths[i] - Width(cells[i]) + 2, ' ');
  }
  return line + "\n";
}

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += (i > 0 ? "," : "") + EscapeCsv(cells[i]);
  }
  return line + "\r\n";
}

}  // namespace

std::string JsonLine(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string JsonPage(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void WriteAll(std::string_view text, std::FILE* out) {
  if (std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0) return;
  if (out == stdout && errno != EPIPE) output_error = errno;
}

std::optional<Error> OutputError() {
  const int code = output_error;
  if (code == 0) return std::nullopt;
  return Error{.kind = ErrorKind::kStorage,
               .message = "the output could not be written: " +
                          std::error_code(code, std::generic_category()).message()};
}

void PrintTable(const TextTable& table, std::FILE* out) {
  const bool cut = ::isatty(::fileno(out)) == 1;
  std::vector<std::vector<std::string>> rows = {table.columns};
  for (const auto& row : table.rows) {
    std::vector<std::string>& cells = rows.emplace_back();
    for (const std::string& cell : row) {
      std::string shown = EscapeTerminal(cell);
      cells.push_back(cut ? Cut(std::move(shown), kMaxCell) : std::move(shown));
    }
  }
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows) text += Line(row, widths);
  WriteAll(text, out);
}

void PrintCsv(const TextTable& table, std::FILE* out) {
  WriteAll(CsvLine(table.columns), out);
  PrintCsvRows(table, out);
}

void PrintCsvRows(const TextTable& table, std::FILE* out) {
  std::string text;
  for (const auto& row : table.rows) text += CsvLine(row);
  WriteAll(text, out);
}

std::string WithHint(std::string message, const std::string& hint) {
  if (!hint.empty()) message += ". " + hint;
  return message;
}

void PrintError(const Error& error) {
  std::string text = "error: " + EscapeTerminal(error.message) + "\n";
  if (!error.hint.empty()) text += "       " + EscapeTerminal(error.hint) + "\n";
  Tell(std::move(text));
}

void SetQuiet(bool quiet) { quiet_messages = quiet; }

void Say(std::string_view message) {
  if (!quiet_messages) Tell(EscapeTerminal(message) + "\n");
}

Progress::Progress() : enabled_(::isatty(STDERR_FILENO) == 1 && !quiet_messages) {}

Progress::~Progress() {
  if (progress_stands) Tell("");
}

void Progress::Show(std::string_view text) {
  if (!enabled_) return;
  WriteAll(fmt::format("\r\x1b[K{}", Cut(EscapeTerminal(text), TerminalWidth())), stderr);
  progress_stands = true;
}

}  // namespace picket::cli
