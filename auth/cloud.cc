#include "auth/cloud.h"

namespace picket::auth {

std::optional<Cloud> CloudPreset(std::string_view name) {
  if (name == "global") return Cloud{};
  if (name == "usgov" || name == "gcc-high") {
    return Cloud{.authority = "https://login.microsoftonline.us",
                 .graph = "https://graph.microsoft.us",
                 .arm = "https://management.usgovcloudapi.net"};
  }
  if (name == "usgov-dod" || name == "dod") {
    return Cloud{.authority = "https://login.microsoftonline.us",
                 .graph = "https://dod-graph.microsoft.us",
                 .arm = "https://management.usgovcloudapi.net"};
  }
  if (name == "china") {
    return Cloud{.authority = "https://login.partner.microsoftonline.cn",
                 .graph = "https://microsoftgraph.chinacloudapi.cn",
                 .arm = "https://management.chinacloudapi.cn"};
  }
  return std::nullopt;
}

}  // namespace picket::auth
