// Syslog to receivers in this process, and CEF, read back by grammars of their own.

#include "agent/outputs/syslog.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <thread>
#include <utility>

#include "base/text.h"
#include "tests/outputs/hostile.h"
#include "tests/outputs/sample_message.h"
#include "tests/scratch_directory.h"

namespace picket::outputs {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const SyslogOrigin kOrigin{.host = "agent01", .pid = 42};
const Instant kNow = *ParseRfc3339("2026-11-24T10:00:00.1234567Z");

// A message as RFC 5424 has it; `good` is false when it is not.
struct Parsed {
  bool good = false;
  int priority = -1;
  std::string host, app, pid, type, text;
  std::multimap<std::string, std::string> data;
};

// After the RFC's grammar, written without a look at what is tested.
Parsed Parse(const std::string& line) {
  Parsed parsed;
  static const std::regex header(
      R"(<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) )");
  std::smatch match;
  if (!std::regex_search(line, match, header, std::regex_constants::match_continuous)) {
    return parsed;
  }
  parsed.priority = std::stoi(match[1]);
  parsed.host = match[3];
  parsed.app = match[4];
  parsed.pid = match[5];
  parsed.type = match[6];
  std::size_t at = static_cast<std::size_t>(match.length(0));
  if (line[at] == '-') {
    ++at;
  } else {
    if (line[at] != '[') return parsed;
    at = line.find_first_of(" ]", at);
    while (line[at] == ' ') {
      const std::size_t equals = line.find("=\"", at);
      const std::string name = line.substr(at + 1, equals - at - 1);
      std::string value;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == ']') return parsed;
        if (line[at] == '\\') ++at;
        value += line[at];
      }
      parsed.data.emplace(name, value);
      ++at;
    }
    if (line[at] != ']') return parsed;
    ++at;
  }
  if (at < line.size() && line[at] != ' ') return parsed;
  if (at < line.size()) parsed.text = line.substr(at + 1);
  parsed.good = true;
  return parsed;
}

TEST(SyslogLineTest, SaysWhatHappenedInStructuredData) {
  const Parsed parsed = Parse(SyslogLine(IncidentWith("ada"), {}, kOrigin, kNow));
  ASSERT_TRUE(parsed.good);
  EXPECT_EQ(parsed.priority, 13 * 8 + 2) << "P1 is critical";
  EXPECT_EQ(parsed.host, "agent01");
  EXPECT_EQ(parsed.app, "picket");
  EXPECT_EQ(parsed.pid, "42");
  EXPECT_EQ(parsed.type, "incident.opened");
  EXPECT_EQ(parsed.text, "[P1] ada: ada");
  const auto value = [&](const char* name) { return parsed.data.find(name)->second; };
  EXPECT_EQ(value("messageId"), IncidentWith("ada").id);
  EXPECT_EQ(value("priority"), "P1");
  EXPECT_EQ(value("tenant"), "contoso");
  EXPECT_EQ(value("entity"), "ada");
  EXPECT_EQ(value("lastSeen"), "2026-11-24T09:30:00.765Z");
}

TEST(SyslogLineTest, HostileTextStaysInItsPlace) {
  for (const std::string& hostile : HostileTexts()) {
    for (const Message& message :
         {IncidentWith(hostile), AlertWith(hostile), DigestWith(hostile)}) {
      for (const std::size_t most : {1024U, 2048U, 8192U}) {
        const std::string line = SyslogLine(message, {.max_bytes = most}, kOrigin, kNow);
        EXPECT_LE(line.size(), most);
        EXPECT_TRUE(IsValidUtf8(line));
        EXPECT_EQ(line.find_first_of(std::string("\0\n\r\t\x1b", 5)), std::string::npos);
        EXPECT_THAT(line, Not(HasSubstr("\u202E")));
        const Parsed parsed = Parse(line);
        ASSERT_TRUE(parsed.good) << line;
        EXPECT_EQ(parsed.data.count("x"), 0U) << "no parameter of a stranger's";
        EXPECT_EQ(parsed.data.count("messageId"), 1U);
      }
    }
  }
}

// The parts of a CEF message, by its own rules of escaping.
struct Cef {
  std::vector<std::string> header;
  std::map<std::string, std::string> extension;
};

Cef ParseCef(std::string_view text) {
  Cef cef;
  std::string part;
  std::size_t at = 0;
  for (; at < text.size() && cef.header.size() < 7; ++at) {
    if (text[at] == '\\') {
      part += text[++at];
    } else if (text[at] == '|') {
      cef.header.push_back(std::exchange(part, {}));
    } else {
      part += text[at];
    }
  }
  // A key is what stands between a space and an "=" that is not escaped.
  std::string key;
  std::string value;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      value += text[++at];
      continue;
    }
    if (text[at] != '=') {
      value += text[at];
      continue;
    }
    const std::size_t space = value.rfind(' ');
    const std::string next = space == std::string::npos ? value : value.substr(space + 1);
    if (!key.empty()) cef.extension[key] = value.substr(0, space);
    key = next;
    value.clear();
  }
  if (!key.empty()) cef.extension[key] = value;
  return cef;
}

TEST(CefTest, MapsToTheColumnsOfCommonSecurityLog) {
  SyslogSettings settings{.format = SyslogFormat::kCef};
  Message message = IncidentWith("ada");
  message.body.replace(message.body.find("\"IPAddress\":\"ada\""), 17,
                       "\"IPAddress\":\"203.0.113.7\"");
  const Parsed parsed = Parse(SyslogLine(message, settings, kOrigin, kNow));
  ASSERT_TRUE(parsed.good);
  EXPECT_THAT(parsed.text, StartsWith("CEF:0|Picket|Picket|"));
  Cef cef = ParseCef(parsed.text);
  ASSERT_EQ(cef.header.size(), 7U);
  EXPECT_EQ(cef.header[4], "ada") << "the rule";
  EXPECT_EQ(cef.header[6], "10");
  EXPECT_EQ(cef.extension["src"], "203.0.113.7");
  EXPECT_EQ(cef.extension["suser"], "ada");
  EXPECT_EQ(cef.extension["cs1"], "P1");
  EXPECT_EQ(cef.extension["cs1Label"], "Priority");
  EXPECT_EQ(cef.extension["end"], "1795512600765");
  EXPECT_EQ(cef.extension["externalId"], message.id);
}

TEST(CefTest, HostileTextAddsNoFieldAndNoLine) {
  std::set<std::string> known;
  for (const std::string& hostile : HostileTexts()) {
    for (const Message& message :
         {IncidentWith(hostile), AlertWith(hostile), DigestWith(hostile)}) {
      SyslogSettings settings{.format = SyslogFormat::kCef, .max_bytes = 2048};
      const std::string line = SyslogLine(message, settings, kOrigin, kNow);
      EXPECT_LE(line.size(), 2048U);
      EXPECT_EQ(line.find_first_of("\n\r\x1b"), std::string::npos);
      const Parsed parsed = Parse(line);
      ASSERT_TRUE(parsed.good) << line;
      const Cef cef = ParseCef(parsed.text);
      ASSERT_EQ(cef.header.size(), 7U) << line;
      for (const auto& [key, value] : cef.extension) {
        EXPECT_TRUE(std::regex_match(key, std::regex("[A-Za-z0-9]+"))) << key << "\n" << line;
        EXPECT_TRUE(key != "src" || value.find("6.6.6.6") == std::string::npos) << value;
      }
      for (const auto& [key, value] : cef.extension) known.insert(key);
    }
  }
  EXPECT_LE(known.size(), 26U) << "only keys of ours";
}

class SyslogTest : public testing::Test {
 protected:
  static Attempt Send(Output& output, const std::string& text = "ada") {
    return output.Send(IncidentWith(text), {});
  }
  // A bound datagram socket of this process.
  static std::string Receive(int fd) {
    timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    std::string bytes(70'000, '\0');
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  static int BindUdp(int& port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
    return fd;
  }
  SystemClock clock_;
};

TEST_F(SyslogTest, UdpIsOneDatagramAMessage) {
  int port = 0;
  const int fd = BindUdp(port);
  const auto output = MakeSyslog(
      {.to = {.kind = SocketKind::kUdp, .host = "127.0.0.1", .port = port}, .max_bytes = 2048},
      clock_);
  for (const char* text : {"one", "two"}) {
    EXPECT_EQ(Send(*output, text).fate, Fate::kDelivered);
    const Parsed parsed = Parse(Receive(fd));
    EXPECT_TRUE(parsed.good);
    EXPECT_EQ(parsed.text, fmt::format("[P1] {0}: {0}", text));
  }
  ::close(fd);
  Attempt attempt;
  for (int i = 0; i < 3 && attempt.fate == Fate::kDelivered; ++i) attempt = Send(*output);
  EXPECT_EQ(attempt.fate, Fate::kRetry) << "the machine says that nobody listens";
  EXPECT_THAT(output->Repetition(), HasSubstr("lost"));
}

TEST_F(SyslogTest, ALocalSocketTakesMessagesAndSaysWhenNobodyIsThere) {
  const ScratchDirectory folder;
  const std::string path = (folder.path() / "log").string();
  const auto output = MakeSyslog({.to = {.path = path}}, clock_);
  const Attempt missing = Send(*output);
  EXPECT_EQ(missing.fate, Fate::kRetry);
  EXPECT_THAT(missing.error.message, HasSubstr(path));
  EXPECT_NE(missing.error.hint, "");
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(Send(*output).fate, Fate::kDelivered);
  EXPECT_TRUE(Parse(Receive(fd)).good);
  ::close(fd);
}

TEST_F(SyslogTest, AnAddressThatNobodyHasNeedsTheOperator) {
  const auto output = MakeSyslog(
      {.to = {.kind = SocketKind::kTcp, .host = "no-such-host.invalid", .port = 601}}, clock_);
  const Attempt attempt = Send(*output);
  EXPECT_NE(attempt.fate, Fate::kDelivered);
  EXPECT_THAT(attempt.error.message, HasSubstr("no-such-host.invalid"));
}

// A TCP receiver that reads and counts octets, or does what the test says.
class TcpReceiver {
 public:
  TcpReceiver() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  TcpReceiver(const TcpReceiver&) = delete;
  TcpReceiver& operator=(const TcpReceiver&) = delete;
  ~TcpReceiver() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] int port() const { return port_; }
  // The messages so far, by their counts; waits for so many.
  std::vector<std::string> Messages(std::size_t count) {
    std::vector<std::string> messages;
    Wait([&] {
      messages = Split(bytes_);
      return messages.size() >= count;
    });
    return messages;
  }
  // Waits for a message with this in it.
  bool Took(const std::string& text) {
    return Wait([&] { return bytes_.find(text) != std::string::npos; });
  }
  // Ends the connection, and waits until it is closed.
  bool HangUp() {
    {
      const std::lock_guard lock(mutex_);
      if (open_ >= 0) ::shutdown(open_, SHUT_RDWR);
    }
    return Wait([&] { return open_ < 0; });
  }

 private:
  template <class F>
  bool Wait(F done) {
    for (int i = 0; i < 1000; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (done()) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  static std::vector<std::string> Split(const std::string& bytes) {
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t space = bytes.find(' ', at);
      if (space == std::string::npos) break;
      const std::size_t length = std::stoul(bytes.substr(at, space - at));
      if (space + 1 + length > bytes.size()) break;
      messages.push_back(bytes.substr(space + 1, length));
      at = space + 1 + length;
    }
    return messages;
  }
  void Serve() {
    while (true) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      Opened(fd);
      std::string part(65'536, '\0');
      while (true) {
        const ssize_t got = ::recv(fd, part.data(), part.size(), 0);
        if (got <= 0) break;
        const std::lock_guard lock(mutex_);
        bytes_.append(part, 0, static_cast<std::size_t>(got));
      }
      Opened(-1);
      ::close(fd);
    }
  }
  void Opened(int fd) {
    const std::lock_guard lock(mutex_);
    open_ = fd;
  }
  int listener_ = -1, port_ = 0;
  std::mutex mutex_;
  std::string bytes_;
  int open_ = -1;  // the connection
  std::thread thread_;
};

TEST_F(SyslogTest, TcpCountsOctetsAndKeepsItsConnection) {
  TcpReceiver receiver;
  const auto output = MakeSyslog(
      {.to = {.kind = SocketKind::kTcp, .host = "127.0.0.1", .port = receiver.port()}}, clock_);
  const std::vector<std::string> texts = {"one", "zw\u00F6lf", "<34>1 x\nfake"};
  for (const std::string& text : texts) EXPECT_EQ(Send(*output, text).fate, Fate::kDelivered);
  const std::vector<std::string> messages = receiver.Messages(texts.size());
  ASSERT_EQ(messages.size(), texts.size());
  for (const std::string& message : messages) EXPECT_TRUE(Parse(message).good) << message;
  EXPECT_EQ(Parse(messages[1]).text, "[P1] zw\u00F6lf: zw\u00F6lf");
}

TEST_F(SyslogTest, AReceiverThatHangsUpGetsTheRestByNewConnections) {
  TcpReceiver rude;
  const auto output = MakeSyslog(
      {.to = {.kind = SocketKind::kTcp, .host = "127.0.0.1", .port = rude.port()}}, clock_);
  for (std::size_t i = 1; i <= 5; ++i) {
    const std::string text = "message-" + std::to_string(i);
    // One that goes to the connection that was just ended fails, and is tried again.
    Attempt attempt = Send(*output, text);
    for (int again = 0; attempt.fate == Fate::kRetry && again < 50; ++again) {
      attempt = Send(*output, text);
    }
    ASSERT_EQ(attempt.fate, Fate::kDelivered) << attempt.error.message;
    ASSERT_TRUE(rude.Took(text));
    ASSERT_TRUE(rude.HangUp());
  }
}

TEST_F(SyslogTest, NobodyAtThePortIsTriedAgain) {
  int port = 0;
  const int fd = BindUdp(port);  // of UDP only
  const auto output =
      MakeSyslog({.to = {.kind = SocketKind::kTcp, .host = "127.0.0.1", .port = port}}, clock_);
  const Attempt attempt = Send(*output);
  EXPECT_EQ(attempt.fate, Fate::kRetry);
  EXPECT_THAT(attempt.error.message, HasSubstr("refused"));
  ::close(fd);
}

}  // namespace
}  // namespace picket::outputs
