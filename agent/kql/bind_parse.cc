// parse, parse-where and parse-kv.

#include <fmt/format.h>
#include <re2/re2.h>

#include "agent/kql/bind_core.h"
#include "base/text.h"

namespace picket::kql {
namespace {

Plan::Parse::Mode ModeOf(const OperatorAst& op) {
  const OptionAst* kind = op.Option("kind");
  if (kind == nullptr || kind->text == "simple") return Plan::Parse::Mode::kSimple;
  if (kind->text == "relaxed") return Plan::Parse::Mode::kRelaxed;
  if (kind->text == "regex") return Plan::Parse::Mode::kRegex;
  Refuse(op.span, "KS006", fmt::format("'{}' is no kind of parse", EscapeTerminal(kind->text)));
}

std::string_view RegexOf(Type type) {
  switch (type) {
    case Type::kInt:
    case Type::kLong:
      return R"(([-+]?\d+))";
    case Type::kReal:
      return R"(([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|NaN|[iI]nf(?:inity)?)))";
    case Type::kBool:
      return "([tT]rue|[fF]alse|[01])";
    default:
      return "(.*)";
  }
}

// The length of what names a group, behind its `(`: "?P<name>", "?<name>"; 0: nothing does.
std::size_t GroupName(std::string_view text) {
  const std::size_t name = text.substr(0, 3) == "?P<" ? 3 : text.substr(0, 2) == "?<" ? 2 : 0;
  const std::size_t end = name == 0 ? std::string_view::npos : text.find('>', name);
  return end == std::string_view::npos ? 0 : end + 1;
}

// Groups of the query's own must not be counted among the columns': they group, and no more.
std::string WithoutGroups(std::string_view text) {
  std::string written;
  bool inside = false;  // of [...], where a parenthesis is a character
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    written += c;
    if (c == '\\' && i + 1 < text.size()) {
      written += text[++i];
    } else if (inside) {
      inside = c != ']';
    } else if (c == '[') {
      inside = true;
      // A ']' right behind the beginning is a character of the class.
      if (i + 1 < text.size() && text[i + 1] == '^') written += text[++i];
      if (i + 1 < text.size() && text[i + 1] == ']') written += text[++i];
    } else if (c == '(') {
      const std::size_t name = GroupName(text.substr(i + 1));
      i += name;
      if (name > 0 || i + 1 == text.size() || text[i + 1] != '?') written += "?:";
    }
  }
  return written;
}

// The whole pattern as one regex: texts are regexes, a star is any text.
std::string PatternRegex(const OperatorAst& op, const std::vector<ParsePart>& parts) {
  std::string flags = "(?";
  if (const OptionAst* option = op.Option("flags")) {
    for (const char flag : option->text) {
      if (std::string_view("Uims").find(flag) == std::string_view::npos) {
        Refuse(op.span, "KS006",
               fmt::format("'{}' is no flag of a regex", EscapeTerminal(std::string(1, flag))));
      }
      flags += flag;
    }
  }
  std::string regex = flags.size() > 2 ? flags + ")" : "";
  for (const ParsePart& part : parts) {
    if (part.star) {
      regex += ".*";
    } else if (part.output) {
      regex += RegexOf(part.type);
    } else {
      regex += "(?:" + WithoutGroups(part.text) + ")";
    }
  }
  return regex;
}

// What may stand after what: a column takes all up to the next text, so it needs one; one with a
// type ends where its value does.
void CheckPart(const std::vector<ParsePart>& before, const ParsePart& part, Span span) {
  if (before.empty() || !(part.star || part.output)) return;
  const ParsePart& last = before.back();
  if (last.star) Refuse(span, "KS102", "a text must follow a '*'");
  if (!last.output) return;
  if (part.output) Refuse(span, "KS101", "a text must stand before the column");
  if (last.type == Type::kString) Refuse(span, "KS103", "'*' after a string column is ambiguous");
}

std::string TextOption(const OperatorAst& op, std::string_view name) {
  const OptionAst* option = op.Option(name);
  if (option == nullptr || !option->value) return "";
  if (option->value->kind != AstKind::kLiteral || option->value->value.type != Type::kString) {
    Refuse(op.span, "KS141", fmt::format("{} takes a text", name));
  }
  return option->value->value.text;
}

}  // namespace

PlanPtr Binder::Parse(PlanPtr input, const OperatorAst& op, const Scope* scope) {
  PlanPtr plan = PlanOver(std::move(input), Plan::Kind::kParse);
  ExpressionBinder binder(*this, plan->inputs[0]->schema, scope);
  plan->lists.emplace_back().push_back(
      Convert(binder.Bind(Inside(*op.count)), Type::kString, op.count->span));
  Plan::Parse& spec = plan->parse;
  spec.filter = op.name == "parse-where";
  Schema made;
  if (op.name == "parse-kv") {
    spec.pairs = true;
    spec.pair_delimiter = TextOption(op, "pair_delimiter");
    spec.value_delimiter = TextOption(op, "kv_delimiter");
    spec.quote = TextOption(op, "quote");
    spec.escape = TextOption(op, "escape");
    if (spec.quote.size() > 2) {
      Refuse(op.span, "PK104", "parse-kv: the quote is one character, or two for begin and end");
    }
    if (spec.value_delimiter.empty() || !spec.escape.empty() || op.Option("regex") != nullptr ||
        op.Option("greedy") != nullptr) {
      Refuse(op.span, "PK100", "parse-kv with regex, greedy or escape is not supported");
    }
    made = op.columns;
  } else {
    spec.mode = ModeOf(op);
    for (const AstPtr& ast : op.expressions) {
      ParsePart part;
      if (ast->kind == AstKind::kStar) {
        part.star = true;
      } else if (ast->kind == AstKind::kLiteral) {
        part.text = ast->value.text;
      } else {
        part.output = made.size();
        part.type = ast->type;
        made.push_back({ast->text, ast->type});
      }
      CheckPart(spec.parts, part, ast->span);
      spec.parts.push_back(std::move(part));
    }
    if (spec.mode == Plan::Parse::Mode::kRegex) {
      spec.regex = PatternRegex(op, spec.parts);
      const RE2 regex(spec.regex, RE2::Quiet);
      if (!regex.ok()) {
        Refuse(op.span, "KS136",
               fmt::format("the pattern is no regex: {}", EscapeTerminal(regex.error())));
      }
    }
  }
  AddMade(*plan, made);
  return plan;
}

}  // namespace picket::kql
