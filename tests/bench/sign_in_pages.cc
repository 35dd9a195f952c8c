#include "tests/bench/sign_in_pages.h"

#include <fmt/format.h>

#include <array>

#include "tests/simulator/dice.h"
#include "tests/simulator/generator.h"

namespace picket::bench {
namespace {

using simulator::Dice;
using simulator::Principal;

struct Place {
  const char* city;
  const char* country;
};
constexpr std::array<Place, 8> kPlaces = {{{"Vienna", "AT"},
                                           {"Graz", "AT"},
                                           {"Berlin", "DE"},
                                           {"Munich", "DE"},
                                           {"Zurich", "CH"},
                                           {"Milan", "IT"},
                                           {"Lyon", "FR"},
                                           {"Prague", "CZ"}}};

Principal User(int number, Dice& dice) {
  const Place& place = kPlaces.at(dice.Below(kPlaces.size()));
  return {.id = ToString(Uuid5(BenchTenant(), fmt::format("user {}", number))),
          .name = fmt::format("User Number {}", number),
          .user = fmt::format("user{}@contoso.example", number),
          .ip = fmt::format("198.51.{}.{}", 100 + number % 2, dice.Below(250) + 1),
          .city = place.city,
          .country = place.country};
}

// One in a hundred is risky, one in twenty fails.
std::string PatchOf(Dice& dice) {
  if (dice.PerMille(10)) {
    return R"({"riskLevelDuringSignIn":"high","riskLevelAggregated":"high","riskState":"atRisk",)"
           R"("riskEventTypes_v2":["unfamiliarFeatures"]})";
  }
  if (dice.PerMille(50)) {
    return R"({"status":{"errorCode":50126,"failureReason":"Error validating credentials due to )"
           R"(invalid username or password."}})";
  }
  return {};
}

}  // namespace

Guid BenchTenant() { return Uuid5(Guid{}, "bench tenant"); }

Instant NewestEvent() { return ParseRfc3339("2026-11-01T12:00:00Z").value(); }

std::string SignInPage(const PagesSpec& spec, int page) {
  std::string body =
      R"({"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns",)"
      R"("@odata.nextLink":"https://graph.microsoft.com/beta/auditLogs/signIns?$skiptoken=1",)"
      R"("value":[)";
  for (int i = 0; i < spec.per_page; ++i) {
    const int number = page * spec.per_page + i;
    Dice dice(7, "sign-in", static_cast<std::uint64_t>(number));
    const Principal user =
        User(static_cast<int>(dice.Below(static_cast<std::size_t>(spec.users))), dice);
    const std::string id = ToString(Uuid5(BenchTenant(), fmt::format("sign-in {}", number)));
    const Instant created = NewestEvent() - spec.between * number;
    if (i > 0) body += ',';
    body +=
        simulator::SignInJson(BenchTenant(), id, created, user, "interactiveUser", PatchOf(dice));
  }
  return std::move(body) + "]}";
}

std::vector<std::string> SignInPages(const PagesSpec& spec) {
  std::vector<std::string> pages;
  for (int page = 0; page < spec.pages; ++page) pages.push_back(SignInPage(spec, page));
  return pages;
}

}  // namespace picket::bench
