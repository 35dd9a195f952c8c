// Well-known text (OGC 06-103r4, section 7) as GeoJSON.

#include <charconv>

#include "agent/kql/dynamic_kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr int kMostNested = 16;  // collections within collections

class TextReader {
 public:
  explicit TextReader(std::string_view text) : rest_(text) {}

  // The whole text's shape.
  std::optional<std::string> Read() {
    std::optional<std::string> json = Shape(0);
    SkipSpace();
    return rest_.empty() ? json : std::nullopt;
  }

 private:
  struct Kind {
    std::string_view text;  // as it is written in well-known text
    std::string_view json;  // GeoJSON's type
    int depth;              // of its coordinates: 0 a point, 1 a list of points, …
    bool loose;             // points in parentheses of their own, too
  };
  static constexpr Kind kKinds[] = {
      {"POINT", "Point", 0, false},
      {"LINESTRING", "LineString", 1, false},
      {"POLYGON", "Polygon", 2, false},
      {"MULTIPOINT", "MultiPoint", 1, true},
      {"MULTILINESTRING", "MultiLineString", 2, false},
      {"MULTIPOLYGON", "MultiPolygon", 3, false},
  };

  std::optional<std::string> Shape(int nested) {
    const std::string_view name = Word();
    if (EqualsIgnoreCase(name, "GEOMETRYCOLLECTION")) return Collection(nested);
    for (const Kind& kind : kKinds) {
      if (!EqualsIgnoreCase(name, kind.text)) continue;
      const std::optional<std::string> coordinates =
          kind.depth == 0 ? PointInParentheses() : List(kind.depth, kind.loose);
      if (!coordinates) return std::nullopt;
      return Typed(kind.json, "coordinates", *coordinates);
    }
    return std::nullopt;
  }

  std::optional<std::string> Collection(int nested) {
    if (nested >= kMostNested || !Take('(')) return std::nullopt;
    JsonArray shapes;
    do {
      const std::optional<std::string> shape = Shape(nested + 1);
      if (!shape) return std::nullopt;
      shapes.Add(*shape);
    } while (Take(','));
    if (!Take(')')) return std::nullopt;
    return Typed("GeometryCollection", "geometries", shapes.Text());
  }

  std::optional<std::string> List(int depth, bool loose) {
    if (!Take('(')) return std::nullopt;
    JsonArray json;
    do {
      const bool alone = depth == 1 && loose && Peek('(');
      const std::optional<std::string> element =
          depth > 1 ? List(depth - 1, loose) : (alone ? PointInParentheses() : Point());
      if (!element) return std::nullopt;
      json.Add(*element);
    } while (Take(','));
    if (!Take(')')) return std::nullopt;
    return json.Text();
  }

  std::optional<std::string> PointInParentheses() {
    if (!Take('(')) return std::nullopt;
    std::optional<std::string> point = Point();
    return Take(')') ? point : std::nullopt;
  }

  std::optional<std::string> Point() {
    const std::optional<double> x = Number();
    const std::optional<double> y = x ? Number() : std::nullopt;
    if (!y) return std::nullopt;
    JsonArray json;
    json.Add(RealElement(*x));
    json.Add(RealElement(*y));
    return json.Text();
  }

  std::optional<double> Number() {
    SkipSpace();
    if (rest_.starts_with('+')) rest_.remove_prefix(1);
    double number = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    // Neither "inf" nor "nan", which from_chars knows.
    if (code != std::errc{} || !(number - number == 0)) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }

  std::string_view Word() {
    SkipSpace();
    std::size_t length = 0;
    while (length < rest_.size() && IsLetter(rest_[length])) ++length;
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  static bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
  static std::string Typed(std::string_view type, std::string_view member, std::string_view json) {
    JsonBag bag;
    bag.Add("type", QuoteJson(type));
    bag.Add(member, json);
    return bag.Text();
  }
  bool Peek(char c) {
    SkipSpace();
    return rest_.starts_with(c);
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r'))) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

ColumnPtr FromWkt(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    const std::optional<std::string> json = TextReader(TextView(*a[0], row, buffer)).Read();
    if (!json) return out.Null();
    out.Text(*json);
  });
}

}  // namespace

FunctionList GeoTextFunctions() {
  return Declare({{"geo_from_wkt(wkt: text): dynamic", &FromWkt}});
}

}  // namespace picket::kql
