#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace picket {

struct ChildOptions {
  std::vector<std::string> environment{};  // "NAME=value", beside our own
  bool with_errors = false;                // its stderr goes into its output
};

// A program run beside the test: what it prints, and its end when this goes. One thread's.
class ChildProcess {
 public:
  // nullptr when it cannot be started. The first argument is the program, looked up in PATH.
  static std::unique_ptr<ChildProcess> Start(const std::vector<std::string>& arguments,
                                             const ChildOptions& options = {});
  ~ChildProcess();  // closes its input, and waits for it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // "" when it ends or says nothing for half a minute.
  std::string FirstLine();
  // What it prints from here until it closes its output.
  std::string Output();
  // Waits for its end. -1 when a signal ended it.
  int ExitStatus();

 private:
  ChildProcess(pid_t pid, int input, int output) : pid_(pid), input_(input), output_(output) {}
  pid_t pid_;
  int input_, output_;
  bool ended_ = false;
  int exit_status_ = -1;
};

}  // namespace picket
