#include "agent/config/load.h"

namespace picket::config {

std::string_view SampleConfig() {
  return R"toml(# picket.toml: every key, with its default. Lines that begin with "# key" may stay away.
# Paths that are relative are so to the folder of this file.

[agent]
data_dir = "/var/lib/picket"      # one SQLite file a tenant; 0700, owned by who runs Picket
# poll_interval = "5m"
# max_in_flight = 32              # requests at a time, over all tenants
# workers = 2                     # tenants whose rules are evaluated at a time
# heartbeat_url = ""              # GET after each round in which every tenant went well
# log_level = "warn"              # debug | info | warn | error
# log_format = "text"             # text | json

[cloud]
preset = "global"                 # global | usgov (gcc-high) | usgov-dod (dod) | china
# authority = "https://login.microsoftonline.com"
# graph = "https://graph.microsoft.com"
# arm = "https://management.azure.com"
# graph_audience = ""             # of the token; the endpoint unless set
# arm_audience = ""

[network]
# proxy = ""                      # http://host:port
# proxy_user = ""                 # where the proxy asks for one (Basic)
# proxy_password = "@{file:/etc/picket/proxy-password}"
# ca_file = ""                    # further trust anchors (PEM)

# One registration for all tenants; [app.NAME] for more, a tenant says app = "NAME".
# A secret is a reference: @{file:/path}, @{env:NAME}, @{credential:NAME} (systemd).
[app]
client_id = "00000000-0000-0000-0000-000000000000"
credential = "certificate"        # certificate | secret
certificate = "@{file:/etc/picket/app.pem}"
# certificate_password = "@{env:PICKET_CERTIFICATE_PASSWORD}"
# signing = "PS256"               # PS256 | RS256
# client_secret = "@{env:PICKET_SECRET}"

[poll]
# backfill = "30d"                # before first contact; "0" for none
# once_backfill = "1m"            # what one `picket once` gives it
# overlap = "15m"
# settle = "2m"

[retention]
# events = "90d"                  # 31d to 36500d
# min_free = "1GiB"               # of the volume; below it reading pauses
# max_size = "0B"                 # of a tenant's file; 0: no limit

[rules]
# paths = ["/etc/picket/rules.d"] # files and folders, beside the shipped rules
# shipped = true
# shipped_path = ""

# Impact (a rule's severity) and confidence give the priority.
[priority]
# high = { low = "P3", medium = "P2", high = "P1" }
# medium = { low = "P4", medium = "P3", high = "P2" }
# low = { low = "P5", medium = "P4", high = "P3" }
# informational = { low = "P5", medium = "P5", high = "P5" }

# Or one file each in tenants.d/ beside this file.
[[tenant]]
name = "contoso"                  # a-z, 0-9, -
tenant_id = "00000000-0000-0000-0000-000000000000"
# app = ""                        # "" for [app], NAME for [app.NAME]
# streams = "all"                 # or a list: ["signIns.interactive", "riskDetections"]
)toml";
}

}  // namespace picket::config
