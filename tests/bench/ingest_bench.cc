// Page bytes to commit: what Picket does between Graph's body and a durable page, beside a bare
// program on the same bodies.

#include <benchmark/benchmark.h>

#include <filesystem>

#include "agent/graph/page.h"
#include "agent/tables/record_decoder.h"
#include "tests/bench/beside_floor.h"
#include "tests/bench/ingest_floor.h"
#include "tests/bench/page_store.h"
#include "tests/bench/sign_in_pages.h"
#include "tests/scratch_directory.h"

namespace picket::bench {
namespace {

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

void BM_Picket(benchmark::State& state) {
  std::int64_t events = 0;
  std::int64_t bytes = 0;
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    const ScratchDirectory directory;
    auto store = std::make_unique<PageStore>(directory.path());
    events = 0;
    state.ResumeTiming();
    for (const std::string& body : Pages()) events += store->Ingest(body);
    state.PauseTiming();
    store.reset();
    bytes = BytesIn(directory.path());
    state.ResumeTiming();
  }
  Count(state, events, bytes);
}

// Shares of the whole, to see where the time goes.
void BM_DecodeOnly(benchmark::State& state) {
  const tables::RecordDecoder decoder(kBenchStream, BenchTenant());
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
