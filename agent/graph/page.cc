#include "agent/graph/page.h"

#include <nlohmann/json.hpp>

#include "base/http.h"
#include "base/json_structure.h"
#include "base/text.h"

namespace picket::graph {
namespace {

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

// Goes through the members of the body; what its values hold is not looked at.
class EnvelopeReader {
 public:
  explicit EnvelopeReader(const JsonStructure& tokens) : tokens_(tokens) {}

  Result<Envelope> Read(std::string_view body) {
    std::size_t at = 1;
    while (tokens_.At(at) == '"') {
      const std::string_view name = tokens_.Token(at);
      const std::size_t value = at + 2;
      const auto last = tokens_.Last(value);
      if (tokens_.At(at + 1) != ':' || !last) return NotAPage("its JSON is broken");
      // Graph escapes no member name; one that is would not be known here.
      if (name.find('\\') != std::string_view::npos) return NotAPage("its members are disguised");
      PK_RETURN_IF_ERROR(Take(name, value, *last));
      at = *last + 1;
      if (tokens_.At(at) == ',' && tokens_.At(at + 1) == '"') ++at;
    }
    if (tokens_.At(at) != '}') return NotAPage("its JSON is cut short or broken");
    if (at + 1 != tokens_.size()) return NotAPage("something follows its JSON");
    if (is_error_ && !has_records_) return NotAPage("it is an error with status 200");
    if (!has_records_) {
      envelope_.records = Trim(body);
      envelope_.single = true;
    }
    return std::move(envelope_);
  }

 private:
  Status Take(std::string_view name, std::size_t value, std::size_t last) {
    if (name == "\"value\"" && !has_records_) {
      if (tokens_.At(value) != '[' || tokens_.At(last) != ']') {
        return NotAPage("'value' is not an array");
      }
      // Else a body that only looks like a page would end its window. By the first record, as all
      // are of one kind; the others are looked at when they are decoded.
      if (value + 1 != last && tokens_.At(value + 1) != '{') {
        return NotAPage("its records are no JSON objects");
      }
      envelope_.records = tokens_.Span(value, last);
      has_records_ = true;
    } else if (name == "\"@odata.nextLink\"") {
      const auto link = nlohmann::json::parse(tokens_.Token(value), nullptr, false);
      if (link.is_null()) return {};
      if (!link.is_string()) return NotAPage("the next link is not a string");
      envelope_.next_link = link.get<std::string>();
    } else if (name == "\"error\"") {
      is_error_ = true;
    }
    return {};
  }

  const JsonStructure& tokens_;
  Envelope envelope_;
  bool has_records_ = false;
  bool is_error_ = false;
};

}  // namespace

Result<Envelope> DecodeEnvelope(std::string_view body) {
  if (body.size() > kMaxBody) return NotAPage("it is too large");
  // Not kept: it is as large as the page, and an idle agent has no use for it.
  JsonStructure tokens;
  JsonStructure::Finding found = tokens.Read(body);
  // Bytes that are no UTF-8 spoil the record that holds them, not the page.
  std::string masked;
  if (found == JsonStructure::Finding::kNotUtf8) {
    masked = MaskInvalidUtf8(body);
    found = tokens.Read(masked);
  }
  if (found != JsonStructure::Finding::kSound) return NotAPage("it is not JSON");
  if (tokens.At(0) != '{') return NotAPage("it is not a JSON object");
  if (masked.empty()) return EnvelopeReader(tokens).Read(body);
  PK_ASSIGN_OR_RETURN(Envelope envelope, EnvelopeReader(tokens).Read(masked));
  // As they came, for their reader to reject.
  const auto place = static_cast<std::size_t>(envelope.records.data() - masked.data());
  envelope.records = body.substr(place, envelope.records.size());
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
