// ArcSight's Common Event Format, as Microsoft Sentinel maps it to CommonSecurityLog.

#include <fmt/format.h>

#include <array>

#include "agent/outputs/escape.h"
#include "agent/outputs/syslog.h"

namespace picket::outputs {
namespace {

constexpr std::size_t kValue = 512;

// 0 to 3 low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
int SeverityOf(const Message& message) {
  static constexpr std::array<int, 6> kSeverities = {3, 10, 8, 5, 3, 1};
  if (message.type == kTest) return 0;
  return kSeverities.at(static_cast<std::size_t>(std::clamp(message.priority, 0, 5)));
}

bool IsIpv4(std::string_view address) {
  return !address.empty() && address.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Parts are left out whole when the line is full: the first matter most.
class Extension {
 public:
  Extension(std::string line, std::size_t most) : line_(std::move(line)), most_(most) {}
  void Add(const char* key, std::string_view value) {
    if (value.empty()) return;
    Take(fmt::format("{}={}", key, EscapeCefValue(value, kValue)));
  }
  void Labelled(const char* key, const char* label, std::string_view value) {
    if (value.empty()) return;
    Take(fmt::format("{0}={1} {0}Label={2}", key, EscapeCefValue(value, kValue), label));
  }
  [[nodiscard]] std::string Line() && { return std::move(line_); }

 private:
  void Take(const std::string& part) {
    if (line_.size() + part.size() + 1 > most_) return;
    if (line_.back() != '|') line_ += ' ';
    line_ += part;
  }
  std::string line_;
  const std::size_t most_;
};

std::string Joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& item : list) text += (text.empty() ? "" : ",") + item;
  return text;
}

std::string Millis(const std::optional<Instant>& t) {
  return t ? std::to_string(t->UnixMillis()) : std::string();
}

}  // namespace

std::string CefLine(const Message& message, const Notice& notice, std::size_t most) {
  const std::string rule = notice.rules.empty() ? message.type : notice.rules.front();
  Extension line(fmt::format("CEF:0|Picket|Picket|1|{}|{}|{}|", EscapeCefHeader(rule, 128),
                             EscapeCefHeader(notice.title, 256), SeverityOf(message)),
                 most);
  line.Add("externalId", notice.id);
  line.Add("act", message.type);
  line.Add("rt", Millis(notice.last_seen ? notice.last_seen : message.created));
  line.Add("start", Millis(notice.first_seen));
  line.Add("end", Millis(notice.last_seen));
  if (notice.entity_type == "user") {
    line.Add("suser", notice.entity_name);
    line.Add("suid", notice.entity_id);
  } else {
    line.Add("sourceServiceName", notice.entity_name);
  }
  for (const std::string& address : notice.addresses) {
    if (!IsIpv4(address)) continue;
    line.Add("src", address);
    break;
  }
  for (const std::string& address : notice.addresses) {
    if (address.find(':') == std::string::npos) continue;
    line.Labelled("c6a1", "Source IPv6 Address", address);
    break;
  }
  if (notice.count > 0) line.Add("cnt", std::to_string(notice.count));
  line.Labelled("cs1", "Priority", notice.priority);
  line.Labelled("cs2", "Tenant", notice.tenant);
  line.Labelled("cs3", "Status", notice.status);
  line.Labelled("cs4", "Techniques", Joined(notice.techniques));
  line.Labelled("cs5", "MessageId", message.id);
  line.Labelled("cs6", "Reasons", Joined(notice.reasons));
  line.Add("msg", notice.text.empty() ? notice.Headline() : notice.text);
  return std::move(line).Line();
}

}  // namespace picket::outputs
