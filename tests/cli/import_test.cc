// Real logs through the program: imported by one command, read by another, as the files have them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "tests/process/child_process.h"
#include "tests/scratch_directory.h"
#include "tests/tables/independent_csv.h"

namespace picket {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const fs::path kSamples = fs::path(PICKET_SHARED_DIR) / "corpora/samples";

class ImportingFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kSamples)) GTEST_SKIP() << kSamples << " is missing: no real logs to import";
    // The longest there is, a hundred years; the oldest of the samples is of 2018.
    WriteConfig("[retention]\nevents = \"36500d\"\n");
  }

  void WriteConfig(const std::string& more) const {
    const std::string text = "[agent]\ndata_dir = \"" + (dir_ / "data").string() +
                             "\"\n[app]\nclient_id = \"11111111-2222-4333-8444-555555555555\"\n"
                             "credential = \"secret\"\nclient_secret = \"@{env:NOBODY}\"\n" +
                             more +
                             "[[tenant]]\nname = \"lab\"\n"
                             "tenant_id = \"aaaaaaaa-0000-4000-8000-000000000001\"\n";
    ASSERT_TRUE(WriteFileAtomically(dir_ / "picket.toml", text));
  }

  // The verb's output; stderr with it when it is asked for.
  std::string Run(std::vector<std::string> arguments, int expected,
                  bool with_errors = false) const {
    arguments.insert(arguments.begin(), PICKET_PROGRAM);
    arguments.insert(arguments.end(), {"--config", (dir_ / "picket.toml").string()});
    const auto program = ChildProcess::Start(arguments, {.with_errors = with_errors});
    std::string output = program->Output();
    EXPECT_EQ(program->ExitStatus(), expected) << output;
    return output;
  }
  // One object a file.
  std::vector<json> Import(std::vector<std::string> files, int expected = 0) const {
    files.insert(files.begin(), "import");
    files.insert(files.end(), {"--tenant", "lab", "--format", "json"});
    const std::string output = Run(std::move(files), expected);
    std::vector<json> reports;
    for (const std::string_view line : Split(output, '\n')) {
      if (!line.empty()) reports.push_back(json::parse(line, nullptr, /*exceptions=*/false));
    }
    return reports;
  }
  json Query(const std::string& kql) const {
    const json answer = json::parse(Run({"query", kql, "--tenant", "lab", "--format", "json"}, 0),
                                    nullptr, /*exceptions=*/false);
    return answer.is_object() ? answer["rows"] : json();
  }

 private:
  const ScratchDirectory scratch_;
  const fs::path dir_ = scratch_.path();
};

std::string Sample(const char* name) { return (kSamples / name).string(); }

std::string TextOf(const std::string& file) {
  return ReadFile(file, std::size_t{16} << 20).value_or("");
}

TEST_F(ImportingFiles, TheSixtySignInsOfTheTrainingLabAreCountedAndReadAsTheFilesHaveThem) {
  const std::string adele = Sample("sentinel-training-lab/sign-in_adelete.csv");
  const std::string disabled = Sample("sentinel-training-lab/disable_accounts.csv");
  const std::vector<json> reports = Import({adele, disabled});
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0]["new"], 56);
  EXPECT_EQ(reports[1]["new"], 4);
  for (const json& report : reports) {
    EXPECT_EQ(report["table"], "SigninLogs");
    EXPECT_EQ(report["rejected"], 0);
    EXPECT_EQ(report["expired"], 0);
  }

  EXPECT_EQ(Query("SigninLogs | count"), json::parse("[[60]]"));
  // Values that stand in columns of both files, and one within a dynamic column.
  std::vector<std::vector<std::string>> wanted;
  std::map<std::string, int> by_result;
  for (const std::string& file : {adele, disabled}) {
    for (const auto& row : IndependentCsv(TextOf(file))) {
      const bool plain = row.contains("LocationDetails");
      const json place = json::parse(row.at(plain ? "LocationDetails" : "LocationDetails_dynamic"),
                                     nullptr, false);
      wanted.push_back({row.at("Id"), row.at("UserPrincipalName"), row.at("IPAddress"),
                        row.at("AppDisplayName"), row.at("ResultType"), place.value("city", "")});
      ++by_result[row.at("ResultType")];
    }
  }
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(Query("SigninLogs | extend City = tostring(LocationDetails.city) | sort by Id asc | "
                  "project Id, UserPrincipalName, IPAddress, AppDisplayName, ResultType, City"),
            json(wanted));
  json counts = json::array();
  for (const auto& [result, count] : by_result) counts.push_back({result, count});
  EXPECT_EQ(Query("SigninLogs | summarize count() by ResultType | sort by ResultType asc"), counts);

  for (const json& again : Import({adele, disabled})) EXPECT_EQ(again["already"], true);
  EXPECT_EQ(Query("SigninLogs | count"), json::parse("[[60]]"));
}

TEST_F(ImportingFiles, GraphsOwnExamplesAreReadAsTheyStand) {
  const std::string sign_ins = Sample("graph-docs/signins-beta-example.json");
  const std::string detections = Sample("graph-docs/riskdetections-v1-example.json");
  const std::vector<json> reports = Import({sign_ins, detections});
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0]["new"], 2);
  EXPECT_EQ(reports[1]["new"], 1);

  json wanted = json::array();
  const json examples = json::parse(TextOf(sign_ins));
  for (const json& record : examples["value"]) {
    const auto network = record.find("autonomousSystemNumber");
    wanted.push_back({record["id"], record["userPrincipalName"], record["ipAddress"],
                      std::to_string(record["status"]["errorCode"].get<int>()),
                      network == record.end() ? "" : network->dump(),
                      record["location"]["countryOrRegion"]});
  }
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(Query("SigninLogs | sort by Id asc | project Id, UserPrincipalName, IPAddress, "
                  "ResultType, tostring(AutonomousSystemNumber), Location"),
            wanted);
  const json detection = json::parse(TextOf(detections))["value"][0];
  EXPECT_EQ(Query("AADUserRiskEvents | project Id, RequestId, RiskEventType, RiskState, RiskLevel, "
                  "IpAddress, UserPrincipalName"),
            json::array({{detection["id"], detection["requestId"], detection["riskEventType"],
                          detection["riskState"], detection["riskLevel"], detection["ipAddress"],
                          detection["userPrincipalName"]}}));
}

TEST_F(ImportingFiles, WhatIsOlderThanRetentionIsCountedAndSaidAndNotKept) {
  WriteConfig("");
  const std::string adele = Sample("sentinel-training-lab/sign-in_adelete.csv");
  const std::string said = Run({"import", adele, "--tenant", "lab"}, 0, /*with_errors=*/true);
  EXPECT_THAT(said, HasSubstr("56 older than retention"));
  EXPECT_THAT(said, HasSubstr("[retention] events"));
  EXPECT_EQ(Query("SigninLogs | count"), json::parse("[[0]]"));

  WriteConfig("[retention]\nevents = \"3650d\"\n");
  EXPECT_EQ(Import({adele}).at(0)["new"], 56)
      << "the refused rows, now that there is room for them";
  EXPECT_EQ(Import({adele}).at(0)["already"], true);
}

TEST_F(ImportingFiles, TheWholeTrainingLabHasSixtySignInsAndARuleResultThatIsNone) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(kSamples / "sentinel-training-lab")) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path().string());
  }
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(Import(files, 1).size(), 3U);
  EXPECT_EQ(Query("SigninLogs | count"), json::parse("[[60]]"));
}

TEST_F(ImportingFiles, ABadFileIsSaidAndTheOthersAreTakenIn) {
  const std::string audits = Sample("sentinel-training-lab/AuditLogs_Hunting.csv");
  const std::string missing = Sample("sentinel-training-lab/nobody.csv");
  const std::vector<json> reports = Import({missing, audits}, 1);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0]["table"], "AuditLogs");
  EXPECT_EQ(reports[0]["read"], 5);
  const std::string refused = Run({"import", PICKET_SOURCE_DIR "/README.md", "--tenant", "lab"}, 1,
                                  /*with_errors=*/true);
  EXPECT_THAT(refused, HasSubstr("README.md"));
}

}  // namespace
}  // namespace picket
