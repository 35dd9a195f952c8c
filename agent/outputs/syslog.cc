#include "agent/outputs/syslog.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "agent/outputs/escape.h"
#include "base/send_socket.h"

namespace picket::outputs {
namespace {

constexpr std::size_t kValue = 512;

// Severities of syslog: P1 critical, P2 error, P3 warning, P4 notice, P5 informational.
int SeverityOf(const Message& message) {
  static constexpr std::array<int, 6> kSeverities = {5, 2, 3, 4, 5, 6};
  if (message.type == kTest || message.type == kClosed) return 6;
  return kSeverities.at(static_cast<std::size_t>(std::clamp(message.priority, 0, 5)));
}

// A field of the header: printable ASCII without a space, "-" when there is none.
std::string HeaderField(std::string_view text, std::size_t most) {
  std::string field;
  for (const char c : text.substr(0, most)) field += c > ' ' && c < 0x7F ? c : '_';
  return field.empty() ? "-" : field;
}

std::string TimeText(Instant t) {
  // Six digits of a second at most; milliseconds do.
  return FormatRfc3339(Instant::FromUnixMillis(t.UnixMillis()));
}

std::string StructuredData(const Message& message, const Notice& notice,
                           const std::string& enterprise, std::size_t most) {
  std::string data = fmt::format("[incident@{}", enterprise);
  const auto add = [&](const char* name, std::string_view value) {
    if (value.empty()) return;
    const std::string escaped = EscapeSdValue(value, kValue);
    std::string parameter = fmt::format(" {}=\"{}\"", name, escaped);
    if (data.size() + parameter.size() + 1 <= most) data += parameter;
  };
  add("messageId", message.id);
  add("type", message.type);
  add("id", notice.id);
  add("priority", notice.priority);
  add("severity", notice.severity);
  add("status", notice.status);
  add("tenant", notice.tenant);
  add("entityType", notice.entity_type);
  add("entity", notice.entity_name);
  add("entityId", notice.entity_id);
  if (notice.first_seen) add("firstSeen", TimeText(*notice.first_seen));
  if (notice.last_seen) add("lastSeen", TimeText(*notice.last_seen));
  if (notice.count > 0) add("count", std::to_string(notice.count));
  for (const std::string& rule : notice.rules) add("rule", rule);
  for (const std::string& technique : notice.techniques) add("technique", technique);
  for (const std::string& address : notice.addresses) add("src", address);
  for (const std::string& reason : notice.reasons) add("reason", reason);
  add("text", notice.text);
  add("hint", notice.hint);
  return data + "]";
}

class Syslog final : public Output {
 public:
  Syslog(SyslogSettings settings, Clock& clock) : settings_(std::move(settings)), clock_(clock) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) origin_.host = name.data();
    origin_.pid = ::getpid();
  }

  Attempt Send(const Message& message, std::stop_token stop) override {
    std::string bytes = SyslogLine(message, settings_, origin_, clock_.Now());
    if (settings_.to.kind == SocketKind::kTcp) bytes = fmt::format("{} {}", bytes.size(), bytes);
    const Status sent = SendBytes(bytes, stop);
    if (sent) return {.fate = Fate::kDelivered, .receipt = "sent", .error = {}};
    socket_.reset();
    const bool too_large = sent.error().remote_code == "too_large";
    const bool operators = sent.error().kind == ErrorKind::kInvalidConfig;
    return {.fate = too_large   ? Fate::kRefused
                    : operators ? Fate::kNotConfigured
                                : Fate::kRetry,
            .receipt = {},
            .error = sent.error()};
  }

  std::string Repetition() const override {
    return settings_.to.kind == SocketKind::kUdp
               ? "a message may come again after a crash, with the same messageId, or be lost on "
                 "its way: UDP tells nothing"
               : "a message may come again after a crash, with the same messageId";
  }
  std::string Where() const override { return ToString(settings_.to); }
  bool ForPeople() const override { return false; }

 private:
  Status SendBytes(const std::string& bytes, const std::stop_token& stop) {
    const auto timeout = ToMillis(settings_.timeout);
    if (socket_ && socket_->Gone()) socket_.reset();
    if (!socket_) {
      PK_ASSIGN_OR_RETURN(socket_, SendSocket::Connect(settings_.to, clock_, timeout, stop));
    }
    return socket_->Send(bytes, timeout, stop);
  }

  const SyslogSettings settings_;
  Clock& clock_;
  SyslogOrigin origin_;
  std::unique_ptr<SendSocket> socket_;
};

}  // namespace

std::string SyslogLine(const Message& message, const SyslogSettings& settings,
                       const SyslogOrigin& origin, Instant now) {
  const Notice notice = NoticeOf(message);
  std::string line = fmt::format(
      "<{}>1 {} {} picket {} {} ", settings.facility * 8 + SeverityOf(message), TimeText(now),
      HeaderField(origin.host, 255), origin.pid, HeaderField(message.type, 32));
  const std::size_t room = settings.max_bytes - line.size();
  if (settings.format == SyslogFormat::kCef)
    return line + "- " + CefLine(message, notice, room - 2);
  const std::string text = Plain(notice.Headline(), std::min<std::size_t>(kValue, room / 4));
  const std::size_t beside = text.size() + 1;
  line += StructuredData(message, notice, settings.enterprise, room - beside);
  return line + " " + text;
}

std::unique_ptr<Output> MakeSyslog(SyslogSettings settings, Clock& clock) {
  return std::make_unique<Syslog>(std::move(settings), clock);
}

}  // namespace picket::outputs
