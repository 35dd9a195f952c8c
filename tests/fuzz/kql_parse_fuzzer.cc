// Any bytes as a query: lexer, parser and binder end with a plan or an error that says where.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "agent/kql/engine.h"

namespace {

class SmallCatalog final : public picket::kql::Catalog {
 public:
  [[nodiscard]] const picket::kql::Schema* Find(std::string_view table) const override {
    return table == "T" ? &schema_ : nullptr;
  }
  [[nodiscard]] std::vector<std::string_view> Names() const override { return {"T"}; }

 private:
  const picket::kql::Schema schema_ = {{"TimeGenerated", picket::kql::Type::kDateTime},
                                       {"a", picket::kql::Type::kString},
                                       {"b", picket::kql::Type::kLong},
                                       {"d", picket::kql::Type::kDynamic}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SmallCatalog catalog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const picket::kql::CompileResult result = picket::kql::Compile(text, catalog);
  if (result.query == nullptr && result.errors.empty()) std::abort();
  for (const picket::kql::Diagnostic& error : result.errors) {
    if (error.code.empty() || error.line < 1 || error.column < 1 ||
        error.span.begin > error.span.end || error.span.end > size) {
      std::abort();
    }
  }
  return 0;
}
