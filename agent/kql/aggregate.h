#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/kql/kernel.h"

namespace picket::kql {

// What the files of aggregate functions share.

using AggregateList = std::vector<AggregateFunction>;
using MakeAccumulator = std::unique_ptr<Accumulator> (*)(const std::vector<Type>& arguments);

// Adds only the rows whose argument `place` holds.
class Conditional final : public Accumulator {
 public:
  Conditional(std::unique_ptr<Accumulator> inner, std::size_t place)
      : inner_(std::move(inner)), place_(place) {}
  void Add(const Arguments& a, std::size_t row) override {
    if (a[place_]->Holds(row)) inner_->Add(a, row);
  }
  [[nodiscard]] std::vector<Value> Finish() const override { return inner_->Finish(); }
  [[nodiscard]] std::size_t Bytes() const override { return inner_->Bytes(); }

 private:
  std::unique_ptr<Accumulator> inner_;
  const std::size_t place_;
};

// The same aggregate over the rows for which the argument `kPlace` holds.
template <MakeAccumulator kMake, std::size_t kPlace = 1>
std::unique_ptr<Accumulator> MakeIf(const std::vector<Type>& types) {
  return std::make_unique<Conditional>(kMake(types), kPlace);
}

// The parts of the table; see aggregates.cc.
AggregateList CollectionAggregates();
AggregateList SchemaAggregates();
AggregateList StatisticalAggregates();
AggregateList PercentileAggregates();

}  // namespace picket::kql
