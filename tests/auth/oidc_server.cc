#include "tests/auth/oidc_server.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace picket::auth {
namespace {

namespace fs = std::filesystem;

constexpr int kPatienceMs = 30'000;

}  // namespace

std::unique_ptr<ChildProcess> ChildProcess::Start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return nullptr;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to_child[0]);
  close(from_child[1]);
  if (failed != 0) {
    close(to_child[1]);
    close(from_child[0]);
    return nullptr;
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, to_child[1], from_child[0]));
}

ChildProcess::~ChildProcess() {
  close(input_);
  if (!ended_) (void)ExitStatus();
  close(output_);
}

std::string ChildProcess::FirstLine() {
  std::string line;
  char c = 0;
  pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
  while (line.size() < 200 && poll(&ready, 1, kPatienceMs) == 1 && read(output_, &c, 1) == 1) {
    if (c == '\n') return line;
    line += c;
  }
  return {};
}

int ChildProcess::ExitStatus() {
  int status = -1;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool Runs(const char* program) {
  const auto version = ChildProcess::Start({program, "--version"});
  return version && version->ExitStatus() == 0;
}

std::string OidcDirectory() { return PICKET_OIDC_DIR; }

std::string InstallOidcProvider() {
  const fs::path from = fs::path(PICKET_SOURCE_DIR) / "tests/auth/oidc";
  const fs::path to = PICKET_OIDC_DIR;
  fs::create_directories(to);
  // Tests run beside each other; one installs.
  const int lock = open((to / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  flock(lock, LOCK_EX);
  const auto unlock = [lock](std::string why) {
    close(lock);
    return why;
  };
  for (const char* name : {"package.json", "package-lock.json", "server.js"}) {
    fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
  }
  const std::string wanted =
      Sha256Hex(ReadFile(to / "package-lock.json", std::size_t{1} << 20).value_or(""));
  const fs::path stamp = to / "node_modules" / ".picket-installed";
  if (!Runs("node")) return unlock("Node.js is not installed");
  if (ReadFile(stamp, 200).value_or("") == wanted) return unlock("");
  if (!Runs("npm")) return unlock("npm is not installed");
  const auto npm = ChildProcess::Start({"npm", "ci", "--prefix", to.string(), "--silent",
                                        "--ignore-scripts", "--no-audit", "--no-fund"});
  if (!npm || npm->ExitStatus() != 0) return unlock("npm cannot install oidc-provider");
  if (!WriteFileAtomically(stamp, wanted)) return unlock("the build directory cannot be written");
  return unlock("");
}

}  // namespace picket::auth
