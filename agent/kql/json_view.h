#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace picket::kql {

// Dynamic values are JSON text, looked at in place: no tree is built. All functions take text that
// CompactJson() accepted (or that Graph's page decoder did) and never read beyond it.

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
JsonKind KindOf(std::string_view json);

// The value of the member, or of the element (negative from the end); nullopt when there is none.
std::optional<std::string_view> JsonMember(std::string_view json, std::string_view name);
std::optional<std::string_view> JsonElement(std::string_view json, std::int64_t index);
std::int64_t JsonLength(std::string_view json);  // of an array or object

// Calls with each element, or each member's name (decoded) and value; false ends it.
void ForEachElement(std::string_view json, const std::function<bool(std::string_view)>& visit);
void ForEachMember(std::string_view json,
                   const std::function<bool(std::string_view, std::string_view)>& visit);

// A JSON string's text, escapes resolved.
std::string UnquoteJson(std::string_view json);
// A JSON string of the text.
std::string QuoteJson(std::string_view text);

// Reads a value that JSON does not have from the text's begin: its JSON, and in `length` the bytes
// that it takes; nullopt when there is none.
using ForeignValue =
    std::function<std::optional<std::string>(std::string_view text, std::size_t& length)>;

// Checks the text and gives it without insignificant space; nullopt when it is no JSON or deeper
// than 128.
std::optional<std::string> CompactJson(std::string_view text);
// The same for Kusto's dynamic literals, which also have 'single quotes' and foreign values.
std::optional<std::string> CompactLiteral(std::string_view text, const ForeignValue& foreign);

}  // namespace picket::kql
