#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace picket::graph {

// What encloses a page of a collection. Views into the body that was given.
struct Envelope {
  std::string_view records;  // the JSON array of `value`, raw
  std::string next_link;     // "" on the last page
  // True for a single entity: `records` is then the whole body, an object.
  bool single = false;
};

// Reads the envelope without building a tree; records are not looked at. A page may be empty and
// still have a next link. Bytes that are no UTF-8 stay in their records, whose reader
// rejects them. kUnexpectedReply when the body is not JSON, or no page. At most 64 MB. Thread-safe.
Result<Envelope> DecodeEnvelope(std::string_view body);

// A next link is followed verbatim, but only to where the token belongs: scheme, host and port
// those of `root`, the path below `path` (compared without case: Graph itself writes "signins").
// kUnexpectedReply else; the link itself is not in the error.
Status CheckNextLink(std::string_view link, std::string_view root, std::string_view path);

}  // namespace picket::graph
