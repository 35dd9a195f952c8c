// evaluate ipv4_lookup and ipv6_lookup: each row with the narrowest network that holds its address.

#include <set>
#include <unordered_map>

#include "agent/kql/evaluator.h"
#include "agent/kql/ip_address.h"
#include "agent/kql/kernel.h"

namespace picket::kql {
namespace {

// Prefixes count in IPv6 bits for both families.
std::optional<IpAddress> ParseAddress(std::string_view text, bool v4) {
  return v4 ? ParseIpv4(text) : ParseIp(text);
}

// What a network and an address in it share: the prefix' length and its bits.
std::string PrefixKey(const IpAddress& address, int prefix) {
  const IpAddress masked = Masked(address, prefix);
  std::string key(1, static_cast<char>(prefix));
  key.append(masked.bytes.begin(), masked.bytes.end());
  return key;
}

class IpLookup final : public Operator {
 public:
  IpLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state)
      : plan_(plan),
        left_columns_(plan.inputs[0]->schema.size()),
        left_(std::move(left)),
        right_(std::move(right)),
        state_(state),
        left_keys_(MakePrograms(plan.lists[0], state.context)),
        right_keys_(MakePrograms(plan.lists[1], state.context)) {}

  Result<Batch> Next() override {
    if (right_) PK_RETURN_IF_ERROR(Build());
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(const Batch batch, left_->Next());
      if (batch.rows == 0) return Batch{};
      PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(left_keys_, batch));
      BatchBuilder out(plan_.schema, batch.rows);
      for (std::size_t row = 0; row < batch.rows; ++row) {
        const Place* match = Find(keys, row);
        if (match != nullptr || plan_.join == JoinKind::kLeftOuter) Emit(batch, row, match, out);
      }
      KeepBytes(batch, out);
      if (out.rows() > 0) return out.Finish();
    }
  }

 private:
  static std::string FurtherKeys(const Arguments& keys, std::size_t row) {
    std::string key;
    for (std::size_t i = 1; i < keys.size(); ++i) AppendRowKey(key, *keys[i], row);
    return key;
  }

  Status Build() {
    const auto hold = [this](Batch batch) -> Status {
      PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(right_keys_, batch));
      PK_RETURN_IF_ERROR(state_.Charge(BytesOf(batch) + batch.rows * 96, "ipv4_lookup"));
      const auto index = static_cast<std::uint32_t>(held_.size());
      for (std::uint32_t row = 0; row < batch.rows; ++row) {
        const auto network = ParseAddress(ToText(*keys[0], row), plan_.plugin.v4);
        if (!network) continue;
        lengths_.insert(network->prefix);
        networks_.emplace(PrefixKey(*network, network->prefix) + FurtherKeys(keys, row),
                          Place{index, row});
      }
      held_.push_back(std::move(batch));
      return {};
    };
    PK_RETURN_IF_ERROR(ForEachBatch(*right_, state_, hold));
    right_.reset();
    return {};
  }

  const Place* Find(const Arguments& keys, std::size_t row) const {
    const auto address = ParseAddress(ToText(*keys[0], row), plan_.plugin.v4);
    if (!address) return nullptr;
    const std::string further = FurtherKeys(keys, row);
    for (auto bits = lengths_.rbegin(); bits != lengths_.rend(); ++bits) {
      if (*bits > address->prefix) continue;
      const auto found = networks_.find(PrefixKey(*address, *bits) + further);
      if (found != networks_.end()) return &found->second;
    }
    return nullptr;
  }

  void Emit(const Batch& batch, std::size_t row, const Place* match, BatchBuilder& out) {
    for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
      const std::size_t from = *plan_.picked[0][i];
      if (from < left_columns_) {
        out.Copy(i, batch, from, row);
      } else if (match != nullptr) {
        out.Copy(i, held_[match->batch], from - left_columns_, match->row);
      } else {
        out[i].Null();
      }
    }
    // The row is the left one, whatever it is enriched with.
    if (!batch.keys.empty()) out.batch().keys.push_back(batch.keys[row]);
    if (!batch.origins.empty()) out.batch().origins.push_back(batch.origins[row]);
    out.EndRow();
  }

  void KeepBytes(const Batch& batch, BatchBuilder& out) const {
    for (std::size_t i = 0; i < plan_.schema.size(); ++i) {
      const std::size_t from = *plan_.picked[0][i];
      if (from < left_columns_) {
        out.Keep(batch, from, i);
      } else {
        for (const Batch& held : held_) out.Keep(held, from - left_columns_, i);
      }
    }
  }

  const Plan& plan_;
  const std::size_t left_columns_;
  OperatorPtr left_;
  OperatorPtr right_;
  RunState& state_;
  std::vector<Program> left_keys_;
  std::vector<Program> right_keys_;
  std::vector<Batch> held_;
  std::set<int> lengths_;
  std::unordered_map<std::string, Place> networks_;
};

}  // namespace

OperatorPtr MakeIpLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state) {
  return std::make_unique<IpLookup>(plan, std::move(left), std::move(right), state);
}

}  // namespace picket::kql
