#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "base/time.h"
#include "base/uuid.h"
#include "tests/scratch_directory.h"
#include "tests/simulator/simulator.h"

namespace picket {

struct Outcome {
  std::string out;  // stdout, then stderr
  int code = -1;
};

// The real program in a folder of its own.
class ProgramTest : public testing::Test {
 protected:
  // `arguments` as a shell reads them.
  Outcome Picket(const std::string& arguments) const;
  // A shell command in the folder; $PICKET is the program.
  Outcome Shell(const std::string& command) const;
  void Write(const std::string& name, const std::string& text) const;  // mode 0600
  [[nodiscard]] std::string Read(const std::string& name) const;

  const ScratchDirectory scratch_;
  const std::filesystem::path dir_ = scratch_.path();
};

// What of a config the tests vary.
struct ConfigSpec {
  std::string credential = "credential = \"secret\"\nclient_secret = \"@{file:secret}\"\n";
  std::string streams = "[\"signIns.interactive\"]";
  std::string tenant_id{};  // "": the one that the simulator has
  std::string more{};       // further tables
};

// The program against the simulator, with one tenant that has some sign-ins. Its tests are all of
// one kind: what is stored by a good run stays whatever goes wrong afterwards, the next good run
// goes on, and nothing is missing in the end.
class TenantTest : public ProgramTest {
 protected:
  void SetUp() override;

  // Names an application of its own each time, whose request budget no earlier run has used.
  void WriteConfig(const ConfigSpec& spec = {});
  // `once` a minute after the last one, when all is due again.
  Outcome Once();
  std::string OnceArguments();  // of such a run
  // A sign-in of some minutes ago that Graph shows from now on.
  void Emit(const std::string& patch = "");
  [[nodiscard]] std::set<std::string> StoredIds() const;
  [[nodiscard]] std::set<std::string> EmittedIds() const;
  // Reads what there is, and remembers it as what must stay.
  void ReadAll();
  // What was stored is there; then, after a repair and a further sign-in, a good run has them all.
  void ExpectNothingLost();
  // Moves Graph's clock and that of later runs.
  void Pass(Timespan span) { passed_ += span.ticks; }
  [[nodiscard]] std::filesystem::path Database() const;

  const Guid tenant_ = *ParseGuid("7b2c7e2e-9f0a-4d5b-8a43-0d3c1c1f5a01");
  std::unique_ptr<simulator::Simulator> graph_;
  ConfigSpec good_;
  std::string secret_ = "a+secret/of=the~test";

 private:
  [[nodiscard]] std::string NextApp();
  std::atomic<std::int64_t> passed_{0};
  int apps_ = 0;
  int emitted_ = 0;
  std::set<std::string> before_;
};

}  // namespace picket
