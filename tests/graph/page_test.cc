#include "agent/graph/page.h"

#include <gtest/gtest.h>

#include <string>

namespace picket::graph {
namespace {

constexpr const char* kRoot = "https://graph.microsoft.com";
constexpr const char* kPath = "/beta/auditLogs/signIns";

TEST(Page, RecordsAreGivenAsTheyCame) {
  const std::string body =
      R"({"@odata.context":"c","@odata.nextLink":"https:\/\/g\/x","value":[ {"id":"1" }, {"id":"2"}]})";
  const auto page = DecodeEnvelope(body);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->records, R"([ {"id":"1" }, {"id":"2"}])");
  EXPECT_EQ(page->next_link, "https://g/x");
  EXPECT_FALSE(page->single);
}

TEST(Page, AnEmptyPageMayHaveANextLinkAndALastPageHasNone) {
  const std::string empty = R"({"value":[],"@odata.nextLink":"https://g/x"})";
  EXPECT_EQ(DecodeEnvelope(empty)->records, "[]");
  EXPECT_EQ(DecodeEnvelope(empty)->next_link, "https://g/x");
  const std::string last = R"({"value":[],"@odata.nextLink":null})";
  EXPECT_EQ(DecodeEnvelope(last)->next_link, "");
}

TEST(Page, ASingleEntityIsItself) {
  const std::string body = R"({"@odata.context":"c","id":"7"})";
  const auto page = DecodeEnvelope(body);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->single);
  EXPECT_EQ(page->records, body);
}

class BadPage : public testing::TestWithParam<std::string> {};

TEST_P(BadPage, IsAnUnexpectedReply) {
  const auto page = DecodeEnvelope(GetParam());
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::kUnexpectedReply);
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadPage,
    testing::Values("", " ", "<html><body>502</body></html>", "[1,2]", "7", "{", R"({"value":)",
                    R"({"value":[{"id":"1"},)", R"({"value":[{"id":"1"}])", R"({"value":{}})",
                    R"({"value":"x"})", R"({"value":[[]]})", R"({"value": [ 7 ]})",
                    R"({"value":[],"@odata.nextLink":5})", R"({"value":[]} trailing)",
                    R"({"error":{"code":"UnknownError"}})",
                    std::string("{\"value\":[\"a\0\"]}", 15)));

TEST(Page, KeepsItsRecordsAsTheyCameWhenOneHoldsBytesThatAreNoText) {
  const std::string body = "{\"value\":[{\"id\":\"\xff\xfe\"},{\"id\":\"\xc3\xa4\"}]}";
  const auto page = DecodeEnvelope(body);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->records, "[{\"id\":\"\xff\xfe\"},{\"id\":\"\xc3\xa4\"}]");
  EXPECT_FALSE(DecodeEnvelope("{\xff\"value\":[]}"));
}

// A reply that ends anywhere before its end is no page: else its window would count as read.
TEST(Page, NoBeginningOfAPageIsAPage) {
  for (
      const std::string& body :
      {std::string(
           R"({"@odata.context":"c","value":[{"id":"1","a":{"b":[1,"]}"]}},{"id":"2"}],"x":[[]]})"),
       std::string(R"({"value":[{"id":"1"}],"@odata.nextLink":"https://g/x"})"),
       std::string(R"({"id":"7","location":{"city":"Linz"},"types":["a","b"]})")}) {
    ASSERT_TRUE(DecodeEnvelope(body));
    for (std::size_t end = 0; end < body.size(); ++end) {
      const std::string cut = body.substr(0, end);
      EXPECT_FALSE(DecodeEnvelope(cut)) << cut;
    }
  }
}

TEST(NextLink, ThePathIsComparedWithoutCase) {
  EXPECT_TRUE(CheckNextLink("https://graph.microsoft.com/beta/auditLogs/signins?$skiptoken=abc_1",
                            kRoot, kPath));
  EXPECT_TRUE(
      CheckNextLink("https://GRAPH.microsoft.com:443/beta/auditLogs/signIns?a", kRoot, kPath));
}

class ForeignLink : public testing::TestWithParam<const char*> {};

TEST_P(ForeignLink, IsRefusedWithoutRepeatingIt) {
  const auto checked = CheckNextLink(GetParam(), kRoot, kPath);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kUnexpectedReply);
  EXPECT_EQ(checked.error().message.find("evil"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Links, ForeignLink,
    testing::Values("https://evil.example/beta/auditLogs/signIns?x",
                    "http://graph.microsoft.com/beta/auditLogs/signIns?x",
                    "https://graph.microsoft.com:8443/beta/auditLogs/signIns?x",
                    "https://graph.microsoft.com@evil.example/beta/auditLogs/signIns?x",
                    "https://graph.microsoft.com.evil.example/beta/auditLogs/signIns?x",
                    "//evil.example/beta/auditLogs/signIns", "/beta/auditLogs/signIns?x",
                    "https://graph.microsoft.com\\@evil.example/beta/auditLogs/signIns",
                    "https://graph.microsoft.com/beta/users?x",
                    "https://graph.microsoft.com/v1.0/auditLogs/signIns?x",
                    "https://graph.microsoft.com/beta/auditLogs/signIns/../../me?x",
                    "https://graph.microsoft.com/beta/auditLogs/signIns%2f?x",
                    "https://graph.microsoft.com/beta/auditLogs/signIns?x\r\nHost: evil",
                    "https://graph.microsoft.com/beta/auditLogs/signIns?\xc3\xa9", "", "evil"));

TEST(NextLink, ALinkWithoutEndIsRefused) {
  EXPECT_FALSE(
      CheckNextLink(std::string(kRoot) + kPath + "?" + std::string(20'000, 'a'), kRoot, kPath));
}

TEST(NextLink, ARootWithAPathKeepsIt) {
  EXPECT_TRUE(CheckNextLink("https://proxy.local/graph/beta/auditLogs/signIns?x",
                            "https://proxy.local/graph", kPath));
  EXPECT_FALSE(CheckNextLink("https://proxy.local/beta/auditLogs/signIns?x",
                             "https://proxy.local/graph", kPath));
}

}  // namespace
}  // namespace picket::graph
