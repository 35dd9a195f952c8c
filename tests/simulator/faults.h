#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace picket::simulator {

// What a request meets instead of its answer.
enum class FaultKind : std::uint8_t {
  kStatus,           // `status` with Graph's (or Entra's) error body for it
  kThrottled,        // 429 in one of the shapes in which it is seen, by `shape`
  kHtml,             // `status` with a gateway's HTML page
  kEmptyBody,        // `status` with no body
  kBody,             // `status` with `text` as the body, said to be JSON
  kEcho,             // `status`, with the request's credentials all over body and headers
  kReset,            // the connection is reset before an answer
  kHang,             // no answer until the client goes or the simulator stops
  kDrip,             // the answer comes a byte at a time, every `pace` of real time
  kTruncated,        // the answer ends in the middle, its length says so
  kDeepJson,         // 200 with 100,000 nested arrays
  kInvalidUtf8,      // the page has one more record, with bytes that are no UTF-8
  kRecordWithoutId,  // the page has one more record, without an id
  kTooLarge,         // 200 with `size` bytes
  kGzipBomb,         // 200 with `size` bytes that came compressed
  kExpiredPage,      // 400: the skiptoken is not known any more (and is forgotten)
  kExpiredToken,     // 401: the access token has expired
  kClaimsChallenge,  // 401 with a claims challenge; the token is revoked
  kMissingRole,      // 403 for the list's permission
  kMissingLicence,   // 403 for the list's licence
  kRedirect,         // 307 to `text`
  kForeignNextLink,  // the page's nextLink begins with `text` instead of our own address
  kLoopingNextLink,  // the page's nextLink leads to the page itself
  kWrongTenant,      // the token endpoint gives a token of another tenant
};
std::string_view FaultName(FaultKind kind);
inline constexpr int kThrottleShapes = 12;  // three bodies, whole or fractional Retry-After

struct Fault {
  FaultKind kind = FaultKind::kStatus;
  int status = 503;
  std::string retry_after{};  // the header as it is sent: "10", "2.128", an HTTP date; "" for none
  std::string text{};         // a URL, or a body
  std::int64_t size = std::int64_t{256} << 20;
  int shape = 0;  // [0, kThrottleShapes)
  Timespan pace = kMillisecond * 50;
};

// Its name, with what tells it from others of its kind: "status 503", "throttled 7".
std::string DescribeFault(const Fault& fault);

// Requests are counted for each rule that fits them; those from `first` on, `count` of them, meet
// the fault.
struct FaultRule {
  std::string tenant{};  // GUID in lower case; "" for all
  std::string path{};    // part of the path, without case: "/auditLogs/signIns"; "" for all
  std::int64_t first = 1;
  std::int64_t count = 1;
  Fault fault{};
};

// Faults by chance, drawn from the seed, the tenant, the path and the number of the request there:
// the same requests meet the same faults.
struct Chaos {
  int per_mille = 0;
  std::vector<Fault> faults{};  // all as likely; empty: UsualFaults()
};
// What a client must get over by itself: throttling, outages, resets, broken and expired pages.
std::vector<Fault> UsualFaults();

// Thread-safe.
class FaultPlan {
 public:
  void Add(FaultRule rule);
  void Set(Chaos chaos, std::uint64_t seed);
  void Clear();

  // The fault of this request; counts it.
  [[nodiscard]] std::optional<Fault> Next(std::string_view tenant, std::string_view path);

 private:
  struct Counted {
    FaultRule rule;
    std::int64_t seen = 0;
  };

  std::mutex mutex_;
  std::vector<Counted> rules_;
  Chaos chaos_;
  std::uint64_t seed_ = 0;
  std::map<std::string, std::uint64_t> seen_;  // requests by tenant and path
};

}  // namespace picket::simulator
