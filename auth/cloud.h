#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace picket::auth {

// Where a cloud's services are. The audience is the endpoint unless set; the scope of a token is
// `<audience>/.default`.
struct Cloud {
  std::string authority = "https://login.microsoftonline.com";
  std::string graph = "https://graph.microsoft.com";
  std::string arm = "https://management.azure.com";
  std::string graph_audience;
  std::string arm_audience;
  [[nodiscard]] std::string GraphAudience() const {
    return graph_audience.empty() ? graph : graph_audience;
  }
};

// global | usgov (gcc-high) | usgov-dod (dod) | china. Source: Microsoft's national cloud pages.
std::optional<Cloud> CloudPreset(std::string_view name);

}  // namespace picket::auth
