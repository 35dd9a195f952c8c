// A wrong command line: what is wrong, the nearest right word, where to read on.

#include "agent/cli/usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "agent/cli/context.h"
#include "base/text.h"

namespace picket::cli {
namespace {

// "picket rules check"
std::string PathOf(const CLI::App* verb) {
  std::string path = verb->get_name();
  for (const CLI::App* up = verb->get_parent(); up != nullptr; up = up->get_parent()) {
    path = up->get_name() + " " + path;
  }
  return path;
}

std::string HelpOf(const CLI::App* verb) {
  return verb->help(verb->get_parent() == nullptr ? "" : PathOf(verb->get_parent()));
}

// The innermost verb that the command line names.
const CLI::App* Innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

std::vector<const CLI::App*> AllOf(const CLI::App* group) {
  return group->get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> VerbsOf(const CLI::App* group) {
  std::vector<std::string> names;
  for (const CLI::App* verb : AllOf(group)) names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> OptionsOf(const CLI::App* verb) {
  std::vector<std::string> names;
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  return names;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& names) {
  if (word.size() < 3) return "";  // all short words are near each other
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view nearest = Nearest(word, views);
  return nearest.empty() ? "" : fmt::format("Did you mean '{}'? ", nearest);
}

// Words that no verb or option took. CLI11 keeps an option's value before the option.
std::string Unexpected(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  for (const std::string& word : words) {
    if (word.size() > 1 && word.front() == '-') return word.substr(0, word.find('='));
  }
  return words.empty() ? "" : words.front();
}

Error NoSuchVerb(const CLI::App* group, const std::string& word) {
  return {.message = fmt::format("'{}' has no command '{}'", PathOf(group), word),
          .hint = fmt::format("{}'{} --help' lists them.", DidYouMean(word, VerbsOf(group)),
                              PathOf(group))};
}

Error Explain(const CLI::App& app, const CLI::App* verb, const CLI::ParseError& error) {
  const std::string path = PathOf(verb);
  const std::string more = fmt::format("'{} --help' has all of it.", path);
  const std::string word = Unexpected(app);
  if (!word.empty() && word.front() == '-') {
    return {.message = fmt::format("'{}' has no option '{}'", path, word),
            .hint = DidYouMean(word, OptionsOf(verb)) + more};
  }
  if (!word.empty() && !AllOf(verb).empty()) return NoSuchVerb(verb, word);
  if (!word.empty()) {
    return {.message = fmt::format("'{}' does not take '{}'", path, word), .hint = more};
  }
  std::string message(Trim(error.what()));
  if (const auto* mismatch = dynamic_cast<const CLI::ArgumentMismatch*>(&error)) {
    const std::string what = mismatch->what();
    message = what.substr(0, what.find(':')) + " needs a value";
  }
  return {.message = std::move(message), .hint = more};
}

// Prints the help of the verb that the words name.
void Help(Context& context, const CLI::App* verb, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const CLI::App* next = nullptr;
    for (const CLI::App* each : AllOf(verb)) {
      if (each->get_name() == word) next = each;
    }
    if (next == nullptr) {
      PrintError(NoSuchVerb(verb, word));
      context.exit_code = 64;
      return;
    }
    verb = next;
  }
  WriteAll(HelpOf(verb), stdout);
}

}  // namespace

void AddHelp(CLI::App& app, Context& context) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand("help", "What a command does, with examples");
  verb->add_option("COMMAND", *words, "The command");
  verb->footer("Examples:\n  picket help\n  picket help rules check");
  verb->callback([&app, &context, words] { Help(context, &app, *words); });
}

void Choices(CLI::App& verb, const std::string& option, std::vector<std::string> names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : "|") + name;
  verb.get_option(option)->type_name(list)->check(
      [names = std::move(names), list](const std::string& given) {
        if (std::find(names.begin(), names.end(), given) != names.end()) return std::string();
        return fmt::format("'{}' is none of {}. {}", given, list, DidYouMean(given, names));
      },
      "", "choices");
}

int AnswerParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // help, version
  const CLI::App* verb = Innermost(&app);
  const bool bare = !AllOf(verb).empty() && app.remaining(/*recurse=*/true).empty();
  if (bare) {
    WriteAll(HelpOf(verb), stderr);
  } else {
    PrintError(Explain(app, verb, error));
  }
  return 64;
}

}  // namespace picket::cli
