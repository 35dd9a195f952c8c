// Page bytes to commit: what Picket does between Graph's body and a durable page, beside a bare
// program on the same bodies.

#include <benchmark/benchmark.h>

#include <filesystem>

#include "agent/graph/page.h"
#include "agent/tables/mapping.h"
#include "agent/tables/record_decoder.h"
#include "storage/tenant_store.h"
#include "tests/bench/beside_floor.h"
#include "tests/bench/ingest_floor.h"
#include "tests/bench/scratch_directory.h"
#include "tests/bench/sign_in_pages.h"

namespace picket::bench {
namespace {

constexpr std::string_view kStream = "signIns.interactive";

const std::vector<std::string>& Pages() {
  static const std::vector<std::string> pages = SignInPages({});
  return pages;
}

std::int64_t BytesIn(const std::filesystem::path& directory) {
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const bool shared_memory = entry.path().extension() == ".db-shm";
    if (entry.is_regular_file() && !shared_memory) {
      bytes += static_cast<std::int64_t>(entry.file_size());
    }
  }
  return bytes;
}

void Count(benchmark::State& state, std::int64_t events, std::int64_t bytes) {
  const auto all = static_cast<double>(events) * static_cast<double>(state.iterations());
  state.counters["events/s"] = benchmark::Counter(all, benchmark::Counter::kIsRate);
  state.counters["bytes/event"] = static_cast<double>(bytes) / static_cast<double>(events);
}

void BM_Floor(benchmark::State& state) {
  std::int64_t events = 0;
  std::int64_t bytes = 0;
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    const ScratchDirectory directory;
    auto floor = std::make_unique<IngestFloor>(directory.path() / "floor.db");
    events = 0;
    state.ResumeTiming();
    for (const std::string& body : Pages()) events += floor->Ingest(body);
    state.PauseTiming();
    floor.reset();  // and with it the write-ahead log
    bytes = BytesIn(directory.path());
    state.ResumeTiming();
  }
  Count(state, events, bytes);
}

std::int64_t Ingest(storage::TenantStore& store, const tables::RecordDecoder& decoder,
                    std::int64_t window, const std::string& body) {
  const auto envelope = graph::DecodeEnvelope(body).value();
  const auto page = decoder.Decode(envelope.records, tables::Rank::kBeta).value();
  const storage::WriteRules rules{
      .now = NewestEvent(), .oldest = Instant{0}, .read_before = Instant{0}};
  return store
      .StorePage(std::string(kStream), window, page.records,
                 static_cast<std::int64_t>(page.rejected.size()), rules)
      .value()
      .added;
}

void BM_Picket(benchmark::State& state) {
  const tables::RecordDecoder decoder(kStream, BenchTenant());
  std::int64_t events = 0;
  std::int64_t bytes = 0;
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    const ScratchDirectory directory;
    auto store =
        storage::TenantStore::Open(directory.path(), BenchTenant(), tables::StreamSchemas(),
                                   tables::ValuesOf(BenchTenant()), {})
            .value();
    const std::int64_t window =
        store->ledger()
            .Open(kStream, "backfill", Instant{0}, NewestEvent() + kSecond, NewestEvent())
            .value();
    events = 0;
    state.ResumeTiming();
    for (const std::string& body : Pages()) events += Ingest(*store, decoder, window, body);
    state.PauseTiming();
    store.reset();
    bytes = BytesIn(directory.path());
    state.ResumeTiming();
  }
  Count(state, events, bytes);
}

// Shares of the whole, to see where the time goes.
void BM_DecodeOnly(benchmark::State& state) {
  const tables::RecordDecoder decoder(kStream, BenchTenant());
  std::size_t events = 0;
  for (auto unused : state) {
    (void)unused;
    for (const std::string& body : Pages()) {
      const auto envelope = graph::DecodeEnvelope(body).value();
      events += decoder.Decode(envelope.records, tables::Rank::kBeta).value().records.size();
    }
  }
  state.counters["events/s"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}

BENCHMARK(BM_Floor)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Picket)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_DecodeOnly)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace picket::bench

int main(int argc, char** argv) {
  return picket::bench::RunBesideFloor(
      argc, argv,
      {{.figure = "events/s", .ours = "BM_Picket", .floor = "BM_Floor", .least = 0.8},
       {.figure = "bytes/event", .ours = "BM_Picket", .floor = "BM_Floor", .most = 1.2}});
}
