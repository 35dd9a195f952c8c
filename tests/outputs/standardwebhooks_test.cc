// Signatures, verified by the reference library of Standard Webhooks from the npm registry.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/outputs/webhook.h"
#include "base/files.h"
#include "base/text.h"
#include "tests/base/loopback_server.h"
#include "tests/outputs/hostile.h"
#include "tests/outputs/sample_message.h"
#include "tests/process/child_process.h"
#include "tests/process/node_project.h"
#include "tests/scratch_directory.h"

namespace picket::outputs {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class StandardWebhooksTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = InstallNodeProject(
        PICKET_SOURCE_DIR "/tests/outputs/standardwebhooks", PICKET_STANDARDWEBHOOKS_DIR);
    if (!why_not.empty()) GTEST_SKIP() << why_not << ": no proof against standardwebhooks";
    ASSERT_TRUE(WriteFileAtomically(folder_.path() / "key", kKey));
  }

  // What a receiver gets of the message.
  json Received(const Message& message) {
    std::string request;
    LoopbackServer server([&request](Peer& peer, int) {
      request = peer.ReadRequest();
      peer.Write(Reply(""));
      peer.AwaitClose();
    });
    {
      const auto network = MakeHttpTransport({}).value();
      const auto output = MakeWebhook(
          {.url = server.Url("/"), .secret = SecretRef{"file", (folder_.path() / "key").string()}},
          *network, clock_);
      EXPECT_EQ(output->Send(message, {}).fate, Fate::kDelivered);
    }
    const auto header = [&request](const std::string& name) {
      const std::size_t at = AsciiLower(request).find("\r\n" + name + ":") + name.size() + 3;
      return std::string(Trim(request.substr(at, request.find("\r\n", at) - at)));
    };
    return {{"id", header("webhook-id")},
            {"timestamp", header("webhook-timestamp")},
            {"signature", header("webhook-signature")},
            {"body", request.substr(request.find("\r\n\r\n") + 4)}};
  }
  std::vector<std::string> Verify(const json& messages) {
    const std::filesystem::path file = folder_.path() / "messages.json";
    EXPECT_TRUE(WriteFileAtomically(file, json{{"secret", kKey}, {"messages", messages}}.dump()));
    const auto node =
        ChildProcess::Start({"node", PICKET_STANDARDWEBHOOKS_DIR "/verify.js", file.string()});
    std::vector<std::string> lines;
    const std::string output = node->Output();
    for (const std::string_view line : Split(output, '\n')) {
      if (!line.empty()) lines.emplace_back(line);
    }
    return lines;
  }

  const ScratchDirectory folder_;
  SystemClock clock_;
};

TEST_F(StandardWebhooksTest, TheReferenceLibraryTakesEveryMessage) {
  json messages = json::array();
  for (const std::string& text : HostileTexts()) messages.push_back(Received(IncidentWith(text)));
  messages.push_back(Received(AlertWith("alert")));
  messages.push_back(Received(DigestWith("digest")));
  const std::vector<std::string> verdicts = Verify(messages);
  ASSERT_EQ(verdicts.size(), messages.size());
  for (const std::string& verdict : verdicts) EXPECT_EQ(verdict, "ok");
}

TEST_F(StandardWebhooksTest, ItRefusesWhatSomebodyChanged) {
  const json good = Received(IncidentWith("ada"));
  json messages = json::array();
  for (const char* key : {"body", "id"}) {
    json bad = good;
    bad[key] = bad[key].get<std::string>() + " ";
    messages.push_back(bad);
  }
  json old = good;
  old["timestamp"] = std::to_string(std::stoll(old["timestamp"].get<std::string>()) - 1);
  messages.push_back(old);
  const std::vector<std::string> verdicts = Verify(messages);
  ASSERT_EQ(verdicts.size(), 3U);
  for (const std::string& verdict : verdicts) EXPECT_THAT(verdict, HasSubstr("signature"));
}

}  // namespace
}  // namespace picket::outputs
