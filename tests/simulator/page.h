#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tests/simulator/filter.h"
#include "tests/simulator/lists.h"
#include "tests/simulator/render.h"
#include "tests/simulator/reply.h"
#include "tests/simulator/store.h"

namespace picket::simulator {

// One question for a list, and how far its answer has come.
struct Query {
  const ListSpec* list = nullptr;
  Guid tenant;
  bool beta = false;
  Filter filter;
  std::string filter_text;
  int top = 0;  // rows a page
  bool names_top = false;
  bool ascending = false;
  std::vector<std::string> select{};
  // Sign-ins without a word on types are the interactive ones; v1.0 knows no others.
  bool only_interactive = false;
  // After the first page.
  std::size_t served = 0;          // rows given so far, repeated ones counted once
  std::optional<Position> last{};  // the last of them
  bool after_empty = false;        // the page before was empty
  std::uint64_t pages = 0;
};

// The query of a first request; the error is Graph's message for a 400. Refuses options that the
// list does not take.
Result<Query> ParseQuery(const Call& call, const ListSpec& list, const Guid& tenant, bool beta,
                         bool filter_by_last_update);

// Whether the record is an answer to the query.
bool Fits(const Query& query, const RecordVersion& version);

struct PageSettings {
  std::uint64_t seed = 1;
  Timespan skiptoken_min, skiptoken_max;
  int short_pages = 0, empty_pages = 0;  // in a thousand
  int most_rows = 0;                     // of a page; 0: as many as are asked for
};

// Cuts lists into pages, and keeps the cursors behind the skiptokens. A cursor is a place in the
// live list: rows that appear before it push known ones onto the next page; rows that go never
// hide another. Thread-safe.
class Pager {
 public:
  Pager(const Store& store, PageSettings settings) : store_(store), settings_(settings) {}

  struct Page {
    std::vector<std::string> rows;  // rendered
    std::string skiptoken;          // "" on the last page
  };
  [[nodiscard]] Page Read(const Query& query, const Rendering& rendering, Instant now);
  // The query as it was left; nullopt when the token is unknown or has expired.
  [[nodiscard]] std::optional<Query> Resume(const std::string& skiptoken, Instant now);
  void Forget(const std::string& skiptoken);

 private:
  struct Cursor {
    Query query;
    Instant ends;
  };
  [[nodiscard]] std::size_t Start(const Query& query, Instant now) const;
  [[nodiscard]] std::string Keep(Query query, Instant now);

  const Store& store_;
  const PageSettings settings_;
  std::mutex mutex_;
  std::map<std::string, Cursor> cursors_;
  std::uint64_t made_ = 0;
};

}  // namespace picket::simulator
