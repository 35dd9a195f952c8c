// evaluate ipv4_lookup and ipv6_lookup: each row with the narrowest network that holds its address.

#include <set>
#include <unordered_map>

#include "agent/kql/ip_address.h"
#include "agent/kql/kernel.h"
#include "agent/kql/lookup.h"

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

class IpLookup final : public TableLookup {
 public:
  using TableLookup::TableLookup;

 protected:
  void Hold(const Arguments& keys, std::size_t rows, std::uint32_t batch) override {
    for (std::uint32_t row = 0; row < rows; ++row) {
      const auto network = ParseAddress(ToText(*keys[0], row), plan_.plugin.v4);
      if (!network) continue;
      lengths_.insert(network->prefix);
      networks_.emplace(PrefixKey(*network, network->prefix) + FurtherKeys(keys, row),
                        Place{batch, row});
    }
  }

  void Find(const Arguments& keys, std::size_t row, std::vector<Place>& found) override {
    const auto address = ParseAddress(ToText(*keys[0], row), plan_.plugin.v4);
    if (!address) return;
    const std::string further = FurtherKeys(keys, row);
    for (auto bits = lengths_.rbegin(); bits != lengths_.rend(); ++bits) {
      if (*bits > address->prefix) continue;
      const auto network = networks_.find(PrefixKey(*address, *bits) + further);
      if (network == networks_.end()) continue;
      found.push_back(network->second);
      return;
    }
  }

 private:
  static std::string FurtherKeys(const Arguments& keys, std::size_t row) {
    std::string key;
    for (std::size_t i = 1; i < keys.size(); ++i) AppendRowKey(key, *keys[i], row);
    return key;
  }

  std::set<int> lengths_;
  std::unordered_map<std::string, Place> networks_;
};

}  // namespace

OperatorPtr MakeIpLookup(const Plan& plan, OperatorPtr left, OperatorPtr right, RunState& state) {
  return std::make_unique<IpLookup>(plan, std::move(left), std::move(right), state);
}

}  // namespace picket::kql
