// Logs of Azure Storage and AWS CloudTrail, in the formats in which those services write them.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/scenarios/stage.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr const char* kStolenFrom = "192.0.2.91";

struct Access {
  const char* operation;
  std::string path;
  std::string ip, agent;
  Timespan ago;
  int bytes = 0;
};

// One of Azure's diagnostic lines of a storage account.
std::string StorageLine(Stage& stage, const Principal& who, const Access& access) {
  const ScenarioTenant& tenant = stage.contoso();
  const std::string account = "contosofiles";
  const json line = {
      {"time", FormatKusto(stage.now() - access.ago)},
      {"resourceId",
       fmt::format("/subscriptions/{}/resourceGroups/files/providers/Microsoft.Storage/"
                   "storageAccounts/{}/blobServices/default",
                   ToString(Uuid5(tenant.id, "subscription")), account)},
      {"category", "StorageRead"},
      {"operationName", access.operation},
      {"operationVersion", "2024-11-04"},
      {"schemaVersion", "1.0"},
      {"statusCode", 200},
      {"statusText", "Success"},
      {"durationMs", 12},
      {"callerIpAddress", access.ip + ":52117"},
      {"correlationId", stage.NewId()},
      {"identity",
       {{"type", "OAuth"},
        {"tokenHash", "D1E0A2"},
        {"requester",
         {{"appId", "e406a681-f3d4-42a8-90b6-c2b029497af1"},
          {"audience", "https://storage.azure.com"},
          {"objectId", who.id},
          {"tenantId", ToString(tenant.id)},
          {"tokenIssuer", fmt::format("https://sts.windows.net/{}/", ToString(tenant.id))},
          {"upn", who.user}}}}},
      {"location", "westeurope"},
      {"properties",
       {{"accountName", account},
        {"userAgentHeader", access.agent},
        {"serviceType", "blob"},
        {"objectKey", "/" + account + access.path},
        {"metricResponseType", "Success"},
        {"serverLatencyMs", 9},
        {"requestHeaderSize", 530},
        {"responseHeaderSize", 410},
        {"responseBodySize", access.bytes},
        {"tlsVersion", "TLS 1.3"}}},
      {"uri", fmt::format("https://{}.blob.core.windows.net:443{}", account, access.path)},
      {"protocol", "HTTPS"},
      {"resourceType", "Microsoft.Storage/storageAccounts/blobServices"}};
  return line.dump() + "\n";
}

struct AwsCall {
  const char* source;
  const char* name;
};

json CloudTrailEvent(Stage& stage, const char* user, const char* key, const char* ip,
                     const char* agent, const AwsCall& call, Timespan ago) {
  constexpr const char* kAccount = "123456789012";
  return {{"eventVersion", "1.11"},
          {"userIdentity",
           {{"type", "IAMUser"},
            {"principalId", fmt::format("AIDA{}EXAMPLE", user)},
            {"arn", fmt::format("arn:aws:iam::{}:user/{}", kAccount, user)},
            {"accountId", kAccount},
            {"accessKeyId", key},
            {"userName", user}}},
          {"eventTime", FormatRfc3339(stage.now() - ago).substr(0, 19) + "Z"},
          {"eventSource", call.source},
          {"eventName", call.name},
          {"awsRegion", "eu-central-1"},
          {"sourceIPAddress", ip},
          {"userAgent", agent},
          {"requestParameters", nullptr},
          {"responseElements", nullptr},
          {"requestID", stage.NewId()},
          {"eventID", stage.NewId()},
          {"readOnly", true},
          {"eventType", "AwsApiCall"},
          {"managementEvent", true},
          {"recipientAccountId", kAccount},
          {"eventCategory", "Management"}};
}

}  // namespace

void PlayStorageTokenReuse(Stage& stage) {
  const ScenarioTenant& tenant = stage.contoso();
  constexpr const char* kExplorer = "Microsoft Azure Storage Explorer, 1.40.0, win32";
  constexpr int kBlobs = 30;
  Principal jakob = Stage::Person(tenant, "Jakob", "Stern");
  jakob.ip = "198.51.100.31";
  Principal ines = Stage::Person(tenant, "Ines", "Kern");
  ines.ip = "198.51.100.32";
  stage.SignIn(tenant, jakob, kHour * 9);
  stage.SignIn(tenant, ines, kHour * 8);
  std::string lines;
  // Their own work, from where they signed in.
  for (const Principal* who : {&jakob, &ines}) {
    for (int i = 0; i < 5; ++i) {
      lines += StorageLine(stage, *who,
                           {"GetBlob", fmt::format("/projects/plan-{}.docx", i), who->ip, kExplorer,
                            kHour * 7 - kMinute * (9 * i), 48'211});
    }
  }
  // His token, in other hands: no sign-in from there.
  constexpr const char* kTool = "python-requests/2.32.3";
  lines += StorageLine(stage, jakob,
                       {"ListContainers", "/?comp=list", kStolenFrom, kTool, kMinute * 55, 2'140});
  lines += StorageLine(stage, jakob,
                       {"ListBlobs", "/finance?restype=container&comp=list", kStolenFrom, kTool,
                        kMinute * 54, 18'404});
  for (int i = 0; i < kBlobs; ++i) {
    lines += StorageLine(stage, jakob,
                         {"GetBlob", fmt::format("/finance/ledger-{:02}.xlsx", i), kStolenFrom,
                          kTool, kMinute * 53 - kSecond * (4 * i), 912'000 + i});
  }
  stage.AddFile({.tenant = tenant.name,
                 .name = "storage-blob-logs.json",
                 .table = "StorageBlobLogs",
                 .content = std::move(lines)});
  stage.Expect({.tenant = tenant.name,
                .entity = jakob.user,
                .why = "A container was listed and emptied with his token, from an address where "
                       "he never signed in.",
                .needs_table = "StorageBlobLogs"});
  stage.Expect({.tenant = tenant.name,
                .entity = ines.user,
                .incident = false,
                .why = "She read files from where she had signed in.",
                .needs_table = "StorageBlobLogs"});
}

void PlayAwsReconnaissance(Stage& stage) {
  const ScenarioTenant& tenant = stage.contoso();
  constexpr AwsCall kLook[] = {{"sts.amazonaws.com", "GetCallerIdentity"},
                               {"iam.amazonaws.com", "ListAttachedUserPolicies"},
                               {"iam.amazonaws.com", "ListGroupsForUser"},
                               {"s3.amazonaws.com", "ListBuckets"},
                               {"ec2.amazonaws.com", "DescribeInstances"}};
  json events = json::array();
  for (std::int64_t i = 0; i < 12; ++i) {
    events.push_back(CloudTrailEvent(stage, "deploy", "AKIAIOSFODNN7EXAMPLE", "198.51.100.80",
                                     "aws-sdk-go-v2/1.36.0 os/linux", kLook[3 + i % 2],
                                     kHour * 20 - kMinute * (95 * i)));
  }
  std::int64_t step = 0;
  for (const AwsCall& call : kLook) {
    events.push_back(CloudTrailEvent(
        stage, "backup-reader", "AKIAI44QH8DHBEXAMPLE", "192.0.2.140",
        "aws-cli/2.27.1 md/awscrt#0.26.1 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.2",
        call, kMinute * 42 - kSecond * (17 * step++)));
  }
  stage.AddFile({.tenant = tenant.name,
                 .name = "cloudtrail.json",
                 .table = "AWSCloudTrail",
                 .content = json{{"Records", std::move(events)}}.dump()});
  stage.Expect({.tenant = tenant.name,
                .entity = "backup-reader",
                .why = "An access key asked within two minutes who it is, what it may do and what "
                       "there is.",
                .needs_table = "AWSCloudTrail"});
  stage.Expect({.tenant = tenant.name,
                .entity = "deploy",
                .incident = false,
                .why = "A pipeline that does its usual calls, hours apart.",
                .needs_table = "AWSCloudTrail"});
}

}  // namespace picket::simulator
