// mv-expand and mv-apply.

#include "agent/kql/expand.h"

#include <algorithm>

#include "agent/kql/json_view.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

// `to typeof(T)` casts: what is not of the type is null.
void AppendElement(ColumnBuilder& out, Type type, const Column& elements, std::size_t at,
                   bool keeps_bytes) {
  const std::string_view json = elements.Text(at);
  const JsonKind kind = KindOf(json);
  if (kind == JsonKind::kNull) return out.Null();
  switch (type) {
    case Type::kDynamic:
      return keeps_bytes ? out.View(json) : out.Text(std::string(json));
    case Type::kString:
      return out.Text(ToText(elements, at));
    case Type::kBool:
      return kind == JsonKind::kBool ? out.Bool(json == "true") : out.Null();
    case Type::kInt:
    case Type::kLong: {
      const auto number = kind == JsonKind::kNumber ? ToLong(elements, at) : std::nullopt;
      const bool fits =
          number && (type == Type::kLong || (*number <= INT32_MAX && *number >= INT32_MIN));
      return fits ? out.Number(*number) : out.Null();
    }
    case Type::kReal: {
      const bool number = kind == JsonKind::kNumber || json == "\"NaN\"" ||
                          json == "\"Infinity\"" || json == "\"-Infinity\"";
      const auto real = number ? ToReal(elements, at) : std::nullopt;
      return real ? out.Real(*real) : out.Null();
    }
    case Type::kDecimal:
      if (kind != JsonKind::kNumber) return out.Null();
      return out.Append(
          FindFunction("todecimal")->run({}, {ConstantColumn(elements.Get(at), 1)}, 1)->Get(0));
    case Type::kDateTime:
    case Type::kTimespan:
    case Type::kGuid:
      break;
  }
  if (kind != JsonKind::kString) return out.Null();
  const char* convert = type == Type::kDateTime   ? "todatetime"
                        : type == Type::kTimespan ? "totimespan"
                                                  : "toguid";
  const ColumnPtr one = ConstantColumn(elements.Get(at), 1);
  out.Append(FindFunction(convert)->run({}, {one}, 1)->Get(0));
}

class MvExpand final : public Operator {
 public:
  MvExpand(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        source_(plan.inputs[0]->schema.size()),
        input_(std::move(input)),
        state_(state),
        expander_(plan, state.context) {
    made_.resize(expander_.outputs());
    for (std::size_t i = 0; i < plan.schema.size(); ++i) {
      if (*plan.picked[0][i] >= source_) made_[*plan.picked[0][i] - source_] = i;
    }
  }

  Result<Batch> Next() override {
    BatchBuilder out(plan_.schema, state_.options.batch_rows);
    while (out.rows() < state_.options.batch_rows) {
      if (row_ >= current_.rows) {
        // Rows made of one batch go out before the next one is read: they point into it.
        if (out.rows() > 0) break;
        PK_RETURN_IF_ERROR(state_.CheckStop());
        PK_ASSIGN_OR_RETURN(current_, input_->Next());
        row_ = 0;
        at_ = 0;
        if (current_.rows == 0) break;
        PK_RETURN_IF_ERROR(expander_.Read(current_));
      }
      if (at_ == 0) rows_ = expander_.Open(row_);
      const std::size_t until = std::min(rows_, at_ + state_.options.batch_rows - out.rows());
      Write(out, at_, until);
      at_ = until;
      if (at_ >= rows_) {
        ++row_;
        at_ = 0;
      }
    }
    for (std::size_t i = 0; i < plan_.schema.size() && out.rows() > 0; ++i) {
      const std::size_t picked = *plan_.picked[0][i];
      if (picked < source_) out.Keep(current_, picked, i);
    }
    return out.Finish();
  }

 private:
  void Write(BatchBuilder& out, std::size_t from, std::size_t until) {
    expander_.Write(from, until, out, made_);
    for (std::size_t i = from; i < until; ++i) {
      for (std::size_t column = 0; column < plan_.schema.size(); ++column) {
        const std::size_t picked = *plan_.picked[0][column];
        if (picked < source_) out.Copy(column, current_, picked, row_);
      }
      AppendLineage(out.batch(), current_, row_);
      out.EndRow();
    }
  }

  const Plan& plan_;
  const std::size_t source_;  // columns of the input
  OperatorPtr input_;
  RunState& state_;
  Expander expander_;
  std::vector<std::size_t> made_;  // where the made columns are in the output
  Batch current_;
  std::size_t row_ = 0;
  std::size_t at_ = 0;  // of the row's elements, of which there are
  std::size_t rows_ = 0;
};

// For each row its elements as a table of their own, and over it the operators of inputs[1].
class MvApply final : public Operator {
 public:
  MvApply(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan), input_(std::move(input)), state_(state), expander_(plan, state.context) {
    const std::size_t source = plan.inputs[0]->schema.size();
    for (std::size_t i = 0; i < expander_.outputs(); ++i) made_.push_back(source + i);
    inner_schema_ = plan.inputs[0]->schema;
    for (const Type type : plan.expand.types) inner_schema_.push_back({"", type});
  }

  Result<Batch> Next() override {
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      if (inner_) {
        PK_ASSIGN_OR_RETURN(const Batch batch, inner_->Next());
        if (batch.rows > 0) return Around(batch);
        inner_.reset();
        state_.memory = memory_;  // what the inner operators held is gone
        ++row_;
      }
      if (row_ >= current_.rows) {
        PK_ASSIGN_OR_RETURN(current_, input_->Next());
        if (current_.rows == 0) return Batch{};
        row_ = 0;
        PK_RETURN_IF_ERROR(expander_.Read(current_));
      }
      PK_RETURN_IF_ERROR(Start());
    }
  }

 private:
  Status Start() {
    const std::size_t rows = expander_.Open(row_);
    memory_ = state_.memory;
    BatchBuilder inner(inner_schema_, rows);
    expander_.Write(0, rows, inner, made_);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t column = 0; column < current_.columns.size(); ++column) {
        inner.Copy(column, current_, column, row_);
      }
      inner.EndRow();
    }
    for (std::size_t column = 0; column < current_.columns.size(); ++column) {
      inner.Keep(current_, column, column);
    }
    const Batch batch = inner.Finish();
    state_.input = &batch;
    PK_ASSIGN_OR_RETURN(inner_, MakeOperator(*plan_.inputs[1], state_));
    state_.input = nullptr;
    return {};
  }

  // What the inner operators gave, beside the source row.
  Batch Around(const Batch& inner) const {
    const Batch row = Select(current_, {static_cast<std::uint32_t>(row_)});
    Batch out;
    out.rows = inner.rows;
    const std::size_t source = row.columns.size();
    for (const auto& picked : plan_.picked[0]) {
      out.columns.push_back(*picked < source
                                ? ConstantColumn(row.columns[*picked]->Get(0), inner.rows)
                                : inner.columns[*picked - source]);
    }
    if (!row.keys.empty()) out.keys.assign(inner.rows, row.keys[0]);
    if (!row.origins.empty()) out.origins.assign(inner.rows, row.origins[0]);
    return out;
  }

  const Plan& plan_;
  OperatorPtr input_;
  RunState& state_;
  Expander expander_;
  std::vector<std::size_t> made_;
  Schema inner_schema_;
  Batch current_;
  std::size_t row_ = 0;
  OperatorPtr inner_;
  std::size_t memory_ = 0;  // charged before the inner operators began
};

}  // namespace

Expander::Expander(const Plan& plan, const EvalContext& context)
    : plan_(plan), programs_(MakePrograms(plan.lists[0], context)), limit_(SIZE_MAX) {
  if (!plan.limit) return;
  const Value limit = EvaluateConstant(*plan.limit, context);
  if (!limit.null) limit_ = static_cast<std::size_t>(std::max<std::int64_t>(0, limit.number));
}

Status Expander::Read(const Batch& batch) {
  PK_ASSIGN_OR_RETURN(values_, RunAll(programs_, batch));
  return {};
}

void Expander::Elements(std::size_t i, std::string_view json) {
  std::vector<std::string_view>& elements = elements_[i].texts;
  if (KindOf(json) == JsonKind::kArray) {
    ForEachElement(json, [&](std::string_view element) {
      elements.push_back(element);
      return true;
    });
  } else if (KindOf(json) == JsonKind::kObject) {
    std::vector<std::string>& bags = bags_[i];
    ForEachMember(json, [&](std::string_view name, std::string_view value) {
      std::string text = plan_.expand.pairs ? "[" : "{";
      text += QuoteJson(name) + (plan_.expand.pairs ? "," : ":");
      bags.push_back(text + std::string(value) + (plan_.expand.pairs ? "]" : "}"));
      return true;
    });
    elements.assign(bags.begin(), bags.end());
  } else {
    elements.push_back(json);
  }
}

std::size_t Expander::Open(std::size_t row) {
  elements_.assign(values_.size(), Column{.type = Type::kDynamic});
  bags_.assign(values_.size(), {});
  std::size_t rows = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    Elements(i, values_[i]->IsNull(row) ? "null" : values_[i]->Text(row));
    rows = std::max(rows, elements_[i].texts.size());
  }
  return std::min(rows, limit_);
}

void Expander::Write(std::size_t from, std::size_t until, BatchBuilder& out,
                     const std::vector<std::size_t>& columns) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    ColumnBuilder& column = out[columns[i]];
    const bool keeps_bytes = bags_[i].empty();
    if (keeps_bytes) column.KeepArenasOf(*values_[i]);
    for (std::size_t at = from; at < until; ++at) {
      if (at < elements_[i].texts.size()) {
        AppendElement(column, plan_.expand.types[i], elements_[i], at, keeps_bytes);
      } else {
        column.Null();
      }
    }
  }
  if (!plan_.expand.index) return;
  for (std::size_t at = from; at < until; ++at) {
    out[columns.back()].Number(static_cast<std::int64_t>(at));
  }
}

OperatorPtr MakeMvExpand(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<MvExpand>(plan, std::move(input), state);
}

OperatorPtr MakeMvApply(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<MvApply>(plan, std::move(input), state);
}

}  // namespace picket::kql
