#include "auth/aadsts.h"

#include <algorithm>
#include <array>

namespace picket::auth {
namespace {

struct Entry {
  std::int64_t number = 0;
  AadstsMeaning meaning;
};

constexpr AadstsMeaning kWrongTenant{ErrorKind::kInvalidConfig,
                                     "Entra ID knows no such tenant in this cloud",
                                     "Check tenant_id and [cloud] preset."};
constexpr AadstsMeaning kWrongCloud{ErrorKind::kInvalidConfig,
                                    "the tenant belongs to another national cloud",
                                    "Set [cloud] preset to the tenant's cloud."};
constexpr AadstsMeaning kNoConsent{
    ErrorKind::kPermission, "the application is not in the tenant: it was never consented to",
    "An administrator of the tenant must grant admin consent to the application."};
constexpr AadstsMeaning kNoPermission{
    ErrorKind::kPermission, "the application has no permission for the service in the tenant",
    "Add the permissions to the application's registration and grant admin consent."};
constexpr AadstsMeaning kBadAssertion{
    ErrorKind::kAuth, "Entra ID refuses the certificate's signature",
    "Upload this certificate to the application's registration, and check the clock."};
constexpr AadstsMeaning kOwnTenantOnly{
    ErrorKind::kInvalidConfig, "the application serves its own tenant only",
    "Make its registration multi-tenant, or register one in this tenant."};
constexpr AadstsMeaning kTransient{ErrorKind::kTransient, "Entra ID is temporarily unavailable",
                                   ""};
constexpr AadstsMeaning kThrottled{ErrorKind::kThrottled, "Entra ID throttles token requests", "",
                                   std::chrono::seconds(5)};
constexpr AadstsMeaning kBadResource{ErrorKind::kInvalidConfig,
                                     "Entra ID does not know the service that is asked for",
                                     "Check [cloud]: graph and graph_audience."};
constexpr AadstsMeaning kBlockedByNetwork{ErrorKind::kPermission,
                                          "tenant restrictions of this network block the tenant",
                                          "Allow it at the proxy."};
// Ours to repair, not the operator's.
constexpr AadstsMeaning kMalformed{ErrorKind::kInternal,
                                   "Entra ID calls the token request malformed",
                                   "Please report this, with the number."};

// Source: Microsoft's list of Entra error codes. Numbers of user sign-ins cannot occur here.
constexpr Entry kTable[] = {
    {7000215,
     {ErrorKind::kAuth, "the client secret is wrong",
      "Use the secret's value, not its id; or make a new one."}},
    {7000222,
     {ErrorKind::kAuth, "the client secret has expired",
      "Make a new one in the application's registration."}},
    {7000229, kNoConsent},
    {700016,
     {ErrorKind::kInvalidConfig, "the application is not known in the tenant",
      "Check client_id, tenant_id and [cloud] preset; grant admin consent."}},
    {7000112,
     {ErrorKind::kPermission, "the application is disabled in the tenant",
      "Enable its enterprise application, or find out who disabled it."}},
    {700025,
     {ErrorKind::kInvalidConfig, "the application is registered as a public client",
      "Register it as a confidential client (web), or use another registration."}},
    {700027, kBadAssertion},
    {50012, kBadAssertion},
    {50027, kBadAssertion},
    {50032,
     {ErrorKind::kInvalidConfig, "Entra ID calls the certificate's key too weak",
      "Use an RSA key of 2048 bits or more."}},
    {700024,
     {ErrorKind::kAuth, "the signature's time is not valid", "Check the clock of this machine."}},
    {90002, kWrongTenant},
    {90019, kWrongTenant},
    {900023, kWrongTenant},
    {50059, kWrongTenant},
    {9001023, kWrongTenant},
    {90038, kWrongCloud},
    {900382, kWrongCloud},
    {900432, kWrongCloud},
    {50194, kOwnTenantOnly},
    {650059, kOwnTenantOnly},
    {500011, kBadResource},
    {50001, kBadResource},
    {28002, kBadResource},
    {70011, kBadResource},
    {700022, kBadResource},
    {700023, kBadResource},
    {65001, kNoConsent},
    {650052, kNoPermission},
    {650056, kNoPermission},
    {650057, kNoPermission},
    {53003,
     {ErrorKind::kPermission, "Conditional Access blocks the application",
      "Look at the policies for workload identities: location and risk."}},
    {500021, kBlockedByNetwork},
    {500022, kBlockedByNetwork},
    {50048, kMalformed},
    {90014, kMalformed},
    {900144, kMalformed},
    {7000218, kMalformed},
    {9002313, kMalformed},
    {50196,
     {ErrorKind::kThrottled, "Entra ID saw too many identical requests", "",
      std::chrono::minutes(5)}},
    {90055, {ErrorKind::kThrottled, "Entra ID throttles the tenant", "", std::chrono::minutes(1)}},
    {50033, kTransient},
    {50087, kTransient},
    {90006, kTransient},
    {90012, kTransient},
    {90024, kTransient},
    {90025, kTransient},
    {90033, kTransient},
    {90090, kTransient},
};

}  // namespace

AadstsMeaning MeaningOf(std::int64_t number, std::string_view oauth_error, int status) {
  if (status == 429) return kThrottled;
  const auto* found = std::find_if(std::begin(kTable), std::end(kTable),
                                   [&](const Entry& entry) { return entry.number == number; });
  if (found != std::end(kTable)) return found->meaning;
  if (status >= 500 || oauth_error == "temporarily_unavailable") return kTransient;
  if (oauth_error == "invalid_scope" || oauth_error == "invalid_resource") return kBadResource;
  if (oauth_error == "invalid_client") {
    return {ErrorKind::kAuth, "Entra ID refuses the application's credential",
            "Check the secret or certificate of the application."};
  }
  if (oauth_error == "unauthorized_client") {
    return {ErrorKind::kPermission, "the application may not do this in the tenant",
            "Grant admin consent to the application."};
  }
  return {ErrorKind::kInvalidConfig, "Entra ID refuses the token request",
          "Check client_id, tenant_id and [cloud]."};
}

}  // namespace picket::auth
