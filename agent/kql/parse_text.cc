// parse, parse-where and parse-kv: columns out of a text.

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

constexpr std::array<char, 3> kBlanks = {' ', '\t', '\n'};

// The text as the column's type; nullopt when it is none.
std::optional<Value> TypedText(std::string_view text, Type type) {
  if (type == Type::kString) return Value::String(std::string(text));
  const ColumnPtr one = ConstantColumn(Value::String(std::string(text)), 1);
  Value value = FindFunction(ConverterTo(type))->run({}, {one}, 1)->Get(0);
  if (value.null) return std::nullopt;
  return value;
}

// The values of one row, by output.
using Found = std::vector<std::optional<std::string_view>>;

// Where the value that begins at `at` ends: after what numbers are written with, or before the mark
// that ends a word.
std::size_t ValueEnd(std::string_view text, std::size_t at, Type type) {
  const bool number = IsNumeric(type);
  const std::string_view marks = number ? "0123456789+-" : ",;)]} \t\n";
  const std::size_t end =
      number ? text.find_first_not_of(type == Type::kReal ? "0123456789+-.eE" : marks, at)
             : text.find_first_of(marks, at);
  return end == std::string_view::npos ? text.size() : end;
}

// Texts stand where the pattern has them, a column takes what is between two of them.
bool MatchTexts(const std::vector<ParsePart>& parts, std::string_view text, Found& found) {
  std::size_t at = 0;
  const ParsePart* open = nullptr;  // a star or a column that waits for the text after it
  const auto close = [&](std::size_t end) {
    if (open != nullptr && open->output) found[*open->output] = text.substr(at, end - at);
    open = nullptr;
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ParsePart& part = parts[i];
    if (part.star || part.output) {
      // A column with a type, and a star after it: it ends where its value does.
      if (part.star && open != nullptr) {
        const std::size_t end = ValueEnd(text, at, open->type);
        close(end);
        at = end;
      }
      open = &part;
      continue;
    }
    const bool last = i + 1 == parts.size();
    std::size_t place =
        open != nullptr
            ? text.find(part.text, at)
            : (text.substr(at, part.text.size()) == part.text ? at : std::string_view::npos);
    if (last && open != nullptr && text.size() >= at + part.text.size() &&
        text.substr(text.size() - part.text.size()) == part.text) {
      place = text.size() - part.text.size();
    }
    if (place == std::string_view::npos) return false;
    close(place);
    at = place + part.text.size();
  }
  if (open == nullptr) return at == text.size();
  close(text.size());
  return true;
}

class Parse final : public Operator {
 public:
  Parse(const Plan& plan, OperatorPtr input, RunState& state)
      : plan_(plan),
        spec_(plan.parse),
        source_(plan.inputs[0]->schema.size()),
        text_(plan.lists[0][0], state.context),
        input_(std::move(input)),
        state_(state) {
    std::size_t made = 0;
    for (const auto& picked : plan.picked[0]) made += *picked >= source_ ? 1U : 0U;
    made_.resize(made);
    for (std::size_t i = 0; i < plan.schema.size(); ++i) {
      if (*plan.picked[0][i] >= source_) made_[*plan.picked[0][i] - source_] = i;
    }
    if (spec_.mode != Plan::Parse::Mode::kRegex) return;
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(8 << 20);
    options.set_dot_nl(true);
    regex_ = std::make_unique<RE2>(spec_.regex, options);
  }

  Result<Batch> Next() override {
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(const Batch batch, input_->Next());
      if (batch.rows == 0) return Batch{};
      PK_ASSIGN_OR_RETURN(const ColumnPtr text, text_.Run(batch));
      BatchBuilder out(plan_.schema, batch.rows);
      for (std::size_t row = 0; row < batch.rows; ++row) AddRow(batch, *text, row, out);
      for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
        if (*plan_.picked[0][i] < source_) out.Keep(batch, *plan_.picked[0][i], i);
      }
      if (out.rows() > 0) return out.Finish();
    }
  }

 private:
  void AddRow(const Batch& batch, const Column& column, std::size_t row, BatchBuilder& out) {
    const std::string text = ToText(column, row);
    Found found(made_.size());
    const bool matches = spec_.pairs ? MatchPairs(text, found) : Match(text, found);
    std::vector<std::optional<Value>> values(made_.size());
    bool all = true;
    for (std::size_t i = 0; matches && i < made_.size(); ++i) {
      if (found[i]) values[i] = TypedText(*found[i], plan_.schema[made_[i]].type);
      all = all && values[i];
    }
    // A value of the wrong type is no match, but for relaxed patterns and pairs.
    const bool relaxed = spec_.mode == Plan::Parse::Mode::kRelaxed || spec_.pairs;
    const bool holds = matches && (all || relaxed);
    if (spec_.filter && !(matches && all)) return;
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (holds && values[i]) {
        out[made_[i]].Append(*values[i]);
      } else {
        out[made_[i]].Null();
      }
    }
    for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
      if (*plan_.picked[0][i] < source_) out.Copy(i, batch, *plan_.picked[0][i], row);
    }
    AppendLineage(out.batch(), batch, row);
    out.EndRow();
  }

  bool Match(std::string_view text, Found& found) const {
    if (!regex_) return MatchTexts(spec_.parts, text, found);
    std::vector<re2::StringPiece> groups(made_.size() + 1);
    if (!regex_->ok() ||
        !regex_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                       RE2::ANCHOR_START, groups.data(), static_cast<int>(groups.size()))) {
      return false;
    }
    for (const ParsePart& part : spec_.parts) {
      if (!part.output) continue;
      const re2::StringPiece& group = groups[*part.output + 1];
      found[*part.output] =
          std::string_view(group.data() == nullptr ? "" : group.data(), group.size());
    }
    return true;
  }

  // key=value, the first of each key; space around either is dropped.
  bool MatchPairs(std::string_view text, Found& found) const {
    while (!text.empty()) {
      const std::size_t split = text.find(spec_.value_delimiter);
      if (split == std::string_view::npos) break;
      std::string_view key = text.substr(0, split);
      std::string_view rest = text.substr(split + spec_.value_delimiter.size());
      key = KeyOf(Trim(key));
      const std::string_view value = TakeValue(rest);
      for (std::size_t i = 0; i < made_.size(); ++i) {
        if (!found[i] && plan_.schema[made_[i]].name == Trim(key)) found[i] = value;
      }
      text = rest;
    }
    return true;
  }

  // What stands before the key's own pair has no value.
  std::string_view KeyOf(std::string_view before) const {
    if (!spec_.quote.empty() && before.size() > 1 && before.ends_with(spec_.quote.back())) {
      const std::size_t open = before.rfind(spec_.quote.front(), before.size() - 2);
      if (open != std::string_view::npos) {
        return before.substr(open + 1, before.size() - open - 2);
      }
    }
    const std::size_t last =
        spec_.pair_delimiter.empty() ? std::string_view::npos : before.rfind(spec_.pair_delimiter);
    if (last == std::string_view::npos) return before;
    return before.substr(last + spec_.pair_delimiter.size());
  }

  std::string_view TakeValue(std::string_view& rest) const {
    const std::string_view trimmed = Trim(rest);
    if (!spec_.quote.empty() && trimmed.starts_with(spec_.quote.front())) {
      const std::size_t begin = rest.find(spec_.quote.front()) + 1;
      const std::size_t end = rest.find(spec_.quote.back(), begin);
      if (end != std::string_view::npos) {
        const std::string_view value = rest.substr(begin, end - begin);
        rest.remove_prefix(end + 1);
        return value;
      }
    }
    // Blanks before a value are not the delimiter of pairs, even when that is a blank.
    while (!rest.empty() &&
           std::find(kBlanks.begin(), kBlanks.end(), rest.front()) != kBlanks.end()) {
      rest.remove_prefix(1);
    }
    std::size_t end =
        spec_.pair_delimiter.empty() ? std::string_view::npos : rest.find(spec_.pair_delimiter);
    if (end == std::string_view::npos) end = rest.size();
    const std::string_view value = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + spec_.pair_delimiter.size()));
    return value;
  }

  const Plan& plan_;
  const Plan::Parse& spec_;
  const std::size_t source_;  // columns of the input
  Program text_;
  OperatorPtr input_;
  RunState& state_;
  std::vector<std::size_t> made_;
  std::unique_ptr<RE2> regex_;
};

}  // namespace

OperatorPtr MakeParse(const Plan& plan, OperatorPtr input, RunState& state) {
  return std::make_unique<Parse>(plan, std::move(input), state);
}

}  // namespace picket::kql
