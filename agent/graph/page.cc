#include "agent/graph/page.h"

#include <simdjson.h>

#include "base/http.h"
#include "base/text.h"

namespace picket::graph {
namespace {

namespace od = simdjson::ondemand;

constexpr std::size_t kMaxBody = std::size_t{64} << 20;
constexpr std::size_t kMaxLink = 16'384;

tl::unexpected<Error> NotAPage(std::string_view why) {
  return Fail({.kind = ErrorKind::kUnexpectedReply,
               .message = "Graph's answer is no page: " + std::string(why)});
}

tl::unexpected<Error> BadLink(std::string_view why) {
  return Fail({.kind = ErrorKind::kUnexpectedReply,
               .message = "Graph's next link was refused: " + std::string(why),
               .hint = "A proxy may be rewriting Graph's answers. Nothing was sent there."});
}

od::parser& Parser() {
  thread_local od::parser parser;
  return parser;
}

}  // namespace

Result<Envelope> DecodeEnvelope(std::string_view body) {
  if (body.size() > kMaxBody) return NotAPage("it is too large");
  const simdjson::padded_string padded(body);
  od::document document;
  if (Parser().iterate(padded).get(document) != simdjson::SUCCESS) {
    return NotAPage("it is not JSON in UTF-8");
  }
  od::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) {
    return NotAPage("it is not a JSON object");
  }
  Envelope envelope;
  bool has_records = false;
  bool is_error = false;
  for (auto member : object) {
    std::string_view name;
    od::value value;
    if (member.unescaped_key().get(name) != simdjson::SUCCESS ||
        member.value().get(value) != simdjson::SUCCESS) {
      return NotAPage("its JSON is broken");
    }
    if (name == "value" && !has_records) {
      od::array array;
      std::string_view raw;
      if (value.get_array().get(array) != simdjson::SUCCESS ||
          array.raw_json().get(raw) != simdjson::SUCCESS) {
        return NotAPage("'value' is not an array");
      }
      const auto offset = static_cast<std::size_t>(raw.data() - padded.data());
      if (offset > body.size() || raw.size() > body.size() - offset) {
        return NotAPage("its JSON is cut short");
      }
      envelope.records = body.substr(offset, raw.size());
      has_records = true;
    } else if (name == "@odata.nextLink") {
      std::string_view link;
      if (value.get_string().get(link) != simdjson::SUCCESS) {
        if (value.is_null()) continue;
        return NotAPage("the next link is not a string");
      }
      envelope.next_link = link;
    } else if (name == "error") {
      is_error = true;
    }
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return NotAPage("something follows its JSON");
  }
  if (is_error && !has_records) return NotAPage("it is an error with status 200");
  if (!has_records) {
    envelope.records = Trim(body);
    envelope.single = true;
  }
  return envelope;
}

Status CheckNextLink(std::string_view link, std::string_view root, std::string_view path) {
  if (link.size() > kMaxLink) return BadLink("it is too long");
  for (const char c : link) {
    // Some readers of URLs take a backslash for a slash, and would see another host.
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '\\') {
      return BadLink("it holds characters that no URL has");
    }
  }
  const auto target = ParseOrigin(link);
  const auto home = ParseOrigin(root);
  if (!target || !home) return BadLink("it is no absolute http(s) URL");
  if (!(*target == *home)) return BadLink("it leads to another host than Graph's");
  // The path of the root itself (a proxy's prefix) comes first.
  const auto path_of = [](std::string_view url) {
    const std::size_t start = url.find('/', url.find("://") + 3);
    if (start == std::string_view::npos) return std::string_view{};
    url = url.substr(start);
    return url.substr(0, url.find_first_of("?#"));
  };
  const std::string wanted = std::string(path_of(root)) + std::string(path);
  const std::string_view got = path_of(link);
  if (got.find('%') != std::string_view::npos || got.find("..") != std::string_view::npos) {
    return BadLink("its path is disguised");
  }
  if (!EqualsIgnoreCase(got, wanted)) return BadLink("it leads to another collection");
  return {};
}

}  // namespace picket::graph
