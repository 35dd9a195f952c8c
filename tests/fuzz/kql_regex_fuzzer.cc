// A pattern, a text and a rewriting of any bytes, through all that takes a regular expression. What
// a pattern gives as a constant, it gives from a column.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "tests/fuzz/one_text_table.h"

namespace {

using picket::kql::AsLiteral;

constexpr std::size_t kMostPattern = 256;

// The result as JSON; nothing when the query is refused or stopped at a limit.
std::optional<std::string> Answer(picket::kql::MannerTables& tables, const std::string& query) {
  const picket::kql::CompileResult compiled = picket::kql::Compile(query, tables);
  if (!compiled.query) return std::nullopt;
  const auto result = picket::kql::Run(*compiled.query, tables, {.stop = {}});
  if (!result) return std::nullopt;
  return picket::kql::ToJson(*result);
}

// The functions with `pattern`, a literal or a column.
std::string Query(const std::string& pattern) {
  return "T | project m = b matches regex " + pattern + ", e = extract(" + pattern +
         ", 1, b), all_ = extract_all(" + pattern + ", b), two = extract_all(" + pattern +
         ", dynamic([1, 'n', 2]), b), r = replace_regex(b, " + pattern + ", c), t = trim(" +
         pattern + ", b), te = trim_end(" + pattern + ", b), ts = trim_start(" + pattern +
         ", b), n = countof(b, " + pattern + ", 'regex'), i = indexof_regex(b, " + pattern + ")";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> texts(3);  // split at line ends
  std::size_t part = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n' && part < 2) {
      ++part;
    } else {
      texts[part] += static_cast<char>(data[i]);
    }
  }
  if (texts[0].size() > kMostPattern) texts[0].resize(kMostPattern);
  auto tables = picket::kql::TextTable(texts);
  const std::optional<std::string> constant = Answer(tables, Query(AsLiteral(texts[0])));
  const std::optional<std::string> varying = Answer(tables, Query("a"));
  if (constant && varying && *constant != *varying) {
    std::fprintf(stderr, "constant: %s\ncolumn:   %s\n", constant->c_str(), varying->c_str());
    std::abort();
  }
  const std::string pattern = AsLiteral(texts[0]);
  for (const char* flags : {"", "flags=Ui "}) {
    (void)Answer(tables, std::string("T | parse kind=regex ") + flags + "b with * " + pattern +
                             " x:string " + pattern + " y:long *");
  }
  (void)Answer(tables,
               "T | parse b with * " + pattern + " x:string " + AsLiteral(texts[2]) + " y:long *");
  return 0;
}
