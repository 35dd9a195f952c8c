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

# Local files that stand for what rules read from the internet by externaldata: nothing is fetched.
# By the address; sha256 pins the content that was looked at.
[externaldata]
# "https://example.com/feed.csv" = { file = "feed.csv", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", max_size = "16MiB" }

# CSVs for _GetWatchlist, by the alias; SearchKey repeats the column 'key', the first unless set.
[watchlist]
# VIPUsers = { file = "vip.csv", key = "UserPrincipalName", sha256 = "", max_size = "16MiB" }

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

# Where incidents go, as many as you like; 'picket outputs test NAME' tries one.
#   [[output]]
#   name = "soc"                    # a-z, 0-9, -
#   type = "webhook"                # webhook | syslog
#   min_priority = "P5"             # P1 to P5: less urgent ones are not told
#   tenants = ["contoso"]           # without it: all, and what Picket has to tell of itself
#   give_up_after = "7d"            # an output that is away longer loses what waited
#   format = "standard-webhooks"    # standard-webhooks | teams | slack
#   url = "https://soc.example.com/picket"       # of teams and slack a reference: it is the secret
#   secret = "@{file:/etc/picket/webhook-key}"   # "whsec_…", signs standard-webhooks
#   timeout = "20s"
#
#   [[output]]
#   name = "siem"
#   type = "syslog"
#   address = "/dev/log"            # or "udp://HOST:514", "tcp://HOST:601"
#   format = "rfc5424"              # rfc5424 | cef
#   facility = 13
#   enterprise_id = 32473           # of the structured data
#   max_bytes = 8192                # of a message; 2048 over UDP
#   timeout = "10s"
)toml";
}

}  // namespace picket::config
