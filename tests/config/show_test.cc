// `config show` against the sample, which names every key: what one has, the other has too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "agent/config/load.h"

namespace picket::config {
namespace {

using nlohmann::json;

constexpr const char* kZeros = "00000000-0000-0000-0000-000000000000";
constexpr const char* kGuid = "0f5a1c7e-9a5b-4a0e-8a53-6b6f0c2a7d11";

// The sample with the keys that it only mentions set too.
std::string WholeSample() {
  std::string whole;
  std::istringstream sample{std::string(SampleConfig())};
  for (std::string line; std::getline(sample, line);) {
    const std::size_t name = line.rfind("# ", 0) == 0 ? 2 : 0;
    const std::size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", name);
    const bool key = end != std::string::npos && end > name && line.substr(end, 3) == " = ";
    whole += (key ? line.substr(name) : line) + "\n";
  }
  return whole;
}

std::string Filled(std::string text) {
  for (std::size_t at = text.find(kZeros); at != std::string::npos; at = text.find(kZeros)) {
    text.replace(at, std::string(kZeros).size(), kGuid);
  }
  return text;
}

// "retention.events" → its value; lists as a whole, but for the tenants.
void Flatten(const json& value, const std::string& path, std::map<std::string, json>& leaves) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      Flatten(member, path.empty() ? key : path + "." + key, leaves);
    }
  } else if (value.is_array() && !value.empty() && value.front().is_object()) {
    for (const json& item : value) Flatten(item, path, leaves);
  } else {
    leaves[path] = value;
  }
}

std::map<std::string, json> KeysOf(const std::string& toml_text) {
  std::ostringstream text;
  text << toml::json_formatter{toml::parse(toml_text)};
  std::map<std::string, json> leaves;
  Flatten(json::parse(text.str()), "", leaves);
  return leaves;
}

std::map<std::string, json> Shown(const std::string& toml_text) {
  const LoadedConfig loaded = Parse(toml_text, "picket.toml");
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << ToString(problem);
  std::map<std::string, json> leaves;
  Flatten(ToJson(loaded), "", leaves);
  return leaves;
}

TEST(ConfigShowTest, HasEveryKeyOfTheSampleAndTheSampleHasEveryKeyOfIt) {
  const auto sample = KeysOf(WholeSample());
  const auto shown = Shown(Filled(std::string(SampleConfig())));
  EXPECT_GT(sample.size(), 40U);
  for (const auto& [key, value] : sample) EXPECT_TRUE(shown.contains(key)) << key;
  for (const auto& [key, value] : shown) EXPECT_TRUE(sample.contains(key)) << key;
}

TEST(ConfigShowTest, TheDefaultsInForceAreThoseThatTheSampleNames) {
  const std::set<std::string> examples = {
      "app.certificate_password", "app.client_secret",  "network.proxy_password", "rules.paths",
      "cloud.graph_audience",     "cloud.arm_audience",  // shown as they follow from the endpoint
      "rules.shipped_path"};                             // shown as it was found
  const auto shown = Shown(Filled(std::string(SampleConfig())));
  for (const auto& [key, value] : KeysOf(Filled(WholeSample()))) {
    if (!examples.contains(key)) {
      EXPECT_EQ(shown.at(key), value) << key;
    }
  }
  EXPECT_EQ(shown.at("cloud.graph_audience"), "https://graph.microsoft.com");
  EXPECT_EQ(shown.at("cloud.arm_audience"), "https://management.azure.com");
}

// A config with no default in it is shown as it is written.
TEST(ConfigShowTest, WhatIsSetIsShown) {
  const std::string text = R"([agent]
data_dir = "/srv/picket"
poll_interval = "7m"
max_in_flight = 9
workers = 3
heartbeat_url = "https://beat.example/x"
log_level = "debug"
log_format = "json"
[cloud]
preset = "usgov"
authority = "https://login.example"
graph = "https://graph.example"
arm = "https://arm.example"
graph_audience = "https://audience.example"
arm_audience = "https://other.example"
[network]
proxy = "http://proxy.example:8080"
proxy_user = "user"
proxy_password = "@{env:PROXY}"
ca_file = "/etc/ca.pem"
[app]
client_id = "0f5a1c7e-9a5b-4a0e-8a53-6b6f0c2a7d19"
credential = "secret"
certificate = "@{file:/etc/app.pem}"
certificate_password = "@{credential:pfx}"
signing = "RS256"
client_secret = "@{env:SECRET}"
[poll]
backfill = "3d"
once_backfill = "20s"
overlap = "9m"
settle = "4m"
[retention]
events = "40d"
min_free = "1500MB"
max_size = "7GiB"
[rules]
paths = ["/etc/rules"]
shipped = false
shipped_path = "/srv/rules"
[priority]
high = { low = "P5", medium = "P5", high = "P5" }
medium = { low = "P1", medium = "P1", high = "P1" }
low = { low = "P1", medium = "P1", high = "P1" }
informational = { low = "P1", medium = "P1", high = "P1" }
[[tenant]]
name = "fabrikam"
tenant_id = "2ad3fc79-1859-42fa-9011-6f8df2251b22"
app = "soc"
streams = ["signIns.interactive"]
)";
  const std::string second =
      "[app.soc]\nclient_id = \"2ad3fc79-1859-42fa-9011-6f8df2251b23\"\n"
      "client_secret = \"@{env:SOC}\"\n";
  const auto shown = Shown(text + second);
  const auto written = KeysOf(text);
  const auto defaults = Shown(Filled(std::string(SampleConfig())));
  for (const auto& [key, value] : written) {
    EXPECT_EQ(shown.at(key), value) << key;
    EXPECT_NE(defaults.at(key), value) << key << ": the test sets the default";
  }
  EXPECT_EQ(written.size(), KeysOf(WholeSample()).size()) << "every key is set";
  EXPECT_EQ(shown.at("app.soc.client_secret"), "@{env:SOC}");
  EXPECT_EQ(shown.at("app.soc.credential"), "secret");
}

}  // namespace
}  // namespace picket::config
