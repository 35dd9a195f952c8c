// Functions of dynamic arrays. What is no array gives null, unless said.

#include <fmt/format.h>

#include <algorithm>

#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

using Elements = std::vector<std::string_view>;

// f(elements, row) → the array that takes their place.
template <class F>
ColumnPtr MapArrays(const Arguments& a, std::size_t rows, F f) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    out.Text(f(ElementsAt(*a[0], row), row));
  });
}

std::string Joined(const Elements& elements, std::size_t begin, std::size_t end) {
  JsonArray json;
  for (std::size_t i = begin; i < end; ++i) json.Add(elements[i]);
  return json.Text();
}
std::string Joined(const Elements& elements) { return Joined(elements, 0, elements.size()); }

ColumnPtr ArrayLength(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    out.Number(JsonLength(a[0]->Text(row)));
  });
}

ColumnPtr PackArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    JsonArray json;
    for (const ColumnPtr& column : a) json.Add(ToJsonText(*column, row));
    out.Text(json.Text());
  });
}

// Arguments that are no arrays are left out.
ColumnPtr ArrayConcat(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    JsonArray json;
    bool any = false;
    for (const ColumnPtr& column : a) {
      if (!IsArrayAt(*column, row)) continue;
      any = true;
      // Without a list of the elements, which may be larger than they are.
      ForEachElement(column->Text(row), [&json](std::string_view element) {
        json.Add(element);
        return json.bytes() <= kMostColumnBytes;
      });
    }
    if (!any) return out.Null();
    out.Text(json.Text());
  });
}

// An index that counts from the end when it is negative, within 0 … size.
std::size_t Place(std::int64_t index, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(index < 0 ? index + length : index, 0, length));
}

// Both ends belong to the slice.
ColumnPtr ArraySlice(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](const Elements& elements, std::size_t row) {
    const auto size = static_cast<std::int64_t>(elements.size());
    const std::int64_t last = ToLong(*a[2], row).value_or(-1);
    const std::size_t begin = Place(ToLong(*a[1], row).value_or(0), elements.size());
    const std::int64_t end = std::clamp<std::int64_t>((last < 0 ? last + size : last) + 1, 0, size);
    return Joined(elements, begin, std::max(begin, static_cast<std::size_t>(end)));
  });
}

ColumnPtr ArraySplit(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](const Elements& elements, std::size_t row) {
    std::vector<std::int64_t> indices;
    if (a[1]->type == Type::kDynamic) {
      for (const std::string_view index : ElementsAt(*a[1], row)) {
        indices.push_back(static_cast<std::int64_t>(ElementNumber(index).value_or(0)));
      }
    } else {
      indices.push_back(ToLong(*a[1], row).value_or(0));
    }
    JsonArray parts;
    std::size_t begin = 0;
    for (const std::int64_t index : indices) {
      const std::size_t end = std::max(begin, Place(index, elements.size()));
      parts.Add(Joined(elements, begin, end));
      begin = end;
    }
    parts.Add(Joined(elements, begin, elements.size()));
    return parts.Text();
  });
}

template <int kSign>
ColumnPtr ArrayRotate(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](Elements elements, std::size_t row) {
    const auto size = static_cast<std::int64_t>(elements.size());
    if (size == 0) return std::string("[]");
    const std::int64_t left = ToLong(*a[1], row).value_or(0) % size * kSign;
    std::rotate(elements.begin(), elements.begin() + (left + size) % size, elements.end());
    return Joined(elements);
  });
}

template <int kSign>
ColumnPtr ArrayShift(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](const Elements& elements, std::size_t row) {
    const auto size = static_cast<std::int64_t>(elements.size());
    const std::int64_t asked = std::clamp(ToLong(*a[1], row).value_or(0), -size, size);
    const std::string fill = a.size() > 2 ? ToJsonText(*a[2], row) : "null";
    JsonArray json;
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t from = i + asked * kSign;
      const bool inside = from >= 0 && from < size;
      json.Add(inside ? elements[static_cast<std::size_t>(from)] : std::string_view(fill));
    }
    return json.Text();
  });
}

ColumnPtr ArrayReverse(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](Elements elements, std::size_t) {
    std::reverse(elements.begin(), elements.end());
    return Joined(elements);
  });
}

// array_index_of(array, value, start, length, which): -1 when it is not there.
ColumnPtr ArrayIndexOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (!IsArrayAt(*a[0], row)) return out.Null();
    const Elements elements = ElementsAt(*a[0], row);
    const std::string wanted = ElementKey(ToJsonText(*a[1], row));
    const std::int64_t length = a.size() > 3 ? ToLong(*a[3], row).value_or(-1) : -1;
    std::int64_t which = a.size() > 4 ? ToLong(*a[4], row).value_or(1) : 1;
    if (length < -1 || which < 1) return out.Null();
    const std::size_t begin =
        Place(a.size() > 2 ? ToLong(*a[2], row).value_or(0) : 0, elements.size());
    std::size_t end = elements.size();
    if (length >= 0) end = std::min(end, begin + static_cast<std::size_t>(length));
    for (std::size_t i = begin; i < end; ++i) {
      if (ElementKey(elements[i]) == wanted && --which == 0) {
        return out.Number(static_cast<std::int64_t>(i));
      }
    }
    out.Number(-1);
  });
}

// The value for a place of the conditions: an array's element, or the scalar for all places.
std::string ChoiceAt(const Column& column, const Elements& elements, std::size_t row,
                     std::size_t place) {
  if (!IsArrayAt(column, row)) return ToJsonText(column, row);
  return place < elements.size() ? std::string(elements[place]) : "null";
}

ColumnPtr ArrayIff(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](const Elements& conditions, std::size_t row) {
    const Elements when_true = ElementsAt(*a[1], row);
    const Elements when_false = ElementsAt(*a[2], row);
    JsonArray json;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      const std::optional<double> number = ElementNumber(conditions[i]);
      if (!number && KindOf(conditions[i]) != JsonKind::kBool) {
        json.Add("null");
        continue;
      }
      const bool holds = number ? *number != 0.0 : conditions[i] == "true";
      json.Add(holds ? ChoiceAt(*a[1], when_true, row, i) : ChoiceAt(*a[2], when_false, row, i));
    }
    return json.Text();
  });
}

// The order of the first array's elements, nulls at the end that is asked for.
std::vector<std::size_t> Order(const Elements& elements, bool descending, bool nulls_last) {
  std::vector<std::size_t> order(elements.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    const bool null_i = KindOf(elements[i]) == JsonKind::kNull;
    const bool null_j = KindOf(elements[j]) == JsonKind::kNull;
    if (null_i || null_j) return null_i != null_j && (nulls_last ? null_j : null_i);
    const int compared = CompareElements(elements[i], elements[j]);
    return descending ? compared > 0 : compared < 0;
  });
  return order;
}

// array_sort_asc(a, b, …, nulls_last): the arrays, all in the order of the first, each a column.
template <bool kDescending>
ColumnPtr ArraySort(const EvalContext&, const Arguments& a, std::size_t rows) {
  const bool has_flag = a.back()->type == Type::kBool;
  const std::size_t arrays = a.size() - (has_flag ? 1 : 0);
  return MapArrays(a, rows, [&](const Elements& first, std::size_t row) {
    const bool nulls_last = !has_flag || a.back()->Holds(row);
    const std::vector<std::size_t> order = Order(first, kDescending, nulls_last);
    JsonArray all;
    for (std::size_t i = 0; i < arrays; ++i) {
      const Elements elements = ElementsAt(*a[i], row);
      if (elements.size() != first.size()) {
        all.Add("null");
        continue;
      }
      JsonArray sorted;
      for (const std::size_t at : order) sorted.Add(elements[at]);
      all.Add(sorted.Text());
    }
    return all.Text();
  });
}

Schema SortedColumns(const std::vector<std::string>& names, const std::vector<Type>& types) {
  Schema columns;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] == Type::kBool) continue;
    const std::string name = names[i].empty() ? fmt::format("array{}", i) : names[i];
    columns.push_back({name + "_sorted", Type::kDynamic});
  }
  return columns;
}

ColumnPtr Zip(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapArrays(a, rows, [&](const Elements& first, std::size_t row) {
    std::vector<Elements> all = {first};
    for (std::size_t i = 1; i < a.size(); ++i) all.push_back(ElementsAt(*a[i], row));
    std::size_t longest = 0;
    for (const Elements& elements : all) longest = std::max(longest, elements.size());
    JsonArray json;
    for (std::size_t at = 0; at < longest; ++at) {
      JsonArray tuple;
      for (const Elements& elements : all) tuple.Add(at < elements.size() ? elements[at] : "null");
      json.Add(tuple.Text());
    }
    return json.Text();
  });
}

ColumnPtr StrcatArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string delimiter = ToText(*a[1], row);
    std::string text;
    bool first = true;
    for (const std::string_view element : ElementsAt(*a[0], row)) {
      if (!first) text += delimiter;
      first = false;
      text += ElementText(element);
    }
    out.Text(std::move(text));
  });
}

// As many as range() and repeat() may make.
constexpr std::int64_t kMostMade = 1'048'576;

ColumnPtr Repeat(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::int64_t count = ToLong(*a[1], row).value_or(-1);
    if (count < 0) return out.Null();
    const std::string value = ToJsonText(*a[0], row);
    JsonArray json;
    for (std::int64_t i = 0; i < count && i < kMostMade && json.bytes() <= kMostColumnBytes; ++i) {
      json.Add(value);
    }
    out.Text(json.Text());
  });
}

Value StepOf(Type type) {
  const bool time = type == Type::kDateTime || type == Type::kTimespan;
  return time ? Value::Span(kHour) : Value::Long(1);
}

// range(start, stop, step): the step is 1, or an hour.
ColumnPtr RangeOf(const EvalContext&, const Arguments& a, std::size_t rows) {
  const ColumnPtr step = a.size() > 2 ? a[2] : ConstantColumn(StepOf(a[0]->type), rows);
  const bool real =
      a[0]->type == Type::kReal || a[1]->type == Type::kReal || step->type == Type::kReal;
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row) || a[1]->IsNull(row) || step->IsNull(row)) return out.Null();
    JsonArray json;
    if (real) {
      const double by = step->AsReal(row);
      if (by == 0) return out.Null();
      const double count = (a[1]->AsReal(row) - a[0]->AsReal(row)) / by;
      for (std::int64_t i = 0; static_cast<double>(i) <= count && i < kMostMade; ++i) {
        json.Add(RealElement(a[0]->AsReal(row) + static_cast<double>(i) * by));
      }
      return out.Text(json.Text());
    }
    const std::int64_t by = step->Number(row);
    if (by == 0) return out.Null();
    std::int64_t value = a[0]->Number(row);
    const std::int64_t stop = a[1]->Number(row);
    for (std::int64_t i = 0; (by > 0 ? value <= stop : value >= stop) && i < kMostMade; ++i) {
      json.Add(ToJsonText(*ConstantColumn({.type = a[0]->type, .number = value}, 1), 0));
      if (__builtin_add_overflow(value, by, &value)) break;
    }
    out.Text(json.Text());
  });
}

}  // namespace

FunctionList ArrayFunctions() {
  FunctionList list = Declare({
      {"array_length(array: array): long", &ArrayLength},
      {"array_concat(array: array, ... 64): dynamic", &ArrayConcat},
      {"array_iff(conditions: array, when_true: scalar, when_false: scalar): dynamic", &ArrayIff},
      {"array_index_of(array: array, value: scalar, start: integer?, length: integer?, "
       "occurrence: integer?): long",
       &ArrayIndexOf},
      {"array_reverse(array: array): dynamic", &ArrayReverse},
      {"array_rotate_left(array: array, count: integer): dynamic", &ArrayRotate<1>},
      {"array_rotate_right(array: array, count: integer): dynamic", &ArrayRotate<-1>},
      {"array_shift_left(array: array, count: integer, fill: scalar?): dynamic", &ArrayShift<1>},
      {"array_shift_right(array: array, count: integer, fill: scalar?): dynamic", &ArrayShift<-1>},
      {"array_slice(array: array, start: integer, end: integer): dynamic", &ArraySlice},
      {"array_sort_asc(array: array, array_or_nulls_last: scalar?, ... 65): dynamic",
       &ArraySort<false>},
      {"array_sort_desc(array: array, array_or_nulls_last: scalar?, ... 65): dynamic",
       &ArraySort<true>},
      {"array_split(array: array, index_or_indices: scalar): dynamic", &ArraySplit},
      {"pack_array(value: scalar, ...): dynamic", &PackArray},
      {"range(start: summable, stop: summable, step: summable?): dynamic", &RangeOf},
      {"repeat(value: scalar, count: long): dynamic", &Repeat, nullptr, "repeat_"},
      {"strcat_array(array: array, delimiter: scalar): string", &StrcatArray},
      {"zip(array: array, array: array, ... 64): dynamic", &Zip},
  });
  for (Function& function : list) {
    if (function.name.starts_with("array_sort_")) function.tuple = &SortedColumns;
  }
  return list;
}

}  // namespace picket::kql
