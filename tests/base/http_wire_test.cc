// The HTTP seam against servers that break the protocol, the connection or the patience.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <future>

#include "base/gzip.h"
#include "base/http.h"
#include "tests/base/loopback_server.h"

namespace picket {
namespace {

using std::chrono::milliseconds;

HttpRequest Get(std::string url, milliseconds timeout = milliseconds(20'000)) {
  return {.url = std::move(url), .timeout = timeout};
}

Result<HttpResponse> Ask(const LoopbackServer& server, HttpRequest request = {}) {
  request.url = server.Url("/");
  request.timeout = milliseconds(20'000);
  return MakeHttpTransport({}).value()->Send(request, {});
}

// One request a connection, answered with these bytes.
LoopbackServer::Serve Says(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer, int) {
    if (!peer.ReadRequest().empty()) peer.Write(bytes);
  };
}

LoopbackServer::Serve AnswersAll(std::string body) {
  return [body = std::move(body)](Peer& peer, int) {
    while (!peer.ReadRequest().empty()) peer.Write(Reply(body));
  };
}

TEST(HttpWireTest, ConnectionsAreKeptForNextRequests) {
  const LoopbackServer server(AnswersAll("ok"));
  const auto transport = MakeHttpTransport({}).value();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(transport->Send(Get(server.Url("/")), {}));
  // A connection goes back to the pool a moment after its reply, so that one may be opened beside
  // it.
  EXPECT_LT(server.connections(), 25);
}

TEST(HttpWireTest, AKeptConnectionThatWasResetIsReplacedUnseen) {
  for (const char* method : {"GET", "POST"}) {
    std::promise<void> answered;
    std::promise<void> reset;
    const LoopbackServer server([&](Peer& peer, int number) {
      peer.ReadRequest();
      peer.Write(Reply("ok"));
      if (number > 0) return peer.AwaitClose();
      answered.get_future().wait();
      peer.Reset();
      reset.set_value();
    });
    const auto transport = MakeHttpTransport({}).value();
    HttpRequest request = Get(server.Url("/"));
    request.method = method;
    if (request.method == "POST") request.body = "x";
    ASSERT_TRUE(transport->Send(request, {}));
    answered.set_value();
    reset.get_future().wait();
    const auto second = transport->Send(request, {});
    EXPECT_TRUE(second) << method << ": " << second.error().message;
    EXPECT_EQ(server.connections(), 2) << method;
  }
}

TEST(HttpWireTest, AGetThatIsLeftWithoutAReplyIsAskedOnceMore) {
  std::atomic<int> requests = 0;
  const LoopbackServer server([&](Peer& peer, int) {
    if (!peer.ReadRequest().empty()) ++requests;
    peer.Reset();
  });
  const auto response = Ask(server);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(requests, 2);
}

TEST(HttpWireTest, APostThatIsLeftWithoutAReplyIsNotAskedAgain) {
  std::atomic<int> requests = 0;
  const LoopbackServer server([&](Peer& peer, int) {
    if (!peer.ReadRequest().empty()) ++requests;
    peer.Reset();
  });
  const auto response = Ask(server, {.method = "POST", .body = "x"});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(requests, 1);
}

TEST(HttpWireTest, HeadersThatComeByteByByteDoNotOutlastTheDeadline) {
  const LoopbackServer server([](Peer& peer, int) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nX-Slow: ");
    while (peer.StillThere()) peer.Write("x");
  });
  const auto response =
      MakeHttpTransport({}).value()->Send(Get(server.Url("/"), milliseconds(300)), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(response.error().remote_code, "timeout");
}

TEST(HttpWireTest, ABodyThatDripsDoesNotOutlastTheDeadline) {
  const LoopbackServer server([](Peer& peer, int) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.StillThere()) peer.Write("1\r\nx\r\n");
  });
  const auto response =
      MakeHttpTransport({}).value()->Send(Get(server.Url("/"), milliseconds(300)), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().remote_code, "timeout");
}

// Connects until the kernel takes no more: what comes then hangs in its handshake.
TEST(HttpWireTest, AConnectionThatIsNeverMadeEndsByDeadlineAndByStop) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::vector<int> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)::connect(waiting.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  const auto transport = MakeHttpTransport({}).value();
  EXPECT_EQ(transport->Send(Get(url, milliseconds(200)), {}).error().remote_code, "timeout");
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(transport->Send(Get(url), stop.get_token()).error().kind, ErrorKind::kCancelled);
  stopper.join();
  for (const int fd : waiting) ::close(fd);
  ::close(listener);
}

// Sends; asks for the stop once the server says that it is in the middle.
Result<HttpResponse> SendAndStop(const LoopbackServer& server, std::promise<void>& middle) {
  std::stop_source stop;
  std::thread stopper([&] {
    middle.get_future().wait();
    stop.request_stop();
  });
  auto response = MakeHttpTransport({}).value()->Send(Get(server.Url("/")), stop.get_token());
  stopper.join();
  return response;
}

TEST(HttpWireTest, AStopEndsTheWaitForHeadersAndHangsUp) {
  std::promise<void> middle;
  std::promise<void> gone;
  const LoopbackServer server([&](Peer& peer, int) {
    peer.ReadRequest();
    middle.set_value();
    peer.AwaitClose();
    gone.set_value();
  });
  EXPECT_EQ(SendAndStop(server, middle).error().kind, ErrorKind::kCancelled);
  gone.get_future().wait();
}

TEST(HttpWireTest, AStopEndsTheWaitForABodyAndHangsUp) {
  std::promise<void> middle;
  std::promise<void> gone;
  const LoopbackServer server([&](Peer& peer, int) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    middle.set_value();
    peer.AwaitClose();
    gone.set_value();
  });
  EXPECT_EQ(SendAndStop(server, middle).error().kind, ErrorKind::kCancelled);
  gone.get_future().wait();
}

TEST(HttpWireTest, HalfABodyIsNoBody) {
  const LoopbackServer by_length(Says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
  EXPECT_EQ(Ask(by_length).error().kind, ErrorKind::kTransient);
  const LoopbackServer by_chunk(
      Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  EXPECT_EQ(Ask(by_chunk).error().kind, ErrorKind::kTransient);
}

TEST(HttpWireTest, WhatIsNoHttpIsAnUnexpectedReply) {
  for (const char* bytes : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n",
                            "SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n"}) {
    const LoopbackServer server(Says(bytes));
    const auto response = Ask(server);
    ASSERT_FALSE(response) << bytes;
    EXPECT_EQ(response.error().kind, ErrorKind::kUnexpectedReply) << response.error().message;
  }
}

TEST(HttpWireTest, AnEndlessBodyIsCutNearTheCap) {
  for (const char* framing : {"Content-Length: 52428800\r\n\r\n", "\r\n"}) {
    std::atomic<std::size_t> taken = 0;
    {
      const LoopbackServer server([&](Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(std::string("HTTP/1.1 200 OK\r\n") + framing);
        const std::string piece(65536, 'x');
        while (taken < 52'428'800 && peer.Write(piece)) taken += piece.size();
      });
      const auto response = Ask(server, {.max_body = std::size_t{1} << 20});
      ASSERT_FALSE(response) << framing;
      EXPECT_EQ(response.error().kind, ErrorKind::kUnexpectedReply);
    }
    EXPECT_LT(taken, std::size_t{30'000'000}) << framing;  // the sockets' buffers take some
  }
}

TEST(HttpWireTest, HeadersBeyondTheirCapAreRefused) {
  const LoopbackServer server(Says(Reply("ok", "X-Large: " + std::string(100'000, 'x') + "\r\n")));
  const auto response = Ask(server);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kUnexpectedReply);
  EXPECT_NE(response.error().message.find("headers"), std::string::npos);
}

TEST(HttpWireTest, BrokenGzipIsAnUnexpectedReply) {
  const std::string packed = Gzip(std::string(1000, 'a'));
  for (const std::string& body : {packed.substr(0, packed.size() - 9), std::string("no gzip")}) {
    const LoopbackServer server(Says(Reply(body, "Content-Encoding: gzip\r\n")));
    EXPECT_EQ(Ask(server).error().kind, ErrorKind::kUnexpectedReply);
  }
}

TEST(HttpWireTest, AGzipBombIsCutAtTheCap) {
  const std::string bomb = Gzip(std::string(10'000'000, '\0'));
  ASSERT_LT(bomb.size(), 20'000U);
  const LoopbackServer server(Says(Reply(bomb, "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(Ask(server, {.max_body = 1'000'000}).error().kind, ErrorKind::kUnexpectedReply);
}

TEST(HttpWireTest, ARedirectToAnotherHostNeverSeesTheToken) {
  std::atomic<int> stolen = 0;
  const LoopbackServer thief([&](Peer& peer, int) {
    if (!peer.ReadRequest().empty()) ++stolen;
  });
  for (const char* status : {"301", "302", "307", "308"}) {
    const LoopbackServer server(Says("HTTP/1.1 " + std::string(status) + " Go\r\nLocation: " +
                                     thief.Url("/") + "\r\nContent-Length: 0\r\n\r\n"));
    const auto response = Ask(server, {.headers = {{"Authorization", "Bearer secret"}}});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(std::to_string(response->status), status);
  }
  EXPECT_EQ(stolen, 0);
  EXPECT_EQ(thief.connections(), 0);
}

TEST(HttpWireTest, AHeaderCannotSmuggleAnother) {
  const LoopbackServer server(AnswersAll("ok"));
  for (const auto& [name, value] : HttpHeaders{{"X-Id", "a\r\nX-More: b"},
                                               {"X-Id", std::string("a\0b", 3)},
                                               {"X-Id: a\r\nX-More", "b"},
                                               {"", "x"},
                                               {"Host", "graph.test"}}) {
    const auto response = Ask(server, {.headers = {{name, value}}});
    ASSERT_FALSE(response) << name;
    EXPECT_EQ(response.error().kind, ErrorKind::kRefused) << name;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpWireTest, AnIpv6LiteralIsAHost) {
  std::string seen;
  std::mutex mutex;
  const LoopbackServer server(
      [&](Peer& peer, int) {
        {
          const std::lock_guard lock(mutex);
          seen = peer.ReadRequest();
        }
        peer.Write(Reply("six"));
      },
      LoopbackServer::Family::kIpv6);
  if (server.port() == 0) GTEST_SKIP() << "this machine has no IPv6 loopback address";
  const std::string host = "[::1]:" + std::to_string(server.port());
  const auto response = MakeHttpTransport({}).value()->Send(Get("http://" + host + "/"), {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "six");
  const std::lock_guard lock(mutex);
  EXPECT_NE(seen.find("Host:" + host), std::string::npos) << seen;
}

TEST(HttpWireTest, TheTransportMayGoWhileAnAbandonedRequestIsInFlight) {
  std::promise<void> go;
  const std::shared_future<void> going = go.get_future().share();
  const LoopbackServer server([&](Peer& peer, int) {
    peer.ReadRequest();
    going.wait();
    peer.Write(Reply("late"));
  });
  for (int i = 0; i < 20; ++i) {
    const auto transport = MakeHttpTransport({}).value();
    EXPECT_FALSE(transport->Send(Get(server.Url("/"), milliseconds(5)), {}));
  }
  go.set_value();
}

TEST(HttpWireTest, ManyThreadsShareOneTransport) {
  const LoopbackServer server(AnswersAll("ok"));
  const auto transport = MakeHttpTransport({}).value();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto response = transport->Send(Get(server.Url("/")), {});
        if (response && response->body == "ok") ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

// Resident memory in pages, as Linux counts it.
long ResidentPages() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long total = 0;
  long resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  return resident;
}

TEST(HttpWireTest, TenThousandRequestsLeaveNothingBehind) {
#ifdef PICKET_SANITIZED
  GTEST_SKIP() << "a sanitizer's own memory grows";
#endif
  const LoopbackServer server(AnswersAll(std::string(2000, 'x')));
  const auto transport = MakeHttpTransport({}).value();
  const auto ask = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const auto response = transport->Send(Get(server.Url("/")), {});
      ASSERT_TRUE(response) << response.error().message;
    }
  };
  ask(2'000);
  const long before = ResidentPages();
  ask(8'000);
  // 8,000 lost bodies alone would be 3,900 pages.
  EXPECT_LT(ResidentPages() - before, 512);
}

}  // namespace
}  // namespace picket
