#include "agent/graph/trace.h"

#include <gtest/gtest.h>

namespace picket::graph {
namespace {

TEST(Trace, HoldsWhatSupportAsksFor) {
  const Trace trace = TraceOf(
      {{"Request-Id", "E6EA1BDE-9F04-46a8-9705-824047cfd611"},
       {"Date", "Tue, 24 Nov 2026 09:00:00 GMT"},
       {"x-ms-ags-diagnostic",
        R"({"ServerInfo":{"DataCenter":"Southeast Asia","Slice":"E","Ring":"5","ScaleUnit":"003","RoleInstance":"SI1PEPF00026BA9"}})"}});
  EXPECT_EQ(trace.request_id, "e6ea1bde-9f04-46a8-9705-824047cfd611");
  EXPECT_EQ(trace.date, ParseRfc3339("2026-11-24T09:00:00Z").value());
  EXPECT_EQ(trace.diagnostic, "Southeast Asia/E/5/003/SI1PEPF00026BA9");
}

TEST(Trace, IsEmptyWhereAnAnswerHasNothingOrSomethingElse) {
  EXPECT_EQ(TraceOf({}).diagnostic, "");
  for (const std::string& text :
       {std::string("Bearer eyJ0eXAiOiJKV1Qi.eyJhIjoxfQ.c2ln"), std::string("\x1b[31m"),
        std::string(R"({"ServerInfo":{"DataCenter":"eyJ0eXAi.eyJhIjoxfQ.c2ln"}})"),
        R"({"ServerInfo":{"DataCenter":")" + std::string(41, 'a') + "\"}}",
        std::string(R"({"ServerInfo":[1]})"), std::string(2000, '[')}) {
    const Trace trace =
        TraceOf({{"request-id", text}, {"Date", text}, {"x-ms-ags-diagnostic", text}});
    EXPECT_EQ(trace.request_id, "") << text;
    EXPECT_EQ(trace.date, std::nullopt) << text;
    EXPECT_EQ(trace.diagnostic, "") << text;
  }
}

}  // namespace
}  // namespace picket::graph
