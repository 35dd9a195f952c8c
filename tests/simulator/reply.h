#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace picket::simulator {

// A request as the simulator's parts see it.
struct Call {
  std::string method, path;                                     // the path as it came, not decoded
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded, query and form
  std::vector<std::pair<std::string, std::string>> headers;
  Instant now;
  std::string request_id;

  // nullptr when absent. Parameter names are compared exactly, header names without case.
  [[nodiscard]] const std::string* Parameter(std::string_view name) const;
  [[nodiscard]] std::string Value(std::string_view name) const;  // "" when absent
  [[nodiscard]] std::string Header(std::string_view name) const;
};

// How the answer gets to the client.
enum class Delivery : std::uint8_t { kPlain, kReset, kHang, kDrip, kTruncated, kFlood };

struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  Delivery delivery = Delivery::kPlain;
  Timespan pace{};          // kDrip
  std::int64_t size = 0;    // kFlood
  bool compressed = false;  // the body is gzip already
  bool throttled = false;

  [[nodiscard]] bool HasHeader(std::string_view name) const;
  void SetHeader(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
  }
};

inline constexpr std::string_view kGraphJson =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
    "charset=utf-8";

// Graph's error body. `code` may be "", as with some errors of the real service.
Reply GraphError(const Call& call, int status, std::string_view code, std::string_view message);
Reply JsonReply(int status, std::string body, std::string_view content_type = kGraphJson);

}  // namespace picket::simulator
