#include "tests/simulator/reply.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace picket::simulator {

const std::string* Call::Parameter(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& parameter) { return parameter.first == name; });
  return found == parameters.end() ? nullptr : &found->second;
}

std::string Call::Value(std::string_view name) const {
  const std::string* value = Parameter(name);
  return value == nullptr ? std::string() : *value;
}

std::string Call::Header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
    return EqualsIgnoreCase(header.first, name);
  });
  return found == headers.end() ? std::string() : found->second;
}

bool Reply::HasHeader(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return EqualsIgnoreCase(header.first, name); });
}

Reply JsonReply(int status, std::string body, std::string_view content_type) {
  Reply reply{.status = status, .body = std::move(body)};
  reply.SetHeader("Content-Type", std::string(content_type));
  return reply;
}

Reply GraphError(const Call& call, int status, std::string_view code, std::string_view message) {
  const std::string client_id = call.Header("client-request-id");
  // The date has no zone on the wire.
  std::string date = FormatRfc3339(call.now).substr(0, 19);
  const nlohmann::ordered_json body = {
      {"error",
       {{"code", code},
        {"message", message},
        {"innerError",
         {{"date", std::move(date)},
          {"request-id", call.request_id},
          {"client-request-id", client_id.empty() ? call.request_id : client_id}}}}}};
  return JsonReply(status,
                   body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
                   "application/json");
}

}  // namespace picket::simulator
