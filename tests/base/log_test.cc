#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/text.h"

namespace picket {
namespace {

// What the lines of `write` look like on stderr.
template <class Write>
std::string Logged(LogFormat format, Write write, LogLevel lowest = LogLevel::kDebug) {
  ConfigureLog(lowest, format);
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

nlohmann::json Json(const std::string& line) {
  return nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
}

TEST(LogTest, OnlyFieldsThatAreAllowedByNameArePrinted) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = Logged(format, [] {
      Log(LogLevel::kInfo, "graph.page", "A page was read.",
          {{"tenant", "contoso"},
           {"rows", std::int64_t{7}},
           {"token", "eyJhbGciOi"},
           {"authorization", "Bearer hunter2"},
           {"user", "ada@contoso.example"},
           {"password", std::int64_t{4711}}});
    });
    EXPECT_NE(line.find("contoso"), std::string::npos);
    for (const char* hidden : {"eyJ", "hunter2", "ada@", "4711"}) {
      EXPECT_EQ(line.find(hidden), std::string::npos) << line;
    }
    EXPECT_NE(line.find("[redacted]"), std::string::npos);
  }
}

TEST(LogTest, AJsonLineIsJsonWhateverItSays) {
  const std::string nasty("a \"b\" \\ \n\r\t \x1b[31m \xff \xE2\x80\xAE {}", 27);
  const std::string line = Logged(LogFormat::kJson, [&] {
    Log(LogLevel::kWarn, "a.b", nasty,
        {{"error", nasty},
         {"ms", std::numeric_limits<double>::infinity()},
         {"count", std::int64_t{-3}},
         {"new", true}});
  });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  const nlohmann::json json = Json(line);
  ASSERT_TRUE(json.is_object()) << line;
  EXPECT_EQ(json["level"], "warn");
  EXPECT_EQ(json["event"], "a.b");
  EXPECT_EQ(json["count"], -3);
  EXPECT_EQ(json["new"], true);
  EXPECT_EQ(json["error"].get<std::string>().find('\x1b'), std::string::npos);
}

TEST(LogTest, TextCannotForgeALineOrAField) {
  const std::string line = Logged(LogFormat::kText, [] {
    Log(LogLevel::kInfo, "a.b", "It said\n2026-01-01 error forged",
        {{"error", "x\ntenant=other"}, {"code", "a b\" tenant=other"}});
  });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_NE(line.find("code=\"a b\\\" tenant=other\""), std::string::npos) << line;
}

TEST(LogTest, LowerLevelsAreLeftOut) {
  const std::string lines = Logged(
      LogFormat::kText,
      [] {
        Log(LogLevel::kInfo, "a.info", "Not this.");
        Log(LogLevel::kError, "a.error", "This.");
      },
      LogLevel::kWarn);
  EXPECT_EQ(lines.find("a.info"), std::string::npos);
  EXPECT_NE(lines.find("a.error"), std::string::npos);
}

TEST(LogTest, AnErrorIsShownWithItsHintAndACancellationIsNone) {
  const std::string lines = Logged(LogFormat::kJson, [] {
    LogError("poll.failed",
             {.kind = ErrorKind::kAuth, .message = "refused", .hint = "Renew the secret."},
             {{"tenant", "contoso"}});
    LogError("poll.stopped", {.kind = ErrorKind::kCancelled, .message = "stopped"});
  });
  const auto parts = Split(lines, '\n');
  ASSERT_EQ(parts.size(), 3U) << lines;
  const nlohmann::json first = Json(std::string(parts[0]));
  EXPECT_EQ(first["level"], "error");
  EXPECT_EQ(first["msg"], "refused (Renew the secret.)");
  EXPECT_EQ(first["tenant"], "contoso");
  EXPECT_EQ(Json(std::string(parts[1]))["level"], "info");
}

TEST(LogTest, LinesOfManyThreadsStayWhole) {
  const std::string lines = Logged(LogFormat::kJson, [] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 100; ++i) {
          Log(LogLevel::kInfo, "a.b", "Whole.", {{"count", std::int64_t{i}}});
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  int whole = 0;
  for (const std::string_view line : Split(lines, '\n')) {
    if (Json(std::string(line)).is_object()) ++whole;
  }
  EXPECT_EQ(whole, 400);
}

}  // namespace
}  // namespace picket
