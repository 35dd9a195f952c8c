// picket-bench-faults: as many seeded runs as wanted, on as many processes.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <sstream>

#include "tests/fault/run.h"

namespace picket::fault {
namespace {

struct Options {
  std::uint64_t first_seed = 1;
  int runs = 500;
  int jobs = 2;
};

// What a worker tells of a run, as lines: "run SEED EVENTS FINDINGS LATE-RISKS", then "struck COUNT
// KIND" for each, then "failed" and the explanation, then "end".
void Work(const Options& options, int worker, std::FILE* out) {
  for (int i = worker; i < options.runs; i += options.jobs) {
    const std::uint64_t seed = options.first_seed + static_cast<std::uint64_t>(i);
    const RunReport report = RunSeed(seed);
    std::string text =
        fmt::format("run {} {} {} {}\n", seed, report.events, report.findings, report.late_risks);
    for (const auto& [kind, count] : report.struck)
      text += fmt::format("struck {} {}\n", count, kind);
    if (!report.failures.empty()) text += "failed\n" + Explain(seed, report);
    text += "end\n";
    std::fwrite(text.data(), 1, text.size(), out);
    std::fflush(out);
  }
}

class Tally {
 public:
  explicit Tally(const Options& options) : options_(options), terminal_(::isatty(2) != 0) {}

  void Take(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (line == "failed") {
      ++failed_;
      failing_ = true;
    } else if (line == "end") {
      ++done_;
      failing_ = false;
      Progress();
    } else if (failing_) {
      std::fprintf(stderr, "%s%s\n", terminal_ ? "\r\033[K" : "", line.c_str());
    } else if (word == "run") {
      std::uint64_t seed = 0;
      std::size_t events = 0, findings = 0, late = 0;
      words >> seed >> events >> findings >> late;
      events_ += events;
      findings_ += findings;
      late_ += late;
    } else if (word == "struck") {
      std::int64_t count = 0;
      words >> count;
      std::string kind;
      std::getline(words >> std::ws, kind);
      struck_[kind] += count;
    }
  }

  int Conclude() {
    if (terminal_) std::fprintf(stderr, "\r\033[K");
    for (const auto& [kind, count] : struck_) fmt::print("{:>12}  {}\n", count, kind);
    fmt::print(
        "{} runs, {} failed; {} events and {} findings were compared, {} risks added later\n",
        done_, failed_, events_, findings_, late_);
    int missing = 0;
    if (done_ >= 10) {
      for (const std::string& kind : MissingKinds(struck_)) {
        fmt::print(stderr, "never struck: {}\n", kind);
        ++missing;
      }
    }
    return failed_ > 0 || missing > 0 || done_ != options_.runs ? 1 : 0;
  }

 private:
  void Progress() const {
    if (!terminal_ && done_ % 50 != 0) return;
    std::fprintf(stderr, "%s%d/%d runs, %d failed%s", terminal_ ? "\r\033[K" : "", done_,
                 options_.runs, failed_, terminal_ ? "" : "\n");
  }

  const Options& options_;
  const bool terminal_;
  bool failing_ = false;
  int done_ = 0, failed_ = 0;
  std::size_t events_ = 0, findings_ = 0, late_ = 0;
  Strikes struck_;
};

int RunAll(const Options& options) {
  std::vector<std::FILE*> workers;
  for (int worker = 0; worker < options.jobs; ++worker) {
    int ends[2] = {-1, -1};
    PK_CHECK(::pipe(ends) == 0, "a pipe from each worker");
    const pid_t child = ::fork();
    PK_CHECK(child >= 0, "a process for each worker");
    if (child == 0) {
      ::close(ends[0]);
      std::FILE* out = ::fdopen(ends[1], "w");
      Work(options, worker, out);
      std::fclose(out);
      ::_exit(0);
    }
    ::close(ends[1]);
    workers.push_back(::fdopen(ends[0], "r"));
  }
  Tally tally(options);
  // Their texts come run by run; one after the other would let the second wait for the first.
  std::vector<std::string> pending(workers.size());
  std::size_t open = workers.size();
  while (open > 0) {
    for (std::FILE*& worker : workers) {
      if (worker == nullptr) continue;
      char* line = nullptr;
      std::size_t room = 0;
      ssize_t got = 0;
      while ((got = ::getline(&line, &room, worker)) > 0) {
        std::string text(line, static_cast<std::size_t>(got));
        if (text.back() == '\n') text.pop_back();
        tally.Take(text);
        if (text == "end") break;
      }
      std::free(line);
      if (got > 0) continue;
      std::fclose(worker);
      worker = nullptr;
      --open;
    }
  }
  for (int status = 0; ::wait(&status) > 0;) {
    if (WIFSIGNALED(status)) std::fprintf(stderr, "a worker died of signal %d\n", WTERMSIG(status));
  }
  return tally.Conclude();
}

}  // namespace
}  // namespace picket::fault

int main(int argc, char** argv) {
  picket::fault::Options options;
  CLI::App app("Seeded runs of the whole agent under faults; says what was lost or doubled");
  app.add_option("--runs", options.runs, "How many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--first-seed", options.first_seed, "The seed of the first")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return picket::fault::RunAll(options);
}
