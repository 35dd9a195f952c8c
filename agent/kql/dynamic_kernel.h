#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"

namespace picket::kql {

// What the functions over dynamic arrays and bags share.

// A JSON array or object that grows; Text() ends it. What grows beyond the bytes of a column stops
// growing, and is refused by the column.
class JsonArray {
 public:
  void Add(std::string_view json) {
    if (text_.size() > kMostColumnBytes) return;
    text_ += empty_ ? "" : ",";
    text_ += json;
    empty_ = false;
  }
  // Once: the text is given away.
  [[nodiscard]] std::string Text() {
    text_ += "]";
    return std::move(text_);
  }
  [[nodiscard]] std::size_t bytes() const { return text_.size(); }

 private:
  std::string text_ = "[";
  bool empty_ = true;
};

class JsonBag {
 public:
  void Add(std::string_view name, std::string_view json) {
    if (text_.size() > kMostColumnBytes) return;
    text_ += empty_ ? "" : ",";
    text_ += QuoteJson(name);
    text_ += ":";
    text_ += json;
    empty_ = false;
  }
  [[nodiscard]] std::string Text() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
  bool empty_ = true;
};

inline bool IsArrayAt(const Column& column, std::size_t row) {
  return column.type == Type::kDynamic && !column.IsNull(row) &&
         KindOf(column.Text(row)) == JsonKind::kArray;
}
inline bool IsBagAt(const Column& column, std::size_t row) {
  return column.type == Type::kDynamic && !column.IsNull(row) &&
         KindOf(column.Text(row)) == JsonKind::kObject;
}

// The elements as JSON, within the column's own bytes; none when the value is no array.
std::vector<std::string_view> ElementsAt(const Column& column, std::size_t row);
// The element as the functions print it: a string without its quotes.
std::string ElementText(std::string_view json);
// The element's number; nullopt when it is none (a bool and a text are none).
std::optional<double> ElementNumber(std::string_view json);
// Text that two elements share when they are equal: 1 and 1.0, "\u0041" and "A".
std::string ElementKey(std::string_view json);
// Of numbers and of texts; numbers come before texts, and both before everything else.
int CompareElements(std::string_view a, std::string_view b);
// A number as an element: no fraction where the value came from whole numbers.
std::string RealElement(double value);

// One step of a JSON path: a member, or an element.
struct JsonStep {
  std::string name;
  std::optional<std::int64_t> index;
};
// "$.a.b[0]['c d']", "$['a']"; nullopt when it is no such path.
std::optional<std::vector<JsonStep>> ParseJsonPath(std::string_view path);
// The value at the path; nullopt when there is none.
std::optional<std::string_view> JsonAt(std::string_view json, const std::vector<JsonStep>& path,
                                       std::size_t from = 0);

}  // namespace picket::kql
