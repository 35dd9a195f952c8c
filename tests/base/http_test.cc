// The HTTP seam as its header promises it, against a real server on a loopback port.

#include "base/http.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <thread>

#include "base/gzip.h"

namespace picket {
namespace {

using std::chrono::milliseconds;

class HttpTest : public testing::Test {
 protected:
  void SetUp() override {
    server_.set_keep_alive_timeout(1);
    port_ = server_.bind_to_any_port("127.0.0.1");
    ASSERT_GT(port_, 0);
    server_.Get("/ok", [](const auto& request, auto& response) {
      response.set_content("hello " + request.get_header_value("X-Mine"), "text/plain");
    });
    server_.Get("/elsewhere", [this](const auto&, auto& response) {
      response.set_redirect("http://127.0.0.1:" + std::to_string(port_) + "/stolen");
    });
    server_.Get("/stolen", [this](const auto&, auto&) { ++stolen_; });
    server_.Get("/gzip", [](const auto&, auto& response) {
      response.set_header("Content-Encoding", "gzip");
      response.set_content(Gzip("packed"), "application/octet-stream");
    });
    server_.Get("/bomb", [](const auto&, auto& response) {
      response.set_header("Content-Encoding", "gzip");
      response.set_content(Gzip(std::string(20 << 20, '0')), "application/octet-stream");
    });
    server_.Get("/odd", [](const auto&, auto& response) {
      response.set_header("Content-Encoding", "br");
      response.set_content("x", "text/plain");
    });
    server_.Get("/big", [](const auto&, auto& response) {
      response.set_content(std::string(8 << 20, 'x'), "text/plain");
    });
    server_.Get("/hang", [this](const auto&, auto&) {
      while (!leave_) std::this_thread::yield();
    });
    server_.Get(R"(/verbatim.*)", [](const auto& request, auto& response) {
      response.set_content(request.target, "text/plain");
    });
    server_.Post("/echo", [](const auto& request, auto& response) {
      response.status = 418;
      response.set_content(request.get_header_value("Content-Type") + "|" + request.body, "t/p");
    });
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // A stop before it listens would be lost, and the thread would stay.
    while (!server_.is_running()) std::this_thread::yield();
    transport_ = MakeHttpTransport({}).value();
  }
  void TearDown() override {
    leave_ = true;
    server_.stop();
    thread_.join();
  }
  HttpRequest Request(const std::string& path) const {
    return {.url = "http://127.0.0.1:" + std::to_string(port_) + path,
            .timeout = milliseconds(20'000)};
  }

  httplib::Server server_;
  int port_ = 0;
  std::atomic<int> stolen_ = 0;
  std::atomic<bool> leave_ = false;
  std::thread thread_;
  std::unique_ptr<HttpTransport> transport_;
};

TEST_F(HttpTest, AnAnswerComesWithStatusHeadersAndBody) {
  HttpRequest request = Request("/ok");
  request.headers = {{"X-Mine", "there"}};
  const auto response = transport_->Send(request, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello there");
  EXPECT_EQ(FindHeader(response->headers, "content-type").value_or(""), "text/plain");
}

TEST_F(HttpTest, ManyRequestsReuseTheClient) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(transport_->Send(Request("/ok"), {}));
}

TEST_F(HttpTest, ARedirectIsAnAnswerAndIsNotFollowed) {
  HttpRequest request = Request("/elsewhere");
  request.headers = {{"Authorization", "Bearer secret"}};
  const auto response = transport_->Send(request, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(stolen_, 0);
}

TEST_F(HttpTest, GzipIsUnpackedUnderACap) {
  const auto packed = transport_->Send(Request("/gzip"), {});
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(packed->body, "packed");
  HttpRequest bomb = Request("/bomb");
  bomb.max_body = 1 << 20;
  EXPECT_EQ(transport_->Send(bomb, {}).error().kind, ErrorKind::kUnexpectedReply);
  EXPECT_EQ(transport_->Send(Request("/odd"), {}).error().kind, ErrorKind::kUnexpectedReply);
}

TEST_F(HttpTest, ABodyBeyondTheCapIsRefusedAndTheNextRequestWorks) {
  HttpRequest request = Request("/big");
  request.max_body = 1 << 20;
  EXPECT_EQ(transport_->Send(request, {}).error().kind, ErrorKind::kUnexpectedReply);
  EXPECT_TRUE(transport_->Send(Request("/ok"), {}));
}

TEST_F(HttpTest, TheDeadlineIsTheWholeExchanges) {
  HttpRequest request = Request("/hang");
  request.timeout = milliseconds(200);
  const auto response = transport_->Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(response.error().remote_code, "timeout");
}

TEST_F(HttpTest, AStopEndsAWaitAtOnce) {
  std::stop_source stop;
  std::thread asker([&] { stop.request_stop(); });
  const auto response = transport_->Send(Request("/hang"), stop.get_token());
  asker.join();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
}

TEST_F(HttpTest, PathAndQueryAreSentVerbatim) {
  const std::string path = "/verbatim?$skiptoken=a%2Fb%20c&$filter=startsWith%28x%2c%27y%27%29";
  EXPECT_EQ(transport_->Send(Request(path), {}).value().body, path);
}

TEST_F(HttpTest, APostCarriesItsBodyAndType) {
  HttpRequest request = Request("/echo");
  request.method = "POST";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = "a=b%2Bc";
  const auto response = transport_->Send(request, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->body, "application/x-www-form-urlencoded|a=b%2Bc");
}

TEST_F(HttpTest, ARefusedConnectionIsTransient) {
  HttpRequest request{.url = "http://127.0.0.1:9/", .timeout = milliseconds(5'000)};
  EXPECT_EQ(transport_->Send(request, {}).error().kind, ErrorKind::kTransient);
}

TEST(HttpUrlTest, PlainHttpIsForLoopbackOnly) {
  const auto transport = MakeHttpTransport({}).value();
  const auto response = transport->Send({.url = "http://127.evil.example/"}, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig);
}

TEST(HttpUrlTest, OriginsAreReadStrictly) {
  EXPECT_EQ(ParseOrigin("HTTPS://Graph.Example/x").value(),
            (Origin{"https", "graph.example", 443}));
  EXPECT_EQ(ParseOrigin("http://[::1]:8080/").value(), (Origin{"http", "::1", 8080}));
  for (const char* bad : {"", "graph.example", "ftp://x", "https://user@host/", "https://:1/",
                          "https://h:99999/", "https://h:x/", "https://[::1", "http://[::1]x80/",
                          "https://[login.example]/", "https://h:/", "https://h:-1/"}) {
    EXPECT_FALSE(ParseOrigin(bad)) << bad;
  }
  EXPECT_TRUE(IsLoopback({"http", "127.0.0.1", 80}));
  for (const char* far : {"127.0.0.1.example", "127.0.0.256", "127.0.0.01", "127.0.0", "127.0.0.",
                          "localhost.example", "::2", "10.0.0.1"}) {
    EXPECT_FALSE(IsLoopback({"http", far, 80})) << far;
  }
}

TEST(HttpUrlTest, RetryAfterIsReadInAllItsForms) {
  const Instant now = ParseRfc3339("2026-01-01T00:00:00Z").value();
  const auto of = [&](const char* text) { return RetryAfter({{"retry-after", text}}, now); };
  EXPECT_EQ(of("10"), milliseconds(10'000));
  EXPECT_EQ(of("2.128"), milliseconds(2'128));
  EXPECT_EQ(of("Thu, 01 Jan 2026 00:01:00 GMT"), milliseconds(60'000));
  EXPECT_EQ(of("999999999"), milliseconds(86'400'000));
  EXPECT_EQ(of("-1"), std::nullopt);
  EXPECT_EQ(of("soon"), std::nullopt);
  EXPECT_EQ(RetryAfter({}, now), std::nullopt);
}

TEST(HttpUrlTest, AProxyNeedsItsPort) {
  EXPECT_FALSE(MakeHttpTransport({.proxy = "http://proxy.example"}));
  EXPECT_FALSE(MakeHttpTransport({.proxy = "proxy.example:8080"}));
  EXPECT_TRUE(MakeHttpTransport({.proxy = "http://proxy.example:8080"}));
}

}  // namespace
}  // namespace picket
