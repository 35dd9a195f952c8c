// buildschema: the least schema that takes all values. A type is its name, several are a list; an
// object's is an object of its properties', and an array's elements are the property `indexer`.

#include <map>
#include <memory>
#include <set>

#include "agent/kql/aggregate.h"
#include "agent/kql/dynamic_kernel.h"

namespace picket::kql {
namespace {

constexpr std::string_view kIndexer = "`indexer`";
constexpr std::size_t kMostProperties = 10'000;

struct Shape {
  std::set<std::string_view> scalars;
  bool object = false;
  std::map<std::string, Shape, std::less<>> properties;
};

std::string_view NumberType(std::string_view json) {
  return json.find_first_of(".eE") == std::string_view::npos ? "long" : "double";
}

std::string TextOf(const Shape& shape) {
  std::vector<std::string> types;
  if (shape.object) {
    JsonBag bag;
    for (const auto& [name, property] : shape.properties) bag.Add(name, TextOf(property));
    types.push_back(bag.Text());
  }
  for (const std::string_view scalar : shape.scalars) types.push_back(QuoteJson(scalar));
  if (types.size() == 1) return types[0];
  JsonArray list;
  for (const std::string& type : types) list.Add(type);
  return list.Text();
}

class Schemas final : public Accumulator {
 public:
  void Add(const Arguments& a, std::size_t row) override {
    if (a[0]->IsNull(row)) return;
    any_ = true;
    Take(a[0]->Text(row), shape_);
  }
  [[nodiscard]] std::vector<Value> Finish() const override {
    return {any_ ? Value::Dynamic(TextOf(shape_)) : Value::Null(Type::kDynamic)};
  }
  [[nodiscard]] std::size_t Bytes() const override { return 64 + bytes_; }

 private:
  void Take(std::string_view json, Shape& shape) {
    switch (KindOf(json)) {
      case JsonKind::kNull:
        return;
      case JsonKind::kBool:
        shape.scalars.insert("bool");
        return;
      case JsonKind::kNumber:
        shape.scalars.insert(NumberType(json));
        return;
      case JsonKind::kString:
        shape.scalars.insert("string");
        return;
      case JsonKind::kArray:
        shape.object = true;
        ForEachElement(
            json, [&](std::string_view element) { return TakeProperty(kIndexer, element, shape); });
        return;
      case JsonKind::kObject:
        shape.object = true;
        ForEachMember(json, [&](std::string_view name, std::string_view value) {
          return TakeProperty(name, value, shape);
        });
        return;
    }
  }

  // False: there are too many; the others are left out.
  bool TakeProperty(std::string_view name, std::string_view value, Shape& shape) {
    auto property = shape.properties.find(name);
    if (property == shape.properties.end()) {
      if (properties_ >= kMostProperties) return false;
      ++properties_;
      bytes_ += 160 + name.size();
      property = shape.properties.emplace(name, Shape{}).first;
    }
    Take(value, property->second);
    return true;
  }

  Shape shape_;
  bool any_ = false;
  std::size_t properties_ = 0;
  std::size_t bytes_ = 0;
};

std::unique_ptr<Accumulator> MakeSchemas(const std::vector<Type>&) {
  return std::make_unique<Schemas>();
}

}  // namespace

AggregateList SchemaAggregates() {
  return {AggregateFunction{ParseSignature("buildschema(value: bag): dynamic"), "schema_",
                            &MakeSchemas, nullptr}};
}

}  // namespace picket::kql
