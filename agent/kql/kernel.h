#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kql/decimal.h"
#include "agent/kql/function.h"

namespace picket::kql {

// What the function files share: a way to write a kernel by its row, and conversions of values.

// Calls f(builder, row) for each row; once when every argument is constant. The rest is null when
// the run is stopped, or fails for the column's size.
template <class F>
ColumnPtr MapRows(Type type, const Arguments& arguments, std::size_t rows, F f) {
  const bool constant = std::all_of(arguments.begin(), arguments.end(),
                                    [](const ColumnPtr& column) { return column->constant; });
  const std::size_t count = constant ? 1 : rows;
  ColumnBuilder builder(type, count);
  std::size_t row = 0;
  for (; row < count && !builder.TooLarge(); ++row) {
    if (row % 16 == 0 && arguments.Stopped()) break;
    f(builder, row);
  }
  for (; row < count; ++row) builder.Null();
  for (const ColumnPtr& argument : arguments) {
    if (IsText(type)) builder.KeepArenasOf(*argument);
  }
  ColumnPtr column = builder.Finish();
  if (!constant) return column;
  auto spread = std::make_shared<Column>(*column);
  spread->constant = true;
  spread->rows = rows;
  return spread;
}

// What the kernel makes of the arguments [first, last), made again only when they are others than
// in the batch before. Constant arguments stay the same through a run.
template <class T, class Make>
std::shared_ptr<const T> Prepared(const EvalContext& context, const Arguments& arguments,
                                  std::size_t first, std::size_t last, Make make) {
  const auto begin = arguments.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = arguments.begin() + static_cast<std::ptrdiff_t>(last);
  if (context.state == nullptr) return std::make_shared<const T>(make());
  KernelState& state = *context.state;
  if (!state.made || !std::equal(state.of.begin(), state.of.end(), begin, end)) {
    state.made = std::make_shared<const T>(make());
    state.of.assign(begin, end);
  }
  return std::static_pointer_cast<const T>(state.made);
}

// Kusto's tostring(): '' for null.
std::string ToText(const Column& column, std::size_t row);
// The text without a copy where the column is text already; else made in `buffer`.
std::string_view TextView(const Column& column, std::size_t row, std::string& buffer);
std::optional<std::int64_t> ToLong(const Column& column, std::size_t row);
std::optional<double> ToReal(const Column& column, std::size_t row);
// nullopt where there is none; reals as they print.
std::optional<Decimal> ToDecimal(const Column& column, std::size_t row);
// The value as JSON text ("null" for null).
std::string ToJsonText(const Column& column, std::size_t row);

// -1, 0, 1; nullopt when one is null or they cannot be ordered.
std::optional<int> CompareValues(const Column& a, std::size_t row_a, const Column& b,
                                 std::size_t row_b);
// Kusto's ==; nullopt: both null.
std::optional<bool> ValuesEqual(const Column& a, std::size_t row_a, const Column& b,
                                std::size_t row_b, bool ignore_case);

// Bind rules that many share.
std::optional<Type> BindBool(const std::vector<Type>& arguments, std::string& why);
std::optional<Type> BindString(const std::vector<Type>& arguments, std::string& why);
std::optional<Type> BindLong(const std::vector<Type>& arguments, std::string& why);
std::optional<Type> BindReal(const std::vector<Type>& arguments, std::string& why);
std::optional<Type> BindDateTime(const std::vector<Type>& arguments, std::string& why);
std::optional<Type> BindDynamic(const std::vector<Type>& arguments, std::string& why);

std::optional<Type> BindFirst(const std::vector<Type>& arguments, std::string& why);

// The parts of the one table; see function.cc.
using FunctionList = std::vector<Function>;

// A function by its signature (see signature.h). `bind` tells the result's type where the signature
// has none; `column_prefix` is as in Function, nullptr for none.
struct FunctionRow {
  std::string_view signature;
  Kernel run;
  BindRule bind = nullptr;
  const char* column_prefix = nullptr;
};
inline constexpr const char* kNameOfFirst = "";
FunctionList Declare(std::initializer_list<FunctionRow> rows);

FunctionList ArithmeticFunctions();
FunctionList ArrayFunctions();
FunctionList BagFunctions();
FunctionList CompareFunctions();
FunctionList ConvertFunctions();
FunctionList DateTimeFunctions();
FunctionList EncodingFunctions();
FunctionList FormatFunctions();
FunctionList GeoEarthFunctions();
FunctionList GeoH3Functions();
FunctionList GeoShapeFunctions();  // the seven below; none in a build without S2
FunctionList GeoBufferFunctions();
FunctionList GeoDensifyFunctions();
FunctionList GeoH3CoverFunctions();
FunctionList GeoIntersectionFunctions();
FunctionList GeoLineFunctions();
FunctionList GeoPolygonFunctions();
FunctionList GeoS2CellFunctions();
FunctionList GeoTextFunctions();
FunctionList GeohashFunctions();
FunctionList IpFunctions();
FunctionList LogicFunctions();
FunctionList MathFunctions();
FunctionList ParseFunctions();
FunctionList PunycodeFunctions();
FunctionList RegexFunctions();
FunctionList SeriesAnalysisFunctions();
FunctionList SeriesFunctions();
FunctionList SetFunctions();
FunctionList StringFunctions();
FunctionList TextOperators();
FunctionList TimeZoneFunctions();
FunctionList UserAgentFunctions();
FunctionList WindowFunctions();
FunctionList XmlFunctions();

}  // namespace picket::kql
