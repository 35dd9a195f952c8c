#include "agent/cli/teller.h"

#include <algorithm>
#include <vector>

#include "agent/cli/output.h"

namespace picket::cli {
namespace {

struct Problem {
  Error shown;
  std::string message;            // without where and until when: what is the same in each round
  std::set<std::string> streams;  // or what else failed; {""} for the tenant as a whole
};

// Whether a permission that the token lacks says already why the stream is shut.
bool IsExplained(const run::TenantOutcome& outcome, const std::string& stream) {
  for (const run::MissingRole& missing : outcome.missing_roles) {
    if (std::find(missing.streams.begin(), missing.streams.end(), stream) !=
        missing.streams.end()) {
      return true;
    }
  }
  return false;
}

// Streams that failed, or are held back, of one cause.
struct Cause {
  std::string where;
  Error error;
  std::set<std::string> streams;
  std::optional<Instant> until;  // the first of them
};

void AddCause(std::vector<Cause>& causes, const std::string& where, const Error& error,
              std::optional<Instant> until) {
  const auto same = std::find_if(causes.begin(), causes.end(), [&](const Cause& one) {
    return !where.empty() && !one.where.empty() && one.error.message == error.message &&
           one.until.has_value() == until.has_value();
  });
  if (same == causes.end()) {
    causes.push_back({where, error, {where}, until});
    return;
  }
  same->where += ", " + where;
  same->streams.insert(where);
  if (until) same->until = std::min(*same->until, *until);
}

std::vector<Cause> CausesOf(const run::TenantOutcome& outcome) {
  std::vector<Cause> causes;
  for (const auto& [where, error] : outcome.failures) {
    if (error.kind == ErrorKind::kPermission && IsExplained(outcome, where)) continue;
    AddCause(causes, where, error, std::nullopt);
  }
  for (const poll::HeldStream& held : outcome.polled.held) {
    if (held.error.kind == ErrorKind::kPermission && IsExplained(outcome, held.stream)) continue;
    AddCause(causes, held.stream, held.error, held.until);
  }
  return causes;
}

Problem ToProblem(Cause cause) {
  Problem problem{std::move(cause.error), "", std::move(cause.streams)};
  problem.message = problem.shown.message;
  if (cause.until) {
    problem.shown.message = "held back until " + FormatRfc3339(*cause.until) +
                            ", because of the last error: " + problem.shown.message;
  }
  if (!cause.where.empty()) problem.shown = std::move(problem.shown).In(cause.where);
  return problem;
}

// What went wrong and what is not well, each said once.
std::vector<Problem> ProblemsOf(const run::TenantOutcome& outcome) {
  std::vector<Problem> problems;
  for (const run::MissingRole& missing : outcome.missing_roles) {
    Error shown = run::ToError(missing);
    std::string message = shown.message;
    problems.push_back({std::move(shown), std::move(message), {""}});
  }
  for (Cause& cause : CausesOf(outcome)) problems.push_back(ToProblem(std::move(cause)));
  std::set<std::string> said;  // streams
  for (const auto& [where, error] : outcome.failures) said.insert(where);
  for (const poll::HeldStream& held : outcome.polled.held) said.insert(held.stream);
  for (const poll::UnlicensedStream& one : outcome.polled.unlicensed) said.insert(one.stream);
  for (const poll::HealthEvent& event : outcome.polled.health) {
    const bool permission = event.kind == poll::HealthEvent::Kind::kPermission ||
                            event.kind == poll::HealthEvent::Kind::kLicence;
    const bool same = permission || event.kind == poll::HealthEvent::Kind::kAuth ||
                      event.kind == poll::HealthEvent::Kind::kStorage ||
                      event.kind == poll::HealthEvent::Kind::kFull;
    if (same && said.contains(event.stream)) continue;
    if (permission && IsExplained(outcome, event.stream)) continue;
    Error shown{.message = event.message, .hint = event.hint};
    problems.push_back({event.stream.empty() ? std::move(shown) : std::move(shown).In(event.stream),
                        event.message,
                        {event.stream}});
  }
  return problems;
}

// Streams that one licence would give, on one line. Only what was asked for in this round: a
// scheduled job need not say every five minutes what was known before.
std::map<std::string, std::string> LicencesMissing(const run::TenantOutcome& outcome) {
  std::map<std::string, std::string> streams;  // by what they need
  for (const poll::UnlicensedStream& one : outcome.polled.unlicensed) {
    if (!one.asked) continue;
    std::string& list = streams[one.error.hint];
    list += (list.empty() ? "" : ", ") + one.stream;
  }
  return streams;
}

}  // namespace

void Teller::Tell(const run::TenantOutcome& outcome) {
  Told& told = told_[outcome.tenant];
  Messages now;
  for (Problem& problem : ProblemsOf(outcome)) {
    const auto before = told.messages.find(problem.message);
    const bool known = before != told.messages.end() &&
                       (before->second.contains("") ||
                        std::includes(before->second.begin(), before->second.end(),
                                      problem.streams.begin(), problem.streams.end()));
    // A tenant that failed as a whole holds back each of its streams afterwards.
    if (known && before->second.contains("")) problem.streams.insert("");
    now[problem.message].merge(problem.streams);
    if (!known) PrintError(std::move(problem.shown).In(outcome.tenant));
  }
  for (const auto& [needs, streams] : LicencesMissing(outcome)) {
    const std::string note = "not licensed, and so not read: " + streams + ". " + needs;
    if (told.notes.insert(note).second) Say("note: " + outcome.tenant + ": " + note);
  }
  told.messages = std::move(now);
  // No problem in a round in which nothing was asked for, or which is still behind, is no proof.
  if (!told.messages.empty()) {
    told.ill = true;
  } else if (told.ill && outcome.well) {
    Say(outcome.tenant + ": all is well again");
    told.ill = false;
  }
}

}  // namespace picket::cli
