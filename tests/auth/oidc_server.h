#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace picket::auth {

// A program run beside the test: its first line of output, and its end when this goes.
class ChildProcess {
 public:
  static std::unique_ptr<ChildProcess> Start(const std::vector<std::string>& arguments);
  ~ChildProcess();  // closes its input, and waits for it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // "" when it ends or says nothing for half a minute.
  std::string FirstLine();
  // Waits for its end.
  int ExitStatus();

 private:
  ChildProcess(pid_t pid, int input, int output) : pid_(pid), input_(input), output_(output) {}
  pid_t pid_;
  int input_, output_;
  bool ended_ = false;
};

// Installs the npm packages of tests/auth/oidc into the build directory, once. "" or why not.
std::string InstallOidcProvider();
// The directory of server.js, after InstallOidcProvider.
std::string OidcDirectory();

}  // namespace picket::auth
