#pragma once

#include <string>

#include "agent/graph/collection.h"
#include "base/http.h"
#include "base/result.h"
#include "base/time.h"

namespace picket::graph {

// remote_code of a 403 that a licence would cure; of others it is Graph's own code.
inline constexpr std::string_view kNoLicence = "licence";

// What a status other than 200 means for the caller, by Graph's published errors and by those that
// are seen in the wild. Never throws, whatever the body is; nothing of the body but a short,
// cleaned code gets into the error.
//
//   400 with an expired skiptoken     kExpiredPage
//   400 else, 405, 406, 410           kRefused      the query as such: another variant may do
//   401                               kAuth
//   403                               kPermission   hint names the permission or the licence
//   404                               kNotFound
//   407                               kInvalidConfig
//   408, 429, 509                     kThrottled    retry_after when the service says so
//   504                               kShrink
//   other 5xx                         kTransient
//   3xx and the rest                  kUnexpectedReply
Error Classify(const HttpResponse& response, const Collection& collection, Instant now);

// The claims challenge of a 401 (continuous access evaluation), decoded; "" when there is none.
std::string ClaimsChallenge(const HttpResponse& response);

}  // namespace picket::graph
