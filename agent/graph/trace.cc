#include "agent/graph/trace.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/uuid.h"

namespace picket::graph {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDiagnostic = 1000;
constexpr std::size_t kMaxPart = 40;

bool IsPlain(std::string_view part) {
  return part.size() <= kMaxPart && std::all_of(part.begin(), part.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == ' ' || c == '-' || c == '_';
         });
}

// x-ms-ags-diagnostic: {"ServerInfo":{"DataCenter":"West Europe","Slice":"A",…}}
std::string Diagnostic(std::string_view header) {
  if (header.size() > kMaxDiagnostic) return {};
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= 4; };
  const Json json = Json::parse(header, shallow, /*allow_exceptions=*/false);
  const auto info = json.is_object() ? json.find("ServerInfo") : json.end();
  if (info == json.end() || !info->is_object()) return {};
  std::string shown;
  for (const char* name : {"DataCenter", "Slice", "Ring", "ScaleUnit", "RoleInstance"}) {
    const auto part = info->find(name);
    if (part == info->end() || !part->is_string()) continue;
    const auto& text = part->get_ref<const std::string&>();
    if (!IsPlain(text)) return {};
    shown += (shown.empty() ? "" : "/") + text;
  }
  return shown;
}

}  // namespace

Trace TraceOf(const HttpHeaders& headers) {
  Trace trace;
  if (const auto id = ParseGuid(FindHeader(headers, "request-id").value_or(""))) {
    trace.request_id = ToString(*id);
  }
  if (const auto date = ParseHttpDate(FindHeader(headers, "Date").value_or(""))) {
    trace.date = *date;
  }
  trace.diagnostic = Diagnostic(FindHeader(headers, "x-ms-ags-diagnostic").value_or(""));
  return trace;
}

}  // namespace picket::graph
