// The program: declares the verbs, dispatches to one, turns signals into a stop.

#include <sys/prctl.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <thread>

#include "agent/cli/context.h"
#include "agent/cli/usage.h"
#include "base/heap.h"

namespace {

// First SIGINT or SIGTERM: stop after the commit in hand. Second: at once.
class SignalThread {
 public:
  SignalThread() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGUSR1);  // ends the thread itself
    // Before any other thread starts, so that all inherit it.
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    thread_ = std::thread([this] { Wait(); });
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;
  ~SignalThread() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  void Wait() {
    while (true) {
      int signal = 0;
      if (sigwait(&set_, &signal) != 0 || signal == SIGUSR1) return;
      if (source_.stop_requested()) std::_Exit(130);
      source_.request_stop();
    }
  }
  sigset_t set_{};
  std::stop_source source_;
  std::thread thread_;
};

void AddVerbs(CLI::App& app, picket::cli::Context& context) {
  using namespace picket::cli;  // NOLINT: one list of verbs
  // In the order in which a new user needs them; the help shows each group under its name.
  const auto group = [&app](const char* name) {
    for (CLI::App* verb : app.get_subcommands([](CLI::App*) { return true; })) {
      if (verb->get_group() != "Subcommands") continue;
      verb->group(name);
      for (CLI::App* inner : verb->get_subcommands([](CLI::App*) { return true; })) {
        inner->group("Commands");
      }
    }
  };
#ifdef PICKET_DEMO
  AddDemo(app, context);
#endif
  AddConfig(app, context);
  AddValidate(app, context);
  group("To begin");
  AddOnce(app, context);
  AddRun(app, context);
  AddImport(app, context);
  AddStatus(app, context);
  AddOutputs(app, context);
  group("To watch");
  AddIncidents(app, context);
  AddAlerts(app, context);
  AddReport(app, context);
  AddQuery(app, context);
  group("To look");
  AddRules(app, context);
  AddHelp(app, context);
  AddVersion(app, context);
  group("More");
}

// The name where it was found in PATH, else the file.
std::string ProgramOf(const std::string& name) {
  if (name.find('/') == std::string::npos) return name;
  std::error_code error;
  const std::filesystem::path file = std::filesystem::absolute(name, error);
  return error ? name : file.lexically_normal().string();
}

int Main(int argc, char** argv) {
  ::umask(0077);
  ::prctl(PR_SET_DUMPABLE, 0);  // no core dump holds a secret
  const SignalThread signals;
  picket::cli::Context context;
  context.stop = signals.token();
  context.program = ProgramOf(argv[0]);

  CLI::App app("Picket: a small sentry for Microsoft Entra ID", "picket");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("-q,--quiet", context.quiet, "Say nothing but errors (any command)");
  app.add_flag("-v,--verbose", context.verbose, "Log more; twice for all (any command)");
  app.set_version_flag("--version", "picket " + std::string(picket::cli::Version()));
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  AddVerbs(app, context);
  // After the verbs: each would inherit it.
  app.footer(
      "Examples:\n"
      "  picket demo                                 see it work, without a tenant\n"
      "  picket config sample > picket.toml          start a config\n"
      "  picket validate --config picket.toml        what is wrong with it\n"
      "  picket once --config picket.toml            read, evaluate, print the counts\n"
      "  picket incidents list --config picket.toml  what was found\n"
      "\nEvery command has its own: picket COMMAND --help");
  app.parse_complete_callback([&context] { picket::cli::SetQuiet(context.quiet); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return picket::cli::AnswerParseError(app, e);
  }
  if (const auto failed = picket::cli::OutputError(); failed && context.exit_code == 0) {
    picket::cli::Failed(context, *failed);
  }
  return context.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  picket::KeepHeapSmall();
  try {
    return Main(argc, argv);
  } catch (const std::exception& e) {
    picket::cli::PrintError({.kind = picket::ErrorKind::kInternal,
                             .message = std::string("a bug: ") + e.what(),
                             .hint = "Please report it."});
    return 70;
  }
}
