// The HTTP seam inside TLS and through proxies. Certificates are made anew by each test.

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>

#include "base/files.h"
#include "base/http.h"
#include "tests/base/loopback_server.h"
#include "tests/base/test_certificates.h"

namespace picket {
namespace {

using std::chrono::milliseconds;

class HttpTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    ASSERT_TRUE(WriteFileAtomically(dir_ / "ca.pem", authority_.Pem()));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  [[nodiscard]] NetworkSettings Trusting() const { return {.ca_file = dir_ / "ca.pem"}; }
  void WritePassword(const std::string& password) const {
    ASSERT_TRUE(WriteFileAtomically(dir_ / "password", password));
  }
  // Trusting, by a proxy that gets this user. The password stands in a file.
  template <class Proxy>
  [[nodiscard]] NetworkSettings ByProxy(const Proxy& proxy, const std::string& user,
                                        const std::string& password) const {
    WritePassword(password);
    NetworkSettings settings = Trusting();
    settings.proxy = "http://" + proxy.Address();
    settings.proxy_user = user;
    settings.proxy_password = SecretRef{"file", dir_ / "password"};
    return settings;
  }
  [[nodiscard]] static Result<HttpResponse> Ask(const NetworkSettings& settings,
                                                const std::string& url) {
    return MakeHttpTransport(settings).value()->Send(
        {.url = url,
         .headers = {{"Authorization", "Bearer secret"}},
         .timeout = milliseconds(20'000)},
        {});
  }
  // Asks a server with this certificate.
  [[nodiscard]] Result<HttpResponse> AskServer(const TlsContext& context,
                                               const NetworkSettings& settings) {
    const LoopbackServer server([&](Peer& peer, int) {
      if (!peer.StartTls(context.get())) return;
      if (!peer.ReadRequest().empty()) ++asked_;
      peer.Write(Reply("inside"));
      peer.AwaitClose();
    });
    return Ask(settings, server.Url("/", "https"));
  }

  const TestAuthority authority_;
  std::filesystem::path dir_;
  std::atomic<int> asked_ = 0;
};

TEST_F(HttpTlsTest, AnAuthorityOfTheConfigIsTrusted) {
  const auto response = AskServer(authority_.Server(), Trusting());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "inside");
}

TEST_F(HttpTlsTest, AnUnknownAuthorityIsNamedAsSuch) {
  const auto response = AskServer(authority_.Server(), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_NE(response.error().message.find("unknown authority"), std::string::npos)
      << response.error().message;
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTlsTest, AnotherAuthorityOfTheSameNameIsUnknownToo) {
  const TestAuthority impostor;
  const auto response = AskServer(impostor.Server(), Trusting());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig) << response.error().message;
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTlsTest, ACertificateForAnotherNameIsNamedAsSuch) {
  const auto response =
      AskServer(authority_.Server({.name = "DNS:login.test,IP:127.0.0.2"}), Trusting());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_NE(response.error().message.find("another name"), std::string::npos)
      << response.error().message;
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTlsTest, AnExpiredCertificateIsNamedAsSuch) {
  const auto response =
      AskServer(authority_.Server({.not_before = -7200, .not_after = -60}), Trusting());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_NE(response.error().message.find("expired"), std::string::npos)
      << response.error().message;
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTlsTest, ACertificateOfTomorrowAsksForTheClock) {
  const auto response =
      AskServer(authority_.Server({.not_before = 3600, .not_after = 7200}), Trusting());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_NE(response.error().message.find("not valid yet"), std::string::npos)
      << response.error().message;
}

TEST_F(HttpTlsTest, TlsBelow12IsRefused) {
  const TlsContext context = authority_.Server();
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  const auto response = AskServer(context, Trusting());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().remote_code, "tls") << response.error().message;
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTlsTest, Tls12Serves) {
  const TlsContext context = authority_.Server();
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  EXPECT_TRUE(AskServer(context, Trusting()));
}

TEST_F(HttpTlsTest, AHandshakeThatNeverComesEndsByDeadline) {
  const LoopbackServer server([](Peer& peer, int) { peer.AwaitClose(); });
  const auto response =
      MakeHttpTransport(Trusting())
          .value()
          ->Send({.url = server.Url("/", "https"), .timeout = milliseconds(200)}, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().remote_code, "timeout");
}

// A reply without an end, in a place that the HTTP library reads whole.
class EndlessReply : public HttpTlsTest, public testing::WithParamInterface<const char*> {};

TEST_P(EndlessReply, EndsAtTheMostThatAReplyMayHave) {
  constexpr std::size_t kPiece = 16'000, kEnough = std::size_t{256} << 20;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsContext context = authority_.Server();
    SSL_CTX_set_max_proto_version(context.get(), version);
    std::atomic<std::size_t> sent = 0;
    const LoopbackServer server([&](Peer& peer, int) {
      if (!peer.StartTls(context.get()) || peer.ReadRequest().empty()) return;
      bool taken = peer.Write(GetParam());
      const std::string piece(kPiece, 'x');
      for (; taken && sent < kEnough; sent += kPiece) taken = peer.Write(piece);
      peer.AwaitClose();
    });
    const auto response = MakeHttpTransport(Trusting())
                              .value()
                              ->Send({.url = server.Url("/", "https"),
                                      .timeout = milliseconds(60'000),
                                      .max_body = 1000},
                                     {});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kUnexpectedReply) << response.error().message;
    EXPECT_LT(sent, kEnough);
    EXPECT_EQ(server.connections(), 1) << "it is not asked for again";
  }
}

INSTANTIATE_TEST_SUITE_P(Places, EndlessReply,
                         testing::Values("HTTP/1.1 200 OK\r\nX-Long: ",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         "7fffffff\r\n"));

TEST_F(HttpTlsTest, ManyRepliesOnOneConnectionAreEachCountedAlone) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsContext context = authority_.Server();
    SSL_CTX_set_max_proto_version(context.get(), version);
    const LoopbackServer server([&](Peer& peer, int) {
      if (!peer.StartTls(context.get())) return;
      while (!peer.ReadRequest().empty() && peer.Write(Reply(std::string(400'000, 'x')))) {
      }
    });
    const auto transport = MakeHttpTransport(Trusting()).value();
    for (int i = 0; i < 20; ++i) {
      const auto response = transport->Send(
          {.url = server.Url("/", "https"), .timeout = milliseconds(20'000), .max_body = 400'000},
          {});
      ASSERT_TRUE(response) << response.error().message;
      EXPECT_EQ(response->body.size(), 400'000U);
    }
    // The library gives a connection back a moment after its reply, so one may not be enough; each
    // of a few brings more than one reply may have.
    EXPECT_LE(server.connections(), 4);
  }
}

// Takes CONNECT, notes what it was told, and is then the server itself. `user`: "NAME:PASSWORD" in
// base64, without which nobody gets through.
class Proxy {
 public:
  explicit Proxy(SSL_CTX* context, const std::string& user = "")
      : server_([this, context, user](Peer& peer, int) {
          const std::string request = peer.ReadRequest();
          {
            const std::lock_guard lock(mutex_);
            connect_ = request;
          }
          const std::string wanted = "Proxy-Authorization: Basic " + user + "\r\n";
          if (!user.empty() && request.find(wanted) == std::string::npos) {
            peer.Write(
                "HTTP/1.1 407 Proxy Authentication Required\r\n"
                "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
            return;
          }
          peer.Write("HTTP/1.1 200 Connected\r\n\r\n");
          if (!peer.StartTls(context)) return;
          const std::string inner = peer.ReadRequest();
          {
            const std::lock_guard lock(mutex_);
            inner_ = inner;
          }
          peer.Write(Reply("through"));
          peer.AwaitClose();
        }) {}
  [[nodiscard]] std::string Address() const {
    return "127.0.0.1:" + std::to_string(server_.port());
  }
  std::string connect() {
    const std::lock_guard lock(mutex_);
    return connect_;
  }
  std::string inner() {
    const std::lock_guard lock(mutex_);
    return inner_;
  }

 private:
  std::mutex mutex_;
  std::string connect_;
  std::string inner_;
  const LoopbackServer server_;
};

TEST_F(HttpTlsTest, AProxyTunnelsAndNeverSeesTheToken) {
  const TlsContext context = authority_.Server();
  Proxy proxy(context.get(), "dXNAZXI6cDp3");  // us@er:p:w
  const auto response = Ask(ByProxy(proxy, "us@er", "p:w\n"), "https://graph.test/v1.0");
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "through");
  EXPECT_EQ(proxy.connect().substr(0, 32), "CONNECT graph.test:443 HTTP/1.1\r");
  EXPECT_EQ(proxy.connect().find("secret"), std::string::npos);
  EXPECT_NE(proxy.inner().find("GET /v1.0 HTTP/1.1\r\n"), std::string::npos) << proxy.inner();
  EXPECT_NE(proxy.inner().find("Authorization:Bearer secret\r\n"), std::string::npos)
      << proxy.inner();
  EXPECT_EQ(proxy.inner().find("Proxy-Authorization"), std::string::npos);
}

TEST_F(HttpTlsTest, AProxyThatNeverAnswersEndsByDeadline) {
  const LoopbackServer proxy([](Peer& peer, int) { peer.AwaitClose(); });
  const auto response =
      MakeHttpTransport({.proxy = "http://127.0.0.1:" + std::to_string(proxy.port())})
          .value()
          ->Send({.url = "https://graph.test/", .timeout = milliseconds(200)}, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().remote_code, "timeout");
}

TEST_F(HttpTlsTest, AProxyMayHaveAnIpv6Address) {
  std::atomic<int> connects = 0;
  const LoopbackServer proxy(
      [&](Peer& peer, int) {
        if (peer.ReadRequest().substr(0, 8) == "CONNECT ") ++connects;
      },
      LoopbackServer::Family::kIpv6);
  if (proxy.port() == 0) GTEST_SKIP() << "this machine has no IPv6 loopback address";
  EXPECT_FALSE(
      Ask({.proxy = "http://[::1]:" + std::to_string(proxy.port())}, "https://graph.test/"));
  EXPECT_GT(connects, 0);
}

TEST_F(HttpTlsTest, BehindAProxyTheNameIsStillTheServers) {
  const TlsContext context = authority_.Server({.name = "DNS:proxy.test,IP:127.0.0.1"});
  Proxy proxy(context.get());
  NetworkSettings settings = Trusting();
  settings.proxy = "http://" + proxy.Address();
  const auto response = Ask(settings, "https://graph.test/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig);
  EXPECT_EQ(proxy.inner(), "");
}

TEST_F(HttpTlsTest, AProxyThatRefusesThePasswordIsTheConfigsFault) {
  const TlsContext context = authority_.Server();
  const Proxy proxy(context.get(), "dXNlcjpodW50ZXIz");  // user:hunter3
  const auto transport = MakeHttpTransport(ByProxy(proxy, "user", "hunter2")).value();
  const HttpRequest request{.url = "https://graph.test/", .timeout = milliseconds(20'000)};
  const auto refused = transport->Send(request, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidConfig) << refused.error().message;
  EXPECT_NE(refused.error().hint.find("proxy_password"), std::string::npos);
  EXPECT_EQ((refused.error().message + refused.error().hint).find("hunter2"), std::string::npos);
  // A password that is changed is seen without a restart.
  WritePassword("hunter3");
  const auto taken = transport->Send(request, {});
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->body, "through");
}

TEST_F(HttpTlsTest, AProxyThatWantsAUserWhereNoneIsSetSaysWhatToSet) {
  const TlsContext context = authority_.Server();
  const Proxy proxy(context.get(), "dXNlcjpodW50ZXIz");
  NetworkSettings settings = Trusting();
  settings.proxy = "http://" + proxy.Address();
  const auto response = Ask(settings, "https://graph.test/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalidConfig) << response.error().message;
  EXPECT_EQ(response.error().message, "the proxy asks for a user and a password");
  EXPECT_NE(response.error().hint.find("proxy_user"), std::string::npos);
}

TEST_F(HttpTlsTest, AProxyThatIsDownIsTransient) {
  std::string address;
  {
    const LoopbackServer closed([](Peer&, int) {});
    address = "127.0.0.1:" + std::to_string(closed.port());
  }
  NetworkSettings settings = Trusting();
  settings.proxy = "http://" + address;
  const auto response = Ask(settings, "https://graph.test/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient) << response.error().message;
}

TEST_F(HttpTlsTest, ThisMachineIsReachedWithoutTheProxy) {
  const LoopbackServer server([](Peer& peer, int) {
    if (!peer.ReadRequest().empty()) peer.Write(Reply("direct"));
  });
  const LoopbackServer proxy([](Peer&, int) {});
  const auto response =
      Ask({.proxy = "http://127.0.0.1:" + std::to_string(proxy.port())}, server.Url("/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "direct");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(HttpTlsTest, AProxyIsCheckedBeforeItIsUsedAndItsPasswordNeverShown) {
  for (const char* bad :
       {"http://user:hunter2@proxy.test", "https://proxy.test:1", "proxy.test:1", "http://[::1]",
        "http://us er:hunter2@proxy.test:1", "http://:1", "http://user:hunter2@proxy.test:1",
        "http://proxy.test:1/x", "http://proxy.test:1?x"}) {
    const auto transport = MakeHttpTransport({.proxy = bad});
    ASSERT_FALSE(transport) << bad;
    EXPECT_EQ(transport.error().kind, ErrorKind::kInvalidConfig) << bad;
    EXPECT_EQ(transport.error().message.find("hunter2"), std::string::npos) << bad;
  }
  for (const char* good : {"http://[::1]:8080", "http://proxy.test:80", "http://proxy_1.test:1/"}) {
    EXPECT_TRUE(MakeHttpTransport({.proxy = good})) << good;
  }
  WritePassword("");
  const SecretRef password{"file", dir_ / "password"};
  for (const NetworkSettings& bad :
       {NetworkSettings{.proxy = "http://proxy.test:1", .proxy_user = "user"},
        NetworkSettings{.proxy = "http://proxy.test:1", .proxy_password = password},
        NetworkSettings{
            .proxy = "http://proxy.test:1", .proxy_user = "a:b", .proxy_password = password},
        NetworkSettings{// the file is empty
                        .proxy = "http://proxy.test:1",
   .proxy_user = "user",
   .proxy_password = password}}) {
    const auto transport = MakeHttpTransport(bad);
    ASSERT_FALSE(transport);
    EXPECT_EQ(transport.error().kind, ErrorKind::kInvalidConfig);
  }
}

TEST_F(HttpTlsTest, ATrustFileWithoutCertificatesIsRefused) {
  ASSERT_TRUE(WriteFileAtomically(dir_ / "empty.pem", "nothing"));
  EXPECT_FALSE(MakeHttpTransport({.ca_file = dir_ / "empty.pem"}));
  EXPECT_FALSE(MakeHttpTransport({.ca_file = dir_ / "missing.pem"}));
}

}  // namespace
}  // namespace picket
