// picket once, picket run.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "agent/cli/context.h"
#include "agent/cli/teller.h"
#include "agent/run/round.h"
#include "base/clock.h"
#include "base/text.h"

namespace picket::cli {
namespace {

run::Observer MakeObserver(Progress& progress, std::size_t tenants) {
  return [&progress, tenants, done = std::size_t{0},
          teller = Teller()](const run::TenantOutcome& outcome) mutable {
    ++done;
    const storage::PageCounts total = outcome.polled.Total();
    progress.Show(fmt::format("{} of {}; {}: {} read, {} new, {}", done,
                              Counted(static_cast<std::int64_t>(tenants), "tenant"), outcome.tenant,
                              total.read, total.added,
                              Counted(outcome.alerts.incidents, "incident")));
    teller.Tell(outcome);
  };
}

// "2026-11-23 10:00 to 11-24 10:00", UTC: short, so that a terminal shows the whole line.
std::string WindowText(Instant from, Instant to) {
  const std::string begin = FormatRfc3339(from), end = FormatRfc3339(to);
  return fmt::format("{} {} to {} {}", begin.substr(0, 10), begin.substr(11, 5), end.substr(5, 5),
                     end.substr(11, 5));
}

// Said when it changes; `status` has the details.
void TellOutput(const outputs::OutputNote& note) {
  if (note.error) {
    Error error = *note.error;
    PrintError(std::move(error).In("output " + note.output));
  } else {
    Say("output " + note.output + ": delivers again");
  }
}

// What a first backfill of a large tenant shows for minutes.
run::PageObserver MakePageObserver(Progress& progress) {
  return [&progress](const poll::PageNote& page) {
    progress.Show(fmt::format("{}: {}: {}; {} {}", page.tenant, page.stream,
                              Counted(static_cast<std::int64_t>(page.rows), "row"), page.kind,
                              WindowText(page.from, page.to)));
  };
}

void ReportRules(const run::RuleBook& book) {
  for (const alerts::LoadedRule& loaded : book.rules) {
    const kql::Diagnostic* why_not = loaded.verdict.WhyNot();
    if (why_not == nullptr) continue;
    PrintError({.message = loaded.rule.file.string() + ": " + kql::ToString(*why_not),
                .hint = why_not->hint.empty() ? "The other rules run." : why_not->hint});
  }
  for (const rules::RuleFileError& error : book.errors) {
    PrintError({.kind = error.error.kind,
                .message = Where(error) + ": " + error.error.message,
                .hint = error.error.hint});
  }
}

void RunOnce(Context& context, const std::string& now_text, bool all_streams) {
  Timespan offset{};
  if (!now_text.empty()) {
    const std::optional<Instant> now = TimeArgument(context, "--now", now_text);
    if (!now) return;
    offset = *now - SystemClock().Now();
    Say("the clock is set to " + FormatRfc3339(*now));
  }
  const auto settings = LoadSettings(context);
  if (!settings) return;
  SystemClock clock(offset);
  Result<std::unique_ptr<run::Agent>> agent = run::Agent::Open(*settings, clock, !now_text.empty());
  if (!agent) {
    Failed(context, agent.error());
    return;
  }
  SayTightened((*agent)->tightened());
  ReportRules((*agent)->rules());
  (*agent)->OnOutput(TellOutput);
  run::RoundCounts counts;
  {
    Progress progress;
    counts = (*agent)->Once({.all_streams = all_streams, .on_page = MakePageObserver(progress)},
                            MakeObserver(progress, settings->tenants.size()), context.stop);
  }
  WriteAll(counts.Json() + "\n", stdout);
  if (!counts.failing.empty()) {
    std::string names;
    for (const std::string& name : counts.failing) names += (names.empty() ? "" : ", ") + name;
    Say("not all was delivered: 'picket outputs list' says more of " + names);
  }
  context.exit_code = run::ExitCodeOf(counts, context.stop.stop_requested());
}

void RunForever(Context& context) {
  const auto settings = LoadSettings(context);
  if (!settings) return;
  SystemClock clock;
  Result<std::unique_ptr<run::Agent>> agent = run::Agent::Open(*settings, clock, false);
  if (!agent) {
    Failed(context, agent.error());
    return;
  }
  SayTightened((*agent)->tightened());
  ReportRules((*agent)->rules());
  (*agent)->OnOutput(TellOutput);
  Say(fmt::format("watching {} every {}; stop with Ctrl-C",
                  Counted(std::ssize(settings->tenants), "tenant"),
                  FormatTimespan(settings->poll.poll_interval)));
  Progress progress;
  (*agent)->Forever(MakeObserver(progress, settings->tenants.size()), MakePageObserver(progress),
                    context.stop);
}

}  // namespace

void AddOnce(CLI::App& app, Context& context) {
  struct Options {
    std::string now;
    bool all_streams = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "once", "Read every due stream of every tenant, evaluate, deliver, print the counts as JSON");
  AddConfigOption(*verb, context);
  verb->add_flag("--all-streams", options->all_streams,
                 "Also streams that a stretched interval would leave out");
  verb->add_option("--now", options->now, "Start the clock at this time (RFC 3339)");
  verb->footer(
      "Examples:\n  picket once --config picket.toml\n"
      "\nExit codes: 0 done; 3 some tenants or outputs failed; 69 nothing reachable;\n"
      "75 another instance runs; 77 refused for all tenants; 78 config");
  verb->callback([&context, options] { RunOnce(context, options->now, options->all_streams); });
}

void AddRun(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("run", "Watch all tenants until stopped");
  AddConfigOption(*verb, context);
  verb->footer("Examples:\n  picket run --config /etc/picket/picket.toml");
  verb->callback([&context] { RunForever(context); });
}

}  // namespace picket::cli
