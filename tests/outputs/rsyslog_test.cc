// Syslog and CEF, read back by Debian's rsyslog from real sockets. Skipped where it is not
// installed.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/outputs/syslog.h"
#include "base/files.h"
#include "base/text.h"
#include "tests/outputs/hostile.h"
#include "tests/outputs/sample_message.h"
#include "tests/process/child_process.h"
#include "tests/scratch_directory.h"

namespace picket::outputs {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kProgram = "/usr/sbin/rsyslogd";

class RsyslogTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::access(kProgram, X_OK) != 0) {
      GTEST_SKIP() << "rsyslog is not installed (scripts/setup --tests): no proof against it";
    }
    // Ports of our own: two tests at a time must not meet.
    port_ = 20'000 + static_cast<int>(::getpid()) % 20'000;
    Write("rsyslog.conf", fmt::format(R"(global(workDirectory="{0}" maxMessageSize="64k"
       parser.escapeControlCharactersOnReceive="on")
module(load="imudp")
module(load="imptcp")
module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="{1}")
input(type="imptcp" address="127.0.0.1" port="{1}" supportOctetCountedFraming="on")
input(type="imuxsock" Socket="{0}/log" CreatePath="off" UseSpecialParser="off")
template(name="all" type="list" option.jsonf="on") {{
  property(outname="msg" name="msg" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="pri" name="pri" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="version" name="protocol-version" format="jsonf")
}}
action(type="omfile" file="{0}/received" template="all")
)",
                                      folder_.path().string(), port_));
    server_ = ChildProcess::Start({kProgram, "-n", "-f", (folder_.path() / "rsyslog.conf").string(),
                                   "-i", (folder_.path() / "pid").string()});
    ASSERT_TRUE(server_);
    for (int i = 0; i < 500 && ::access((folder_.path() / "log").c_str(), F_OK) != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void TearDown() override {
    if (server_) ::kill(server_->pid(), SIGTERM);
  }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(folder_.path() / name, text));
  }
  SocketAddress To(SocketKind kind) {
    if (kind == SocketKind::kLocal) return {.path = (folder_.path() / "log").string()};
    return {.kind = kind, .host = "127.0.0.1", .port = port_};
  }
  // The messages that it wrote, once there are so many.
  std::vector<json> Received(std::size_t count) {
    std::vector<json> messages;
    for (int i = 0; i < 1000; ++i) {
      const std::string text =
          ReadFile(folder_.path() / "received", std::size_t{8} << 20).value_or("");
      messages.clear();
      for (const std::string_view line : Split(text, '\n')) {
        const json message = json::parse(line, nullptr, false);
        if (message.is_object() && message["app"] == "picket") messages.push_back(message);
      }
      if (messages.size() >= count) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return messages;
  }
  // Sends all hostile texts, and one good one, by each way.
  std::vector<json> SendAll(SyslogSettings settings) {
    std::size_t sent = 0;
    for (const SocketKind kind : {SocketKind::kTcp, SocketKind::kUdp, SocketKind::kLocal}) {
      settings.to = To(kind);
      const auto output = MakeSyslog(settings, clock_);
      std::vector<std::string> texts = HostileTexts();
      texts.emplace_back("ada");
      for (const std::string& text : texts) {
        const Attempt attempt = output->Send(IncidentWith(text), {});
        EXPECT_EQ(attempt.fate, Fate::kDelivered) << attempt.error.message;
        ++sent;
      }
    }
    std::vector<json> received = Received(sent);
    EXPECT_EQ(received.size(), sent) << "one a message, and none of a stranger's";
    return received;
  }

  const ScratchDirectory folder_;
  SystemClock clock_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> server_;
};

TEST_F(RsyslogTest, ReadsStructuredDataFromEverySocket) {
  int plain = 0;
  for (const json& message : SendAll({.max_bytes = 4096})) {
    EXPECT_EQ(message["version"], "1");
    EXPECT_EQ(message["pri"], "106");
    EXPECT_EQ(message["msgid"], "incident.opened");
    EXPECT_THAT(message["data"].get<std::string>(), StartsWith("[incident@32473 messageId="));
    EXPECT_THAT(message["msg"].get<std::string>(), HasSubstr("[P1] "));
    if (message["msg"].get<std::string>().find("[P1] ada: ada") != std::string::npos) ++plain;
  }
  EXPECT_EQ(plain, 3);
}

TEST_F(RsyslogTest, FindsCefAtTheStartOfTheMessage) {
  for (const json& message : SendAll({.format = SyslogFormat::kCef, .max_bytes = 4096})) {
    EXPECT_EQ(message["pri"], "106");
    EXPECT_THAT(std::string(Trim(message["msg"].get<std::string>())),
                StartsWith("CEF:0|Picket|Picket|1|"));
  }
}

}  // namespace
}  // namespace picket::outputs
