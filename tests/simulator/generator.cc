#include "tests/simulator/generator.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/result.h"
#include "base/text.h"
#include "tests/simulator/dice.h"

namespace picket::simulator {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 16> kFirst = {
    "Anna", "Bruno", "Clara", "David", "Eva",  "Felix",  "Greta", "Hannes",
    "Ines", "Jakob", "Karin", "Lukas", "Mara", "Niklas", "Olga",  "Paul"};
constexpr std::array<const char*, 12> kLast = {"Huber",   "Gruber",  "Novak", "Bauer",
                                               "Wagner",  "Steiner", "Moser", "Mayer",
                                               "Leitner", "Fuchs",   "Eder",  "O'Brien"};
constexpr std::array<const char*, 6> kPrograms = {"Nightly backup",    "Mail archiver",
                                                  "Invoice import",    "Deploy pipeline",
                                                  "Inventory scanner", "HR sync"};

struct Place {
  const char* city;
  const char* country;
  const char* network;
};
// Networks are those that are set aside for documentation.
constexpr std::array<Place, 5> kPlaces = {{{"Vienna", "AT", "198.51.100."},
                                           {"Graz", "AT", "198.51.100."},
                                           {"Linz", "AT", "203.0.113."},
                                           {"Munich", "DE", "203.0.113."},
                                           {"Zurich", "CH", "2001:db8:12::"}}};

struct Failure {
  int code;
  const char* reason;
  const char* details;
};
constexpr std::array<Failure, 5> kFailures = {
    {{50126, "Error validating credentials due to invalid username or password.",
      "The user didn't enter the right credentials."},
     {50074, "Strong Authentication is required.", "User needs to perform multi-factor auth."},
     {50140, "This occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
      ""},
     {500121, "Authentication failed during strong authentication request.",
      "MFA denied; user did not respond to mobile app notification"},
     {53003, "Access has been blocked by Conditional Access policies.", ""}}};

struct Emitted {
  std::string id;
  Instant created, visible;
};

class Life {
 public:
  Life(Simulator& simulator, const LifeSpec& spec)
      : simulator_(simulator), spec_(spec), dice_(spec.seed, "life " + ToString(spec.tenant)) {
    PK_CHECK(spec.users > 0 && spec.from < spec.to, "a life has people and a time");
    MakePeople();
  }

  LifeCounts Play() {
    for (int i = 0; i < spec_.sign_ins; ++i) SignIn();
    for (int i = 0; i < spec_.audits; ++i) Audit();
    for (int i = 0; i < spec_.detections && !successes_.empty(); ++i) Detection();
    return counts_;
  }

 private:
  void MakePeople() {
    for (int i = 0; i < spec_.users; ++i) {
      const char* first = kFirst[static_cast<std::size_t>(i) % kFirst.size()];
      const char* last = kLast[static_cast<std::size_t>(i) / kFirst.size() % kLast.size()];
      const Place& place = kPlaces[dice_.Below(kPlaces.size())];
      // The number keeps names apart once all pairs are taken.
      const std::string suffix =
          i < static_cast<int>(kFirst.size() * kLast.size()) ? "" : std::to_string(i);
      std::string account = AsciiLower(fmt::format("{}.{}{}", first, last, suffix));
      std::erase(account, '\'');
      people_.push_back({.id = ToString(Uuid5(spec_.tenant, "user " + account)),
                         .name = fmt::format("{} {}", first, last),
                         .user = account + "@" + spec_.domain,
                         .ip = fmt::format("{}{}", place.network, dice_.Between(1, 250)),
                         .city = place.city,
                         .country = place.country});
    }
    for (const char* name : kPrograms) {
      programs_.push_back({.id = ToString(Uuid5(spec_.tenant, name)),
                           .name = name,
                           .ip = fmt::format("203.0.113.{}", dice_.Between(1, 250))});
    }
  }

  std::string NewId() {
    return ToString(Uuid5(spec_.tenant, fmt::format("{} {}", spec_.seed, ++ids_)));
  }

  // People mostly work by day; some times have whole seconds, some do not.
  Instant SomeTime(bool by_day) {
    Instant time;
    for (int tries = 0; tries < 3; ++tries) {
      time = {dice_.Between(spec_.from.ticks, spec_.to.ticks - 1)};
      const int hour = ToCivil(time).hour;
      if (!by_day || (hour >= 6 && hour < 19)) break;
    }
    if (dice_.PerMille(500)) time.ticks -= time.ticks % kSecond.ticks;
    return std::max(time, spec_.from);
  }

  Instant VisibleFrom(Instant created) {
    if (dice_.PerMille(spec_.very_late)) {
      ++counts_.late;
      return created + kHour * dice_.Between(2, 30);
    }
    if (dice_.PerMille(spec_.late)) {
      ++counts_.late;
      return created + kMinute * dice_.Between(15, 120);
    }
    return created + kSecond * dice_.Between(30, 300);
  }

  const char* SomeType() {
    const auto draw = static_cast<int>(dice_.Below(1000));
    int edge = spec_.non_interactive;
    if (draw < edge) return "nonInteractiveUser";
    if (draw < (edge += spec_.service_principal)) return "servicePrincipal";
    if (draw < edge + spec_.managed_identity) return "managedIdentity";
    return "interactiveUser";
  }

  void SignIn() {
    const std::string_view type = SomeType();
    const bool person = type.ends_with("User");
    const Principal& who =
        person ? people_[dice_.Below(people_.size())] : programs_[dice_.Below(programs_.size())];
    const Emitted event = [&] {
      Emitted e{.id = NewId(), .created = SomeTime(person)};
      e.visible = VisibleFrom(e.created);
      return e;
    }();
    const bool failed = person && dice_.PerMille(spec_.failures);
    json patch = json::object();
    if (failed) {
      const Failure& failure = kFailures[dice_.Below(kFailures.size())];
      patch["status"] = {{"errorCode", failure.code},
                         {"failureReason", failure.reason},
                         {"additionalDetails", failure.details}};
      patch["conditionalAccessStatus"] = failure.code == 53003 ? "failure" : "notApplied";
    } else if (type == "interactiveUser" && dice_.PerMille(spec_.multi_factor)) {
      patch["authenticationRequirement"] = "multiFactorAuthentication";
      patch["mfaDetail"] = {{"authMethod", "Mobile app notification"}, {"authDetail", ""}};
    }
    simulator_.Emit(spec_.tenant, List::kSignIns,
                    SignInJson(spec_.tenant, event.id, event.created, who, type.data(),
                               patch.empty() ? "" : patch.dump()),
                    event.visible);
    ++counts_.sign_ins;
    if (type == "interactiveUser" && !failed) successes_.push_back(event);
    if (dice_.PerMille(spec_.changed)) Complete(event);
  }

  // The log gets whole only later.
  void Complete(const Emitted& event) {
    const json patch = {
        {"authenticationDetails",
         json::array({{{"authenticationStepDateTime", FormatRfc3339(event.created)},
                       {"authenticationMethod", "Previously satisfied"},
                       {"authenticationMethodDetail", nullptr},
                       {"succeeded", true},
                       {"authenticationStepResultDetail",
                        "MFA requirement satisfied by claim in the token"},
                       {"authenticationStepRequirement", "Primary authentication"}}})},
        {"processingTimeInMilliseconds", dice_.Between(1000, 4000)}};
    simulator_.Change(spec_.tenant, List::kSignIns, event.id, patch.dump(),
                      event.visible + kMinute * dice_.Between(5, 240));
    ++counts_.changed;
  }

  void Detection() {
    static constexpr std::array<const char*, 5> kEvents = {"unfamiliarFeatures",
                                                           "anonymizedIPAddress", "unlikelyTravel",
                                                           "newCountry", "passwordSpray"};
    const Emitted& event = successes_[dice_.Below(successes_.size())];
    const bool offline = dice_.PerMille(700);
    const Timespan delay =
        offline ? kMinute * dice_.Between(60, 40 * 60) : kMinute * dice_.Between(5, 10);
    const Instant at = std::max(event.visible, event.created + delay);
    const std::string id = simulator_.AddRisk(spec_.tenant, event.id,
                                              {.event = kEvents[dice_.Below(kEvents.size())],
                                               .level = dice_.PerMille(300) ? "high" : "medium",
                                               .timing = offline ? "offline" : "realtime"},
                                              at);
    ++counts_.detections;
    if (!dice_.PerMille(300)) return;
    // Someone looked, and found nothing.
    const Instant later = at + kHour * dice_.Between(1, 12);
    const json dismissed = {{"riskState", "dismissed"},
                            {"riskDetail", "adminDismissedAllRiskForUser"}};
    simulator_.Change(spec_.tenant, List::kSignIns, event.id, dismissed.dump(), later);
    json detection = dismissed;
    detection["lastUpdatedDateTime"] = FormatRfc3339(later);
    simulator_.Change(spec_.tenant, List::kRiskDetections, id, detection.dump(), later);
  }

  void Audit() {
    static constexpr std::array<std::pair<const char*, const char*>, 4> kActivities = {
        {{"Update user", "UserManagement"},
         {"Add member to group", "GroupManagement"},
         {"Reset user password", "UserManagement"},
         {"Update application", "ApplicationManagement"}}};
    const auto& [activity, category] = kActivities[dice_.Below(kActivities.size())];
    const Principal& who = people_[dice_.Below(people_.size())];
    const Principal& target = people_[dice_.Below(people_.size())];
    const Instant time = SomeTime(true);
    const std::string number = NewId();
    const json record = {
        {"id", "Directory_" + number},
        {"category", category},
        {"correlationId", ToString(Uuid5(spec_.tenant, number))},
        {"result", "success"},
        {"resultReason", ""},
        {"activityDisplayName", activity},
        {"activityDateTime", FormatRfc3339(time)},
        {"loggedByService", "Core Directory"},
        {"operationType", "Update"},
        {"initiatedBy",
         {{"app", nullptr},
          {"user",
           {{"id", who.id},
            {"displayName", who.name},
            {"userPrincipalName", who.user},
            {"ipAddress", who.ip}}}}},
        {"targetResources",
         json::array({{{"id", target.id},
                       {"displayName", target.name},
                       {"type", "User"},
                       {"userPrincipalName", target.user},
                       {"groupType", nullptr},
                       {"modifiedProperties", json::array({{{"displayName", "AccountEnabled"},
                                                            {"oldValue", "[false]"},
                                                            {"newValue", "[true]"}}})}}})},
        {"additionalDetails", json::array({{{"key", "UserType"}, {"value", "Member"}}})}};
    simulator_.Emit(spec_.tenant, List::kDirectoryAudits, record.dump(), VisibleFrom(time));
    ++counts_.audits;
  }

  Simulator& simulator_;
  const LifeSpec spec_;
  Dice dice_;
  std::vector<Principal> people_, programs_;
  std::vector<Emitted> successes_;
  LifeCounts counts_;
  std::int64_t ids_ = 0;
};

}  // namespace

LifeCounts Live(Simulator& simulator, const LifeSpec& spec) { return Life(simulator, spec).Play(); }

}  // namespace picket::simulator
