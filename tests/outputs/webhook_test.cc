// Webhooks against receivers that fail, stall and lie, and what their bodies show of hostile texts.

#include "agent/outputs/webhook.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "tests/base/loopback_server.h"
#include "tests/outputs/hostile.h"
#include "tests/outputs/sample_message.h"
#include "tests/scratch_directory.h"

namespace picket::outputs {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// The example of the Standard Webhooks specification.
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class WebhookTest : public testing::Test {
 protected:
  // Answers each request with these bytes.
  void Serve(const std::string& reply) {
    server_ = std::make_unique<LoopbackServer>([this, reply](Peer& peer, int) {
      for (std::string request; !(request = peer.ReadRequest()).empty();) {
        {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
        }
        if (!peer.Write(reply)) return;
      }
    });
  }
  static std::string StatusReply(int status, const std::string& body = "",
                                 const std::string& headers = "") {
    return fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", status, headers,
                       body.size(), body);
  }
  Attempt Send(const Message& message, WebhookSettings settings = {}) {
    if (!settings.url_ref && settings.url.empty()) settings.url = server_->Url("/hook?sig=hidden");
    settings.timeout = kSecond * 2;
    const auto output = MakeWebhook(std::move(settings), *network_, clock_);
    return output->Send(message, {});
  }
  SecretRef Put(const std::string& name, const std::string& content) {
    EXPECT_TRUE(WriteFileAtomically(folder_.path() / name, content));
    return {.store = "file", .key = (folder_.path() / name).string()};
  }
  static std::string Header(const std::string& request, const std::string& name) {
    const std::string lower = AsciiLower(request);
    const std::size_t at = lower.find("\r\n" + name + ":");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 3;
    return std::string(Trim(request.substr(from, request.find("\r\n", from) - from)));
  }
  static std::string Body(const std::string& request) {
    return request.substr(request.find("\r\n\r\n") + 4);
  }

  const ScratchDirectory folder_;
  SystemClock clock_;
  std::unique_ptr<HttpTransport> network_ = MakeHttpTransport({}).value();
  std::unique_ptr<LoopbackServer> server_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

TEST_F(WebhookTest, SignsAsTheSpecificationsExampleDoes) {
  const Result<SecretString> key = SigningKey(SecretString(kSecret));
  ASSERT_TRUE(key);
  EXPECT_EQ(Signature(key->Reveal(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                      R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_F(WebhookTest, ASecretOfAnotherFormIsRefusedWithoutShowingIt) {
  for (const char* bad : {"", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                          "whsec_!!!!9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    const Result<SecretString> key = SigningKey(SecretString(bad));
    ASSERT_FALSE(key) << bad;
    EXPECT_EQ(key.error().kind, ErrorKind::kInvalidConfig);
    EXPECT_THAT(key.error().hint, HasSubstr("openssl rand"));
    EXPECT_THAT(key.error().message, Not(HasSubstr("9r8GKY")));
  }
}

TEST_F(WebhookTest, AStandardWebhookIsSignedAndItsIdStaysTheSame) {
  Serve(StatusReply(204));
  const WebhookSettings settings{.secret = Put("key", kSecret)};
  const Message message = IncidentWith("Risky sign-in");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Send(message, settings).fate, Fate::kDelivered);
  ASSERT_EQ(requests_.size(), 2U);
  for (const std::string& request : requests_) {
    EXPECT_EQ(Header(request, "webhook-id"), message.id);
    EXPECT_EQ(Header(request, "content-type"), "application/json");
    const std::int64_t time = std::stoll(Header(request, "webhook-timestamp"));
    EXPECT_LT(std::abs(time - clock_.Now().UnixMillis() / 1000), 60);
    EXPECT_EQ(
        Header(request, "webhook-signature"),
        Signature(SigningKey(SecretString(kSecret))->Reveal(), message.id, time, Body(request)));
    EXPECT_LT(Body(request).size(), 20'000U);
  }
  EXPECT_EQ(Body(requests_[0]), Body(requests_[1])) << "the same bytes";
  const json body = json::parse(Body(requests_[0]));
  EXPECT_EQ(body["type"], "incident.opened");
  EXPECT_EQ(body["timestamp"], "2026-11-24T10:00:00.1234567Z");
  EXPECT_EQ(body["data"]["priority"], "P1");
  EXPECT_EQ(body["data"]["alerts"][0]["evidence"].size(), 1U);
}

TEST_F(WebhookTest, WhatTheReceiverSaysDecides) {
  struct Case {
    int status;
    Fate fate;
  };
  for (const Case& one :
       {Case{200, Fate::kDelivered}, Case{202, Fate::kDelivered}, Case{301, Fate::kNotConfigured},
        Case{400, Fate::kRefused}, Case{401, Fate::kNotConfigured}, Case{403, Fate::kNotConfigured},
        Case{404, Fate::kNotConfigured}, Case{408, Fate::kRetry}, Case{409, Fate::kRetry},
        Case{410, Fate::kNotConfigured}, Case{413, Fate::kRefused}, Case{422, Fate::kRefused},
        Case{429, Fate::kRetry}, Case{500, Fate::kRetry}, Case{502, Fate::kRetry},
        Case{503, Fate::kRetry}, Case{504, Fate::kRetry}}) {
    Serve(StatusReply(one.status, "secret-echo", "Location: http://127.0.0.1:1/evil\r\n"));
    const Attempt attempt = Send(IncidentWith("x"));
    EXPECT_EQ(attempt.fate, one.fate) << one.status;
    if (one.fate == Fate::kDelivered) continue;
    EXPECT_THAT(attempt.error.message, HasSubstr(std::to_string(one.status)));
    for (const std::string& text : {attempt.error.message, attempt.error.hint}) {
      EXPECT_THAT(text, Not(HasSubstr("hidden"))) << "the URL may be a secret";
      EXPECT_THAT(text, Not(HasSubstr("secret-echo")));
    }
    EXPECT_TRUE(one.fate != Fate::kNotConfigured || !attempt.error.hint.empty()) << one.status;
  }
}

TEST_F(WebhookTest, AWaitThatTheReceiverAsksForIsHeard) {
  Serve(StatusReply(429, "", "Retry-After: 7\r\n"));
  EXPECT_EQ(Send(IncidentWith("x")).after, std::chrono::seconds(7));
  Serve(StatusReply(503, "", "Retry-After: 8\r\n"));
  EXPECT_EQ(Send(IncidentWith("x")).after, std::chrono::seconds(8));
  Serve(StatusReply(429));
  EXPECT_TRUE(Send(IncidentWith("x")).after);
  Serve(StatusReply(200,
                    "Webhook message delivery failed with error: Microsoft Teams endpoint "
                    "returned HTTP error 429 with ContextId"));
  EXPECT_EQ(Send(IncidentWith("x"), {.format = WebhookFormat::kTeams}).fate, Fate::kRetry);
}

TEST_F(WebhookTest, ReceiversThatStallHangUpOrLieAreTriedAgain) {
  Serve("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");  // and never the rest
  EXPECT_EQ(Send(IncidentWith("x")).fate, Fate::kRetry);
  Serve("garbage\r\n\r\n");
  EXPECT_EQ(Send(IncidentWith("x")).fate, Fate::kRetry);
  server_ = std::make_unique<LoopbackServer>([](Peer& peer, int) {
    (void)peer.ReadRequest();
    peer.Reset();
  });
  EXPECT_EQ(Send(IncidentWith("x")).fate, Fate::kRetry);
  server_ = std::make_unique<LoopbackServer>([](Peer& peer, int) {
    (void)peer.ReadRequest();
    peer.AwaitClose();
  });
  const Attempt stalled = Send(IncidentWith("x"));
  EXPECT_EQ(stalled.fate, Fate::kRetry);
  EXPECT_EQ(stalled.error.remote_code, "timeout");
  const std::string url = server_->Url("/");
  server_.reset();
  EXPECT_EQ(Send(IncidentWith("x"), {.url = url}).fate, Fate::kRetry) << "nobody listens";
}

TEST_F(WebhookTest, ASecretUrlIsReadAtEachTryAndCheckedBeforeUse) {
  Serve(StatusReply(200));
  WebhookSettings settings;
  settings.url_ref = Put("url", "http://soc.example.com/plain");
  EXPECT_EQ(Send(IncidentWith("x"), settings).fate, Fate::kNotConfigured);
  settings.url_ref = Put("url", server_->Url("/hook") + "\n");
  EXPECT_EQ(Send(IncidentWith("x"), settings).fate, Fate::kDelivered);
  settings.url_ref->key += ".missing";
  const Attempt missing = Send(IncidentWith("x"), settings);
  EXPECT_EQ(missing.fate, Fate::kNotConfigured);
  EXPECT_NE(missing.error.hint, "");
}

// Every text of a JSON value.
void Texts(const json& value, std::vector<std::string>& texts) {
  if (value.is_string()) texts.push_back(value.get<std::string>());
  if (value.is_structured()) {
    for (const json& item : value) Texts(item, texts);
  }
}

// No control, bidirectional or broken character, and no bare URL.
void ExpectHarmless(const std::string& text) {
  EXPECT_TRUE(IsValidUtf8(text));
  for (const char* bad : {"\x1b", "\x07", "\u202E", "\u2066", "\uFEFF", "://evil"}) {
    EXPECT_THAT(text, Not(HasSubstr(bad)));
  }
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST_F(WebhookTest, HostileTextReachesNoTeamsReaderAlive) {
  for (const std::string& hostile : HostileTexts()) {
    for (const Message& message : {IncidentWith(hostile), IncidentWith(hostile, kClosed),
                                   AlertWith(hostile), DigestWith(hostile)}) {
      const std::string body = TeamsBody(NoticeOf(message));
      EXPECT_LT(body.size(), 28'000U) << "what Teams takes";
      const json card = json::parse(body)["attachments"][0]["content"];
      EXPECT_EQ(card["type"], "AdaptiveCard");
      std::vector<std::string> texts;
      Texts(card["body"], texts);
      for (const std::string& text : texts) {
        ExpectHarmless(text);
        // Whatever would begin a link, an image or emphasis is taken literally.
        for (std::size_t i = 0; i < text.size(); ++i) {
          if (std::string("[]()*_`<>#|~!").find(text[i]) == std::string::npos) continue;
          std::size_t slashes = 0;
          while (slashes < i && text[i - 1 - slashes] == '\\') ++slashes;
          EXPECT_EQ(slashes % 2, 1U) << text.substr(0, 200);
        }
      }
    }
  }
}

TEST_F(WebhookTest, HostileTextReachesNoSlackReaderAlive) {
  for (const std::string& hostile : HostileTexts()) {
    for (const Message& message :
         {IncidentWith(hostile), AlertWith(hostile), DigestWith(hostile)}) {
      const json body = json::parse(SlackBody(NoticeOf(message)));
      EXPECT_EQ(body["mrkdwn"], false);
      EXPECT_LE(body["blocks"].size(), 50U);
      EXPECT_LE(body["blocks"][0]["text"]["text"].get<std::string>().size(), 150U);
      EXPECT_LT(body.dump().size(), 13'000U + 2000);
      std::vector<std::string> texts;
      Texts(body, texts);
      for (const std::string& text : texts) {
        ExpectHarmless(text);
        EXPECT_EQ(text.find_first_of("<>"), std::string::npos) << text.substr(0, 200);
        EXPECT_LE(text.size(), 3000U);
      }
      for (const json& block : body["blocks"]) {
        for (const json& field : block.value("fields", json::array())) {
          EXPECT_EQ(field["type"], "plain_text") << "no mrkdwn for what events say";
        }
      }
    }
  }
}

TEST_F(WebhookTest, AMachineGetsHostileTextAsItIsInValidJson) {
  for (const std::string& hostile : HostileTexts()) {
    const std::string body = StandardBody(IncidentWith(hostile));
    EXPECT_LT(body.size(), 20'000U);
    EXPECT_TRUE(IsValidUtf8(body));
    EXPECT_FALSE(json::parse(body, nullptr, false).is_discarded());
    EXPECT_EQ(body.find('\x1b'), std::string::npos) << "JSON escapes it";
  }
}

TEST_F(WebhookTest, PeopleSeeWhoWhatWhyAndWhatToDo) {
  for (const std::string& body :
       {TeamsBody(NoticeOf(IncidentWith("ada"))), SlackBody(NoticeOf(IncidentWith("ada")))}) {
    for (const char* words :
         {"P1", "Who", "Why", "What to do", "contoso", "2026-11-24T09:00:00Z"}) {
      EXPECT_THAT(body, HasSubstr(words));
    }
  }
  EXPECT_THAT(TeamsBody(NoticeOf(IncidentWith("ada", kTest))), HasSubstr("TEST, nothing happened"));
  EXPECT_THAT(TeamsBody(NoticeOf(DigestWith("ada"))), HasSubstr("and 30 more"));
}

}  // namespace
}  // namespace picket::outputs
