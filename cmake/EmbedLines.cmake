# cmake -DFROM=tables.txt -DTO=lines.cc -DHEADER=… -DNAMESPACE=… -DFUNCTION=… -P EmbedLines.cmake
#
# Writes a source whose FUNCTION() gives the lines of a text. Each stays one literal in the program's
# read-only data; nothing is read or copied when it starts.
file(READ ${FROM} text)
string(REGEX REPLACE "\n$" "" text "${text}")
string(REPLACE "\n" "\",\n    \"" text "${text}")
file(WRITE ${TO} "// Made by cmake/EmbedLines.cmake.
#include \"${HEADER}\"

namespace ${NAMESPACE} {
namespace {

constexpr std::string_view kLines[] = {
    \"${text}\"};

}  // namespace

std::span<const std::string_view> ${FUNCTION}() { return kLines; }

}  // namespace ${NAMESPACE}
")
