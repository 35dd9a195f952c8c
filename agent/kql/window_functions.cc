// Functions that look at the rows around theirs; they get the whole input as one batch.

#include <fmt/format.h>

#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

bool Restarts(const Arguments& a, std::size_t at, std::size_t row) {
  return a.size() > at && a[at]->Holds(row);
}

ColumnPtr RowNumber(const EvalContext&, const Arguments& a, std::size_t rows) {
  ColumnBuilder out(Type::kLong, rows);
  const std::int64_t start = a.empty() ? 1 : ToLong(*a[0], 0).value_or(1);
  std::int64_t number = start;
  for (std::size_t row = 0; row < rows; ++row) {
    if (Restarts(a, 1, row)) number = start;
    out.Number(number++);
  }
  return out.Finish();
}

std::optional<Type> BindSummed(const std::vector<Type>& types, std::string& why) {
  if (IsNumeric(types[0]) || types[0] == Type::kTimespan) return types[0];
  why = fmt::format("a {} cannot be summed", TypeName(types[0]));
  return std::nullopt;
}

ColumnPtr RowCumulative(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Column& term = *a[0];
  ColumnBuilder out(term.type, rows);
  std::uint64_t whole = 0;
  double real = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (Restarts(a, 1, row)) {
      whole = 0;
      real = 0;
    }
    if (!term.IsNull(row)) {
      if (term.type == Type::kReal) {
        real += term.Real(row);
      } else {
        whole += static_cast<std::uint64_t>(term.Number(row));
      }
    }
    if (term.type == Type::kReal) {
      out.Real(real);
    } else {
      out.Number(static_cast<std::int64_t>(whole));
    }
  }
  return out.Finish();
}

// prev(x, n, default) and next(…): the value n rows before or after.
template <int kSign>
ColumnPtr Neighbour(const EvalContext&, const Arguments& a, std::size_t rows) {
  const Column& column = *a[0];
  ColumnBuilder out(column.type, rows);
  out.KeepArenasOf(column);
  if (a.size() > 2) out.KeepArenasOf(*a[2]);
  const std::int64_t offset = a.size() > 1 ? ToLong(*a[1], 0).value_or(1) : 1;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t at = static_cast<std::int64_t>(row) + kSign * offset;
    if (at >= 0 && at < static_cast<std::int64_t>(rows)) {
      out.AppendFrom(column, static_cast<std::size_t>(at));
    } else if (a.size() > 2) {
      out.AppendFrom(*a[2], row);
    } else {
      out.Null();
    }
  }
  return out.Finish();
}

// Two rows of equal value have one rank.
bool SameValue(const Column& column, std::size_t i, std::size_t j) {
  if (column.IsNull(i) || column.IsNull(j)) return column.IsNull(i) && column.IsNull(j);
  return CompareValues(column, i, column, j) == 0;
}

template <bool kDense>
ColumnPtr RowRank(const EvalContext&, const Arguments& a, std::size_t rows) {
  ColumnBuilder out(Type::kLong, rows);
  std::int64_t rank = 0;
  std::int64_t since = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool first = row == 0 || Restarts(a, 1, row);
    if (first) {
      rank = 1;
      since = 0;
    } else if (!SameValue(*a[0], row, row - 1)) {
      rank = kDense ? rank + 1 : since + 1;
    }
    ++since;
    out.Number(rank);
  }
  return out.Finish();
}

// row_window_session(t, most from the first, most between two, restart): the session's first time.
ColumnPtr RowWindowSession(const EvalContext&, const Arguments& a, std::size_t rows) {
  ColumnBuilder out(Type::kDateTime, rows);
  const std::int64_t from_first = ToLong(*a[1], 0).value_or(0);
  const std::int64_t between = ToLong(*a[2], 0).value_or(0);
  bool open = false;
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (a[0]->IsNull(row)) {
      out.Null();
      open = false;
      continue;
    }
    const std::int64_t time = a[0]->Number(row);
    const bool begins =
        !open || Restarts(a, 3, row) || time - first > from_first || time - last > between;
    if (begins) first = time;
    open = true;
    last = time;
    out.Number(first);
  }
  return out.Finish();
}

}  // namespace

FunctionList WindowFunctions() {
  FunctionList list = Declare({
      {"next(value: scalar, offset: long?, default: scalar?): same", &Neighbour<1>, &BindFirst},
      {"prev(value: scalar, offset: long?, default: scalar?): same", &Neighbour<-1>, &BindFirst},
      {"row_cumsum(term: summable, restart: bool?): same", &RowCumulative, &BindSummed},
      {"row_number(start: long?, restart: bool?): long", &RowNumber},
      {"row_rank_dense(term: not dynamic, restart: bool?): long", &RowRank<true>},
      {"row_rank_min(term: not dynamic, restart: bool?): long", &RowRank<false>},
      {"row_window_session(time: datetime, from_first: timespan, between: timespan, "
       "restart: bool?): datetime",
       &RowWindowSession},
  });
  for (Function& function : list) {
    function.varies = true;
    function.window = true;
  }
  return list;
}

}  // namespace picket::kql
