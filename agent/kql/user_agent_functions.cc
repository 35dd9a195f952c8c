// parse_user_agent(): the browsers, systems and devices that sign-ins come from, by the names of
// the ua-parser project, which the real engine uses. Less complete than theirs: the rest is
// "Other".

#include <re2/re2.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "agent/kql/dynamic_kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// The first pattern that matches decides. Its groups are the versions.
struct AgentRule {
  const char* pattern;
  const char* family;
};

constexpr AgentRule kBrowsers[] = {
    {R"(AdobeAIR/(\d+)\.(\d+)\.?(\d+)?)", "AdobeAIR"},
    {R"((?:EdgiOS|EdgA)/(\d+)\.(\d+)\.?(\d+)?)", "Edge Mobile"},
    {R"(Edge?/(\d+)\.(\d+)\.?(\d+)?)", "Edge"},
    {R"(OPR/(\d+)\.(\d+)\.?(\d+)?)", "Opera"},
    {R"(SamsungBrowser/(\d+)\.(\d+)\.?(\d+)?)", "Samsung Internet"},
    {R"(CriOS/(\d+)\.(\d+)\.?(\d+)?)", "Chrome Mobile iOS"},
    {R"(FxiOS/(\d+)\.(\d+)\.?(\d+)?)", "Firefox iOS"},
    {R"(Mobile.*Firefox/(\d+)\.(\d+)\.?(\d+)?)", "Firefox Mobile"},
    {R"((?:Thunderbird)/(\d+)\.(\d+)\.?(\d+)?)", "Thunderbird"},
    {R"(Firefox/(\d+)\.(\d+)\.?(\d+)?)", "Firefox"},
    {R"(HeadlessChrome/(\d+)\.(\d+)\.?(\d+)?)", "HeadlessChrome"},
    {R"(Electron/(\d+)\.(\d+)\.?(\d+)?)", "Electron"},
    {R"(; wv\).*Chrome/(\d+)\.(\d+)\.?(\d+)?)", "Chrome Mobile WebView"},
    {R"(Chrome/(\d+)\.(\d+)\.?(\d+)?[\d.]* Mobile)", "Chrome Mobile"},
    {R"(Chrome/(\d+)\.(\d+)\.?(\d+)?)", "Chrome"},
    {R"((?:iPhone|iPad|iPod).*Version/(\d+)\.(\d+)\.?(\d+)?.*Safari)", "Mobile Safari"},
    {R"((?:iPhone|iPad|iPod).*AppleWebKit)", "Mobile Safari UI/WKWebView"},
    {R"(Version/(\d+)\.(\d+)\.?(\d+)?.*Safari/)", "Safari"},
    {R"(Trident/7.*rv:(\d+)\.(\d+))", "IE"},
    {R"(MSIE (\d+)\.(\d+))", "IE"},
    {R"(python-requests/(\d+)\.(\d+)\.?(\d+)?)", "Python Requests"},
    {R"([Pp]ython-urllib3?/(\d+)\.(\d+)\.?(\d+)?)", "Python-urllib"},
    {R"(aiohttp/(\d+)\.(\d+)\.?(\d+)?)", "Python aiohttp"},
    {R"(curl/(\d+)\.(\d+)\.?(\d+)?)", "curl"},
    {R"([Ww]get/(\d+)\.(\d+)\.?(\d+)?)", "Wget"},
    {R"(okhttp/(\d+)\.(\d+)\.?(\d+)?)", "okhttp"},
    {R"(Go-http-client/(\d+)\.(\d+))", "Go-http-client"},
    {R"(Java/(\d+)\.(\d+)\.?(\d+)?)", "Java"},
    {R"(PowerShell/(\d+)\.(\d+)\.?(\d+)?)", "PowerShell"},
};

constexpr AgentRule kSystems[] = {
    {R"(Windows Phone(?: OS)? (\d+)\.?(\d+)?)", "Windows Phone"},
    {R"(Windows NT (10)\.0)", "Windows"},
    {R"(Windows NT 6\.3)", "Windows"},
    {R"(Windows NT 6\.2)", "Windows"},
    {R"(Windows NT 6\.1)", "Windows"},
    {R"(Windows NT 6\.0)", "Windows"},
    {R"(Windows NT 5\.[12])", "Windows"},
    {R"(Windows)", "Windows"},
    {R"((?:iPhone OS|CPU OS) (\d+)[_.](\d+)(?:[_.](\d+))?)", "iOS"},
    {R"(iPhone|iPad|iPod)", "iOS"},
    {R"(Android (\d+)(?:\.(\d+))?(?:\.(\d+))?)", "Android"},
    {R"(Android)", "Android"},
    {R"(CrOS \S+ (\d+)\.(\d+)\.?(\d+)?)", "Chrome OS"},
    {R"(Mac OS X (\d+)[_.](\d+)(?:[_.](\d+))?)", "Mac OS X"},
    {R"(Macintosh|Darwin)", "Mac OS X"},
    {R"(Ubuntu)", "Ubuntu"},
    {R"(Fedora)", "Fedora"},
    {R"(Linux)", "Linux"},
};
// The versions that Windows is known by, by its number within.
constexpr std::pair<const char*, const char*> kWindowsNames[] = {
    {"Windows NT 6.3", "8.1"},   {"Windows NT 6.2", "8"},  {"Windows NT 6.1", "7"},
    {"Windows NT 6.0", "Vista"}, {"Windows NT 5.1", "XP"}, {"Windows NT 5.2", "XP"},
};

struct Device {
  const char* pattern;
  const char* family;
  const char* brand;
  const char* model;
};
constexpr Device kDevices[] = {
    {R"(iPhone)", "iPhone", "Apple", "iPhone"},
    {R"(iPad)", "iPad", "Apple", "iPad"},
    {R"(iPod)", "iPod", "Apple", "iPod"},
    {R"(Macintosh)", "Mac", "Apple", "Mac"},
    {R"(SM-[A-Z]\w+)", "Samsung", "Samsung", ""},
    {R"(Pixel \w+)", "Pixel", "Google", ""},
    {R"(Android.*Mobile)", "Generic Smartphone", "Generic", "Smartphone"},
    {R"(Android)", "Generic Tablet", "Generic", "Tablet"},
};

const RE2& Compiled(const char* pattern) {
  static std::mutex mutex;
  static std::map<const char*, std::unique_ptr<const RE2>> all;
  const std::lock_guard lock(mutex);
  std::unique_ptr<const RE2>& entry = all[pattern];
  if (!entry) entry = std::make_unique<const RE2>(pattern, RE2::Quiet);
  return *entry;
}

struct Agent {
  std::string family = "Other";
  std::array<std::string, 3> versions;
};

template <std::size_t kSize>
Agent Match(const AgentRule (&rules)[kSize], const std::string& text) {
  Agent agent;
  for (const AgentRule& rule : rules) {
    std::array<re2::StringPiece, 4> groups;
    const RE2& pattern = Compiled(rule.pattern);
    const int count = pattern.NumberOfCapturingGroups() + 1;
    if (!pattern.Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(), count)) continue;
    agent.family = rule.family;
    for (std::size_t i = 0; i < 3; ++i) {
      const re2::StringPiece& group = groups.at(i + 1);
      if (group.data() != nullptr) agent.versions.at(i).assign(group.data(), group.size());
    }
    break;
  }
  return agent;
}

std::string BrowserJson(const std::string& text) {
  const Agent agent = Match(kBrowsers, text);
  JsonBag bag;
  bag.Add("Family", QuoteJson(agent.family));
  bag.Add("MajorVersion", QuoteJson(agent.versions[0]));
  bag.Add("MinorVersion", QuoteJson(agent.versions[1]));
  bag.Add("Patch", QuoteJson(agent.versions[2]));
  return bag.Text();
}

std::string SystemJson(const std::string& text) {
  Agent agent = Match(kSystems, text);
  for (const auto& [number, name] : kWindowsNames) {
    if (agent.family == "Windows" && text.find(number) != std::string::npos) {
      agent.versions[0] = name;
    }
  }
  JsonBag bag;
  bag.Add("Family", QuoteJson(agent.family));
  bag.Add("MajorVersion", QuoteJson(agent.versions[0]));
  bag.Add("MinorVersion", QuoteJson(agent.versions[1]));
  bag.Add("Patch", QuoteJson(agent.versions[2]));
  bag.Add("PatchMinor", R"("")");
  return bag.Text();
}

std::string DeviceJson(const std::string& text) {
  Device found{"", "Other", "", ""};
  for (const Device& device : kDevices) {
    if (!RE2::PartialMatch(text, Compiled(device.pattern))) continue;
    found = device;
    break;
  }
  JsonBag bag;
  bag.Add("Family", QuoteJson(found.family));
  bag.Add("Brand", QuoteJson(found.brand));
  bag.Add("Model", QuoteJson(found.model));
  return bag.Text();
}

// parse_user_agent(text, "browser" | "os" | "device" | an array of these)
ColumnPtr ParseUserAgent(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    std::vector<std::string> wanted;
    if (a.size() < 2) {
      wanted = {"browser", "os", "device"};
    } else if (IsArrayAt(*a[1], row)) {
      for (const std::string_view name : ElementsAt(*a[1], row)) {
        wanted.push_back(AsciiLower(ElementText(name)));
      }
    } else {
      wanted.push_back(AsciiLower(ToText(*a[1], row)));
    }
    JsonBag bag;
    for (const std::string& name : wanted) {
      if (name == "browser") bag.Add("Browser", BrowserJson(text));
      if (name == "os") bag.Add("OperatingSystem", SystemJson(text));
      if (name == "device") bag.Add("Device", DeviceJson(text));
    }
    out.Text(bag.Text());
  });
}

}  // namespace

FunctionList UserAgentFunctions() {
  return Declare({{"parse_user_agent(text: string, look_for: text?): dynamic", &ParseUserAgent}});
}

}  // namespace picket::kql
