#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/graph/collection.h"
#include "agent/graph/page.h"
#include "agent/graph/token_source.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/result.h"

namespace picket::graph {

// One answer. The envelope's views point into `body`, which therefore stays where it is when the
// page is moved.
struct Page {
  std::unique_ptr<const std::string> body;
  Envelope envelope;
  std::optional<Instant> date;  // Graph's clock when it answered
};

struct ClientSettings {
  std::string root = "https://graph.microsoft.com";  // no trailing slash
  std::chrono::milliseconds timeout{120'000};
  std::size_t max_body = std::size_t{64} << 20;
};

// remote_code of a refused token (kTransient): the request may be sent again at once, with a new
// one.
inline constexpr std::string_view kTokenRefused = "token";

// How often a request was refused its token. The caller keeps it from one sending to the next.
struct Refusals {
  int count = 0;
  bool challenged = false;  // Graph said what it demands of the token
};

// Asks Graph for pages of one tenant. Budgets are the caller's affair: each call sends one request
// at most. Sends the token only below `root`, and keeps nothing of a reply that gives it back
// (kUnexpectedReply for a page). A refused token is given up, and the request may be sent again
// (kTokenRefused) once, and once more for a claims challenge that comes only then; after that it is
// kAuth. A time-out is kShrink: the window was too wide. Failures are logged with what Microsoft's
// support asks for. Thread-safe when its seams are.
class Client {
 public:
  Client(HttpTransport& transport, TokenSource& tokens, const Clock& clock,
         ClientSettings settings);

  // `url` from ListUrl or ItemUrl. `refusals` is set back by any answer but a refusal.
  [[nodiscard]] Result<Page> Get(const Collection& collection, const std::string& url,
                                 Refusals& refusals, std::stop_token stop);
  // `link` as the page before had it; refused when it leads elsewhere.
  [[nodiscard]] Result<Page> Follow(const Collection& collection, const Variant& variant,
                                    const std::string& link, Refusals& refusals,
                                    std::stop_token stop);

  // Graph's time now: its newest Date and what passed since. nullopt before the first answer, and
  // when the last one is an hour ago: a machine that slept does not know what passed. Only answers
  // of Graph's own count, for what stands between may have any clock.
  [[nodiscard]] std::optional<Instant> GraphNow() const;
  [[nodiscard]] const std::string& root() const { return settings_.root; }

 private:
  [[nodiscard]] Result<HttpResponse> SendOnce(const std::string& url, const std::string& request_id,
                                              std::string_view token, std::stop_token stop);
  // A token was refused. True: a new one may do.
  [[nodiscard]] bool GiveUp(const SecretString& token, const HttpResponse& response,
                            Refusals& refusals);
  void NoteDate(Instant date);

  HttpTransport& transport_;
  TokenSource& tokens_;
  const Clock& clock_;
  const ClientSettings settings_;
  mutable std::mutex mutex_;
  std::optional<Instant> newest_date_;
  Clock::Ticks seen_at_{};
};

}  // namespace picket::graph
