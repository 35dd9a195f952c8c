// Conversions of values, and the functions that are named after them.

#include <charconv>
#include <cmath>

#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"
#include "agent/kql/lexer.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::kql {
namespace {

std::optional<std::int64_t> LongOfText(std::string_view text) {
  text = Trim(text);
  const auto read = [&text](auto number, int base) -> std::optional<std::int64_t> {
    const char* const last = text.data() + text.size();
    const auto [end, code] = std::from_chars(text.data(), last, number, base);
    if (code != std::errc{} || end != last || text.empty()) return std::nullopt;
    return static_cast<std::int64_t>(number);
  };
  if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X") {
    text.remove_prefix(2);
    return read(std::uint64_t{0}, 16);  // the bits of a long: 0xFFFFFFFFFFFFFFFF is -1
  }
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  return read(std::int64_t{0}, 10);
}

std::optional<double> RealOfText(std::string_view text) {
  text = Trim(text);
  double real = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (code == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  if (code != std::errc{}) return std::nullopt;
  return real;
}

// Cut to a whole number; beyond a long, the nearest long.
std::optional<std::int64_t> LongOfReal(double real) {
  if (!std::isfinite(real)) return std::nullopt;
  if (real >= 9.2233720368547758e18) return INT64_MAX;
  if (real <= -9.2233720368547758e18) return INT64_MIN;
  return static_cast<std::int64_t>(real);
}

// A real beyond an int is the nearest int, the long of a dynamic loses its upper bits, any other
// number has no int.
std::optional<std::int64_t> ToInt(const Column& column, std::size_t row) {
  const std::optional<std::int64_t> number = ToLong(column, row);
  if (!number || (*number <= INT32_MAX && *number >= INT32_MIN)) return number;
  if (column.type == Type::kReal) return *number > 0 ? INT32_MAX : INT32_MIN;
  if (column.type == Type::kDynamic && KindOf(column.Text(row)) == JsonKind::kNumber) {
    if (!LongOfText(column.Text(row))) return *number > 0 ? INT32_MAX : INT32_MIN;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
  }
  return std::nullopt;
}

std::string TextOfDynamic(std::string_view json) {
  switch (KindOf(json)) {
    case JsonKind::kNull:
      return {};
    case JsonKind::kString:
      return UnquoteJson(json);
    case JsonKind::kObject:
    case JsonKind::kArray:
      return CompactJson(json).value_or(std::string(json));
    case JsonKind::kBool:
    case JsonKind::kNumber:
      return std::string(json);
  }
  return std::string(json);
}

ColumnPtr ToStringKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (a[0]->type == Type::kString) return a[0];
  return MapRows(Type::kString, a, rows,
                 [&](ColumnBuilder& out, std::size_t row) { out.Text(ToText(*a[0], row)); });
}

template <Type kType>
ColumnPtr ToNumber(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(kType, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<std::int64_t> number =
        kType == Type::kInt ? ToInt(*a[0], row) : ToLong(*a[0], row);
    if (!number) {
      out.Null();
    } else {
      out.Number(*number);
    }
  });
}

ColumnPtr ToRealKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kReal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<double> real = ToReal(*a[0], row);
    if (real) {
      out.Real(*real);
    } else {
      out.Null();
    }
  });
}

ColumnPtr ToDecimalKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDecimal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<Decimal> decimal = ToDecimal(*a[0], row);
    if (!decimal) return out.Null();
    out.Text(ToString(*decimal));
  });
}

ColumnPtr ToBool(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Column& column = *a[0];
    if (column.IsNull(row)) return out.Null();
    if (!IsText(column.type)) return out.Number(column.AsReal(row) != 0.0 ? 1 : 0);
    const std::string text = AsciiLower(ToText(column, row));
    if (text == "true") return out.Number(1);
    if (text == "false") return out.Number(0);
    const std::optional<std::int64_t> number = LongOfText(text);
    if (!number) return out.Null();
    out.Number(*number != 0 ? 1 : 0);
  });
}

ColumnPtr ToDateTime(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (a[0]->type == Type::kDateTime) return a[0];
  return MapRows(Type::kDateTime, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Column& column = *a[0];
    if (column.IsNull(row)) return out.Null();
    if (!IsText(column.type)) return out.Number(ToLong(column, row).value_or(0));
    const auto ticks = ParseDateTimeText(ToText(column, row));
    if (ticks) {
      out.Number(*ticks);
    } else {
      out.Null();
    }
  });
}

ColumnPtr ToTimespan(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (a[0]->type == Type::kTimespan) return a[0];
  return MapRows(Type::kTimespan, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Column& column = *a[0];
    if (column.IsNull(row) || column.type == Type::kReal) return out.Null();
    if (!IsText(column.type)) return out.Number(column.Number(row));
    const auto ticks = ParseTimespanText(ToText(column, row));
    if (ticks) {
      out.Number(*ticks);
    } else {
      out.Null();
    }
  });
}

ColumnPtr ToGuid(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kGuid, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    // Where the hyphens stand does not matter.
    std::string text(Trim(ToText(*a[0], row)));
    std::erase(text, '-');
    if (text.size() == 32) {
      for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
    }
    const Result<Guid> guid = ParseGuid(text);
    if (guid) {
      out.Text(ToString(*guid));
    } else {
      out.Null();
    }
  });
}

ColumnPtr ToDynamic(const EvalContext&, const Arguments& a, std::size_t rows) {
  if (a[0]->type == Type::kDynamic) return a[0];
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Column& column = *a[0];
    if (column.IsNull(row)) return out.Null();
    if (!IsText(column.type)) return out.Text(ToJsonText(column, row));
    const std::string_view text = column.Text(row);
    if (Trim(text).empty()) return out.Null();
    auto json = CompactJson(text);
    if (!json) return out.Text(QuoteJson(text));
    if (*json == "null") return out.Null();
    out.Text(*std::move(json));
  });
}

bool IsEmptyAt(const Column& column, std::size_t row) {
  if (column.IsNull(row)) return true;
  return IsText(column.type) && column.Text(row).empty();
}

ColumnPtr IsEmpty(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Number(IsEmptyAt(*a[0], row) ? 1 : 0);
  });
}
ColumnPtr IsNotEmpty(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Number(IsEmptyAt(*a[0], row) ? 0 : 1);
  });
}
ColumnPtr IsNullKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Number(a[0]->IsNull(row) ? 1 : 0);
  });
}
ColumnPtr IsNotNullKernel(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Number(a[0]->IsNull(row) ? 0 : 1);
  });
}

ColumnPtr GetType(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const Column& column = *a[0];
    if (column.IsNull(row)) return out.Text("null");
    if (column.type != Type::kDynamic) return out.Text(std::string(TypeName(column.type)));
    switch (KindOf(column.Text(row))) {
      case JsonKind::kNull:
        return out.Text("null");
      case JsonKind::kBool:
        return out.Text("bool");
      case JsonKind::kNumber:
        return out.Text(column.Text(row).find_first_of(".eE") == std::string_view::npos ? "long"
                                                                                        : "double");
      case JsonKind::kString:
        return out.Text("string");
      case JsonKind::kArray:
        return out.Text("array");
      case JsonKind::kObject:
        return out.Text("dictionary");
    }
  });
}

}  // namespace

std::string ToText(const Column& column, std::size_t row) {
  if (column.IsNull(row)) return {};
  switch (column.type) {
    case Type::kBool:
      return column.Number(row) != 0 ? "True" : "False";
    case Type::kInt:
    case Type::kLong:
      return std::to_string(column.Number(row));
    case Type::kReal:
      return RealAsString(column.Real(row));
    case Type::kDecimal:
    case Type::kString:
    case Type::kGuid:
      return std::string(column.Text(row));
    case Type::kDateTime:
      return FormatKusto(Instant{column.Number(row)});
    case Type::kTimespan:
      return FormatTimespanText(column.Number(row));
    case Type::kDynamic:
      return TextOfDynamic(column.Text(row));
  }
  return {};
}

std::string_view TextView(const Column& column, std::size_t row, std::string& buffer) {
  if (column.type == Type::kString || column.type == Type::kGuid) return column.Text(row);
  buffer = ToText(column, row);
  return buffer;
}

std::optional<std::int64_t> ToLong(const Column& column, std::size_t row) {
  if (column.IsNull(row)) return std::nullopt;
  if (column.type == Type::kReal) return LongOfReal(column.Real(row));
  if (column.type == Type::kDecimal) {
    const std::string_view text = column.Text(row);
    return LongOfText(text.substr(0, text.find('.')));
  }
  if (!IsText(column.type)) return column.Number(row);
  if (column.type == Type::kDynamic) {
    const std::string_view json = column.Text(row);
    if (KindOf(json) == JsonKind::kBool) return json.front() == 't' ? 1 : 0;
    if (KindOf(json) == JsonKind::kNumber) {
      if (const auto number = LongOfText(json)) return number;
      const auto real = RealOfText(json);
      return real ? LongOfReal(*real) : std::nullopt;
    }
    return LongOfText(TextOfDynamic(json));
  }
  return LongOfText(column.Text(row));
}

std::optional<double> ToReal(const Column& column, std::size_t row) {
  if (column.IsNull(row)) return std::nullopt;
  if (!IsText(column.type)) return column.AsReal(row);
  if (column.type == Type::kDynamic && KindOf(column.Text(row)) == JsonKind::kBool) {
    return column.Text(row).front() == 't' ? 1.0 : 0.0;
  }
  return RealOfText(ToText(column, row));
}

std::optional<Decimal> ToDecimal(const Column& column, std::size_t row) {
  if (column.IsNull(row)) return std::nullopt;
  if (column.type == Type::kReal) {
    const double real = column.Real(row);
    return std::isfinite(real) ? ParseDecimal(RealAsJson(real)) : std::nullopt;
  }
  if (!IsText(column.type)) return ParseDecimal(std::to_string(column.Number(row)));
  return ParseDecimal(Trim(ToText(column, row)));
}

std::string ToJsonText(const Column& column, std::size_t row) {
  if (column.IsNull(row)) return "null";
  switch (column.type) {
    case Type::kBool:
      return column.Number(row) != 0 ? "true" : "false";
    case Type::kInt:
    case Type::kLong:
      return std::to_string(column.Number(row));
    case Type::kReal: {
      const double real = column.Real(row);
      return std::isfinite(real) ? RealAsJson(real) : QuoteJson(RealAsJson(real));
    }
    case Type::kDecimal:
    case Type::kDynamic:
      return std::string(column.Text(row));
    case Type::kString:
    case Type::kGuid:
    case Type::kDateTime:
    case Type::kTimespan:
      return QuoteJson(ToText(column, row));
  }
  return "null";
}

FunctionList ConvertFunctions() {
  return Declare({
      {"gettype(value: scalar): string", &GetType, nullptr, "type_"},
      {"isempty(value: scalar): bool", &IsEmpty},
      {"isnotempty(value: scalar): bool", &IsNotEmpty},
      {"isnotnull(value: scalar): bool", &IsNotNullKernel},
      {"isnull(value: scalar): bool", &IsNullKernel},
      {"parse_json(text: text): dynamic", &ToDynamic, nullptr, kNameOfFirst},
      {"tobool(value: scalar): bool", &ToBool, nullptr, kNameOfFirst},
      {"todatetime(value: scalar): datetime", &ToDateTime, nullptr, kNameOfFirst},
      {"todouble(value: scalar): real", &ToRealKernel, nullptr, kNameOfFirst},
      {"todynamic(value: scalar): dynamic", &ToDynamic, nullptr, kNameOfFirst},
      {"toguid(value: text): guid", &ToGuid, nullptr, kNameOfFirst},
      {"todecimal(value: scalar): decimal", &ToDecimalKernel, nullptr, kNameOfFirst},
      {"toint(value: scalar): int", &ToNumber<Type::kInt>, nullptr, kNameOfFirst},
      {"tolong(value: scalar): long", &ToNumber<Type::kLong>, nullptr, kNameOfFirst},
      {"tostring(value: scalar): string", &ToStringKernel, nullptr, kNameOfFirst},
      {"totimespan(value: scalar): timespan", &ToTimespan, nullptr, kNameOfFirst},
  });
}

}  // namespace picket::kql
