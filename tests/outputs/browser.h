#pragma once

#include <sys/types.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tests/scratch_directory.h"

namespace picket {

// A real browser, headless, that is told by its own DevTools protocol what to do (over a pipe; no
// port is opened). Every wait ends after a minute. One thread's.
class Browser {
 public:
  static bool Installed();
  // nullptr when it does not start.
  static std::unique_ptr<Browser> Start();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Shows the page in a window of that width, and waits until it is loaded. False: it is not.
  bool Open(const std::string& html, int width);
  // Whatever the page or the browser complained of on the console since it was opened.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  // An expression's value in the page, which its CSP does not hinder.
  nlohmann::json Value(const std::string& expression);
  // Whether it takes that value, at once or with one of the next frames.
  bool Becomes(const std::string& expression, const nlohmann::json& value);
  // The whole page as a PNG, one pixel a CSS pixel; as a PDF on A4.
  std::string Screenshot();
  std::string Pdf();
  // As on paper ("print"), or on a screen ("screen").
  void ShowFor(const std::string& medium);

 private:
  Browser() = default;
  // The answer's "result"; null when there is none in time, or it is an error.
  nlohmann::json Call(const std::string& method, const nlohmann::json& parameters);
  bool WaitFor(const std::string& event);
  nlohmann::json Receive();  // the next message; null when there is none in time
  void Note(const nlohmann::json& event);

  const ScratchDirectory directory_;  // its profile and the page
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  int last_id_ = 0;
  std::string received_, session_;
  std::vector<std::string> events_, complaints_;
};

}  // namespace picket
