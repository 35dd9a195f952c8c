// Any bytes as a text that is parsed as JSON: paths, array and bag functions, mv-expand and
// plugins. Where another parser takes the text as well, both find the same array and the same text
// of it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/fuzz/one_text_table.h"

namespace {

using picket::kql::ResultTable;

picket::Result<ResultTable> Ask(picket::kql::MannerTables& tables, const std::string& query) {
  const picket::kql::CompileResult compiled = picket::kql::Compile(query, tables);
  if (!compiled.query) {
    std::fprintf(stderr, "%s\n%s\n", query.c_str(), ToString(compiled.errors.at(0)).c_str());
    std::abort();
  }
  return picket::kql::Run(*compiled.query, tables, {.stop = {}});
}

constexpr const char* kQueries[] = {
    "T | extend d = parse_json(a) | project d, d.a, d['b'], d[0], d[-1], d[1].a[0], d.a.b.c, "
    "d[b], d[strlen(c)], tostring(d), tostring(d.a), tolong(d.n), todouble(d[0]), tobool(d.t), "
    "todatetime(d.t), gettype(d), isempty(d), isnull(d.a)",
    "T | extend d = parse_json(a) | project array_length(d), array_reverse(d), array_sort_asc(d), "
    "array_sort_desc(d.a), array_slice(d, 1, -1), array_concat(d, d.a), array_index_of(d, b), "
    "array_rotate_left(d, 2), array_shift_right(d, 1), array_split(d, 1), set_union(d, d.a), "
    "set_difference(d, d.a), set_intersect(d, d), set_has_element(d, b), strcat_array(d, c), "
    "zip(d, d.a), pack_array(d, a), jaccard_index(d, d.a)",
    "T | extend d = parse_json(a) | project bag_keys(d), bag_merge(d, d.a), bag_has_key(d, b), "
    "bag_remove_keys(d, dynamic(['a', '$.b'])), bag_set_key(d, 'a', 1), bag_zip(d, d), "
    "treepath(d), dynamic_to_json(d), extract_json('$.a[0].b', a), extract_json(b, a), pack_all()",
    "T | extend d = parse_json(a) | mv-expand d | mv-expand e = d | summarize make_set(d), "
    "make_list(e), make_bag(d), count() by tostring(e)",
    "T | extend d = parse_json(a) | mv-expand kind=array d to typeof(string), b2 = d.a to "
    "typeof(long) limit 100 | count",
    "T | extend d = parse_json(a) | mv-apply e = d on (where tostring(e) has b | summarize n = "
    "count())",
    "T | extend d = parse_json(a) | where d.a == b or d.a in (dynamic(['x', 1])) or d has c or d.n "
    "> 1 | count",
    "T | extend d = parse_json(a) | project d | evaluate bag_unpack(d)",
};

std::string TextOf(const picket::Result<ResultTable>& result) {
  if (!result || result->Rows() == 0) return "";
  return picket::kql::DisplayText(*result->batches[0].columns[0], 0);
}

// Deeper ones are refused by the engine, as they may be.
bool IsDeep(const std::string& text) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' || c == '{' ? 1 : 0;
  }
  return depth > 50;
}

void CompareWithAnotherParser(picket::kql::MannerTables& tables, const std::string& text) {
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_array() || IsDeep(text)) return;
  const std::string length = TextOf(Ask(tables, "T | project array_length(parse_json(a))"));
  if (length != std::to_string(parsed.size())) {
    std::fprintf(stderr, "array_length is '%s'\n", length.c_str());
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // The names and words that queries look for come from the text as well.
  auto tables = picket::kql::TextTable({text, text.substr(0, 1), text.substr(size / 2, 2)});
  for (const char* query : kQueries) (void)Ask(tables, query);
  // What is written is read as the same.
  const std::string once = TextOf(Ask(tables, "T | project tostring(parse_json(a))"));
  const std::string twice =
      TextOf(Ask(tables, "T | project tostring(parse_json(tostring(parse_json(a))))"));
  if (!once.empty() && (once[0] == '[' || once[0] == '{') && once != twice) {
    std::fprintf(stderr, "once:  %s\ntwice: %s\n", once.c_str(), twice.c_str());
    std::abort();
  }
  CompareWithAnotherParser(tables, text);
  return 0;
}
