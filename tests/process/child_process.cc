#include "tests/process/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace picket {
namespace {

constexpr int kPatienceMs = 30'000;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  return pointers;
}

}  // namespace

std::unique_ptr<ChildProcess> ChildProcess::Start(const std::vector<std::string>& arguments,
                                                  const ChildOptions& options) {
  std::vector<char*> argv = Pointers(arguments);
  argv.push_back(nullptr);
  // The first of a name counts.
  std::vector<char*> environment = Pointers(options.environment);
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return nullptr;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
  if (options.with_errors) {
    posix_spawn_file_actions_adddup2(&actions, from_child[1], STDERR_FILENO);
  }
  pid_t pid = 0;
  const int failed =
      posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environment.data());
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
  (void)ExitStatus();
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

std::string ChildProcess::Output() {
  std::string text;
  std::array<char, 16'384> buffer{};
  while (true) {
    const ssize_t got = read(output_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

int ChildProcess::ExitStatus() {
  if (ended_) return exit_status_;
  int status = -1;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return exit_status_;
}

}  // namespace picket
