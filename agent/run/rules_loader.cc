#include "agent/run/rules_loader.h"

#include "agent/tables/table_catalog.h"

namespace picket::run {

namespace fs = std::filesystem;

fs::path ShippedRules(const fs::path& given) {
  if (!given.empty()) return given;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  // PREFIX/bin/picket → PREFIX/share/picket/detections; build/NAME/… → the source tree.
  fs::path installed = program.parent_path().parent_path() / "share" / "picket" / "detections";
  if (fs::is_directory(installed, error)) return installed;
  for (fs::path up = program.parent_path(); up.has_relative_path(); up = up.parent_path()) {
    if (fs::is_directory(up / "detections", error)) return up / "detections";
  }
  return {};
}

RuleBook LoadRuleBook(const Settings& settings) {
  rules::RuleSet set;
  if (settings.shipped_rules) {
    const fs::path shipped = ShippedRules(settings.shipped_path);
    if (shipped.empty()) {
      set.errors.push_back({"",
                            {.kind = ErrorKind::kNotFound,
                             .message = "the shipped rules are not beside the program",
                             .hint = "Set [rules] shipped_path, or shipped = false."}});
    } else {
      rules::AddRules(set, {shipped}, /*shipped=*/true);
    }
  }
  rules::AddRules(set, settings.rule_paths, /*shipped=*/false);
  RuleBook book;
  book.errors = std::move(set.errors);
  const tables::TableCatalog catalog(settings.files);
  for (rules::Rule& rule : set.rules) {
    rules::Verdict verdict = rules::Check(rule, catalog);
    book.rules.push_back({std::move(rule), std::move(verdict)});
  }
  return book;
}

}  // namespace picket::run
