// evaluate ipv4_lookup and ipv6_lookup: each row with the narrowest network that holds its address.

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <unordered_map>

#include "agent/kql/evaluator.h"
#include "agent/kql/kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

struct Network {
  std::array<unsigned char, 16> address{};
  int bits = 0;  // of the prefix
};

// "10.0.0.0/8", "10.1.2.3"; nullopt when it is none of the family.
std::optional<Network> ParseNetwork(std::string_view text, int most) {
  text = Trim(text);
  const std::size_t slash = text.find('/');
  Network network{.bits = most};
  if (slash != std::string_view::npos) {
    const std::string_view bits = text.substr(slash + 1);
    const auto [end, code] = std::from_chars(bits.data(), bits.data() + bits.size(), network.bits);
    if (code != std::errc{} || end != bits.data() + bits.size() || network.bits < 0 ||
        network.bits > most) {
      return std::nullopt;
    }
  }
  const std::string address(text.substr(0, slash));
  const int family = most == 32 ? AF_INET : AF_INET6;
  if (inet_pton(family, address.c_str(), network.address.data()) != 1) return std::nullopt;
  return network;
}

// What a network and an address in it share: the prefix' length and its bits.
std::string PrefixKey(const Network& network, int bits) {
  std::string key(1, static_cast<char>(bits));
  for (int i = 0; i * 8 < bits; ++i) {
    const int left = bits - i * 8;
    const unsigned mask = left >= 8 ? 0xFFU : (0xFFU << (8 - left)) & 0xFFU;
    key += static_cast<char>(network.address.at(static_cast<std::size_t>(i)) & mask);
  }
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
    while (true) {
      PK_RETURN_IF_ERROR(state_.CheckStop());
      PK_ASSIGN_OR_RETURN(Batch batch, right_->Next());
      if (batch.rows == 0) break;
      PK_ASSIGN_OR_RETURN(const Arguments keys, RunAll(right_keys_, batch));
      PK_RETURN_IF_ERROR(state_.Charge(BytesOf(batch) + batch.rows * 96, "ipv4_lookup"));
      const auto index = static_cast<std::uint32_t>(held_.size());
      for (std::uint32_t row = 0; row < batch.rows; ++row) {
        const auto network = ParseNetwork(ToText(*keys[0], row), plan_.plugin.bits);
        if (!network) continue;
        lengths_.insert(network->bits);
        networks_.emplace(PrefixKey(*network, network->bits) + FurtherKeys(keys, row),
                          Place{index, row});
      }
      held_.push_back(std::move(batch));
    }
    right_.reset();
    return {};
  }

  const Place* Find(const Arguments& keys, std::size_t row) const {
    const auto address = ParseNetwork(ToText(*keys[0], row), plan_.plugin.bits);
    if (!address) return nullptr;
    const std::string further = FurtherKeys(keys, row);
    for (auto bits = lengths_.rbegin(); bits != lengths_.rend(); ++bits) {
      if (*bits > address->bits) continue;
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
