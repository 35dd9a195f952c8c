// picket query --explain

#include "agent/cli/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"

namespace picket::cli {
namespace {

using nlohmann::json;
using Milliseconds = std::chrono::duration<double, std::milli>;

double InMs(std::chrono::nanoseconds time) { return Milliseconds(time).count(); }

// An operator's time is told with its inputs; its own is the rest.
std::chrono::nanoseconds OwnTime(const std::deque<kql::OperatorStats>& operators, std::size_t at) {
  std::chrono::nanoseconds own = operators[at].time;
  for (std::size_t i = at + 1; i < operators.size() && operators[i].depth > operators[at].depth;
       ++i) {
    if (operators[i].depth == operators[at].depth + 1) own -= operators[i].time;
  }
  // Tables in expressions are run before the operator begins.
  return std::max(own, std::chrono::nanoseconds{0});
}

std::string RangeText(const kql::PushedDown& pushed) {
  if (!pushed.from && !pushed.until) return "";
  return fmt::format("{} .. {}", pushed.from ? FormatRfc3339(*pushed.from) : "",
                     pushed.until ? FormatRfc3339(*pushed.until) : "");
}

// What was pushed down, a line each.
std::vector<std::string> PushedLines(const kql::OperatorStats& scan) {
  std::vector<std::string> lines;
  if (!scan.pushed) return lines;
  lines.push_back("reads: " + (scan.pushed->columns.empty()
                                   ? std::string("no column")
                                   : fmt::format("{}", fmt::join(scan.pushed->columns, ", "))));
  if (const std::string range = RangeText(*scan.pushed); !range.empty()) {
    lines.push_back("time: " + range);
  }
  for (const std::string& condition : scan.pushed->conditions)
    lines.push_back("only: " + condition);
  if (scan.shared) lines.emplace_back("read once, together with the other scan of the table");
  return lines;
}

TextTable TableOf(const Explanation& explanation) {
  const kql::RunStats& stats = explanation.stats;
  TextTable table{.columns = {"operator", "rows", "ms", "own ms", "what"}, .rows = {}};
  for (std::size_t i = 0; i < stats.operators.size(); ++i) {
    const kql::OperatorStats& each = stats.operators[i];
    const std::string indent(2 * each.depth, ' ');
    table.rows.push_back({indent + each.name, fmt::format("{}", each.rows),
                          fmt::format("{:.1f}", InMs(each.time)),
                          fmt::format("{:.1f}", InMs(OwnTime(stats.operators, i))), each.detail});
    for (const std::string& line : PushedLines(each)) table.rows.push_back({"", "", "", "", line});
  }
  if (!explanation.tenant.empty()) {
    table.columns.insert(table.columns.begin(), "tenant");
    for (auto& row : table.rows) row.insert(row.begin(), explanation.tenant);
  }
  return table;
}

json ObjectOf(const kql::RunStats& stats, std::size_t at) {
  const kql::OperatorStats& each = stats.operators[at];
  json object = {{"name", each.name},     {"depth", each.depth},
                 {"what", each.detail},   {"rows", each.rows},
                 {"ms", InMs(each.time)}, {"own_ms", InMs(OwnTime(stats.operators, at))}};
  if (!each.pushed) return object;
  json pushed = {{"columns", each.pushed->columns}, {"conditions", each.pushed->conditions}};
  if (each.pushed->from) pushed["from"] = FormatRfc3339(*each.pushed->from);
  if (each.pushed->until) pushed["until"] = FormatRfc3339(*each.pushed->until);
  object["pushed_down"] = std::move(pushed);
  object["shared"] = each.shared;
  return object;
}

}  // namespace

void PrintExplanation(const Explanation& explanation, bool first, Format format) {
  const kql::RunStats& stats = explanation.stats;
  if (format == Format::kJson) {
    json operators = json::array();
    for (std::size_t i = 0; i < stats.operators.size(); ++i) {
      operators.push_back(ObjectOf(stats, i));
    }
    json object = {{"operators", std::move(operators)},
                   {"scanned", stats.scanned},
                   {"peak_bytes", stats.peak_bytes},
                   {"ms", InMs(explanation.took)}};
    if (explanation.tenant.empty()) return WriteAll(JsonPage(object), stdout);
    object["tenant"] = explanation.tenant;
    return WriteAll(JsonLine(object), stdout);
  }
  const TextTable table = TableOf(explanation);
  if (format == Format::kCsv) {
    return first ? PrintCsv(table, stdout) : PrintCsvRows(table, stdout);
  }
  PrintTable(table, stdout);
  Say(fmt::format("{}{} scanned, {:.1f} ms, {:.1f} MB held at most",
                  explanation.tenant.empty() ? "" : explanation.tenant + ": ",
                  Counted(static_cast<std::int64_t>(stats.scanned), "row"), InMs(explanation.took),
                  static_cast<double>(stats.peak_bytes) / (1 << 20)));
}

}  // namespace picket::cli
