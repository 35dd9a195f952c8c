#include "tests/outputs/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace picket {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience(60);
// Where the browser expects the pipes.
constexpr int kCommands = 3, kAnswers = 4;

struct Pipe {
  int read = -1, write = -1;
};

// Both ends above the numbers that the child's own will get.
Pipe MakePipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const Pipe pipe{::fcntl(ends[0], F_DUPFD_CLOEXEC, 10), ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10)};
  ::close(ends[0]);
  ::close(ends[1]);
  return pipe;
}

}  // namespace

bool Browser::Installed() {
  return std::system("command -v chromium >/dev/null 2>&1") == 0;  // NOLINT(concurrency-mt-unsafe)
}

std::unique_ptr<Browser> Browser::Start() {
  std::unique_ptr<Browser> browser(new Browser());
  const Pipe commands = MakePipe(), answers = MakePipe();
  const std::string profile =
      "--user-data-dir=" + (browser->directory_.path() / "profile").string();
  std::vector<std::string> arguments = {"chromium",
                                        "--headless",
                                        "--no-sandbox",
                                        "--disable-gpu",
                                        "--disable-dev-shm-usage",
                                        "--no-first-run",
                                        "--hide-scrollbars",
                                        "--force-color-profile=srgb",
                                        "--disable-background-networking",
                                        "--disable-component-update",
                                        "--disable-sync",
                                        "--remote-debugging-pipe",
                                        profile,
                                        "about:blank"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, commands.read, kCommands);
  ::posix_spawn_file_actions_adddup2(&actions, answers.write, kAnswers);
  const int failed =
      ::posix_spawnp(&browser->pid_, "chromium", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(commands.read);
  ::close(answers.write);
  browser->to_ = commands.write;
  browser->from_ = answers.read;
  if (failed != 0) {
    browser->pid_ = -1;
    return nullptr;
  }
  const json targets = browser->Call("Target.getTargets", json::object());
  if (!targets.is_object()) return nullptr;
  for (const json& target : targets["targetInfos"]) {
    if (target["type"] != "page") continue;
    const json attached = browser->Call("Target.attachToTarget",
                                        {{"targetId", target["targetId"]}, {"flatten", true}});
    if (!attached.is_object()) return nullptr;
    browser->session_ = attached["sessionId"].get<std::string>();
    for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable"}) {
      browser->Call(domain, json::object());
    }
    return browser;
  }
  return nullptr;
}

Browser::~Browser() {
  session_.clear();
  if (pid_ > 0) {
    Call("Browser.close", json::object());
    const auto patience = SteadyClock::now() + std::chrono::seconds(10);
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (SteadyClock::now() > patience) ::kill(pid_, SIGKILL);
      ::poll(nullptr, 0, 20);
    }
  }
  if (to_ >= 0) ::close(to_);
  if (from_ >= 0) ::close(from_);
}

json Browser::Receive() {
  const auto until = SteadyClock::now() + kPatience;
  std::size_t end = 0;
  while ((end = received_.find('\0')) == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now());
    pollfd ready{.fd = from_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return {};
    char buffer[65536];
    const ssize_t got = ::read(from_, buffer, sizeof buffer);
    if (got <= 0) return {};
    received_.append(buffer, static_cast<std::size_t>(got));
  }
  json message = json::parse(received_.substr(0, end), nullptr, /*allow_exceptions=*/false);
  received_.erase(0, end + 1);
  return message;
}

void Browser::Note(const json& event) {
  const std::string name = event.value("method", "");
  events_.push_back(name);
  if (name == "Log.entryAdded" || name == "Runtime.consoleAPICalled" ||
      name == "Runtime.exceptionThrown") {
    complaints_.push_back(event["params"].dump());
  }
}

json Browser::Call(const std::string& method, const json& parameters) {
  json command = {{"id", ++last_id_}, {"method", method}, {"params", parameters}};
  if (!session_.empty()) command["sessionId"] = session_;
  const std::string text = command.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t wrote = ::write(to_, text.data() + sent, text.size() - sent);
    if (wrote <= 0) return {};
    sent += static_cast<std::size_t>(wrote);
  }
  while (true) {
    json message = Receive();
    if (!message.is_object()) return {};
    if (!message.contains("id")) {
      Note(message);
    } else if (message["id"] == last_id_) {
      return message.contains("result") ? message["result"] : json();
    }
  }
}

bool Browser::WaitFor(const std::string& event) {
  while (std::find(events_.begin(), events_.end(), event) == events_.end()) {
    const json message = Receive();
    if (!message.is_object()) return false;
    Note(message);
  }
  return true;
}

bool Browser::Open(const std::string& html, int width) {
  const std::string file = (directory_.path() / "page.html").string();
  std::ofstream(file, std::ios::binary) << html;
  Call("Emulation.setDeviceMetricsOverride",
       {{"width", width}, {"height", 800}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
  ShowFor("screen");
  events_.clear();
  complaints_.clear();
  const json going = Call("Page.navigate", {{"url", "file://" + file}});
  return going.is_object() && !going.contains("errorText") && WaitFor("Page.loadEventFired");
}

json Browser::Value(const std::string& expression) {
  const json answer =
      Call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}});
  return answer.is_object() && answer.contains("result") ? answer["result"].value("value", json())
                                                         : json();
}

bool Browser::Becomes(const std::string& expression, const json& value) {
  const auto until = SteadyClock::now() + kPatience;
  while (Value(expression) != value) {
    if (SteadyClock::now() > until) return false;
    ::poll(nullptr, 0, 20);
  }
  return true;
}

std::string Browser::Screenshot() {
  const json metrics = Call("Page.getLayoutMetrics", json::object());
  if (!metrics.is_object()) return {};
  json clip = metrics["cssContentSize"];
  clip["scale"] = 1;
  const json shot = Call("Page.captureScreenshot",
                         {{"format", "png"}, {"captureBeyondViewport", true}, {"clip", clip}});
  return shot.is_object() ? DecodeBase64(shot["data"].get<std::string>()).bytes : "";
}

std::string Browser::Pdf() {
  const json pdf = Call("Page.printToPDF",
                        {{"paperWidth", 8.27}, {"paperHeight", 11.69}, {"printBackground", true}});
  return pdf.is_object() ? DecodeBase64(pdf["data"].get<std::string>()).bytes : "";
}

void Browser::ShowFor(const std::string& medium) {
  const json light = {{"name", "prefers-color-scheme"}, {"value", "light"}};
  Call("Emulation.setEmulatedMedia", {{"media", medium}, {"features", json::array({light})}});
}

}  // namespace picket
