#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace picket::outputs {

// Text of events is written by strangers. Each makes it one harmless line, of at most `most` bytes
// with "…" for what was cut; nothing is cut within a character or an escape.

// No control, bidirectional or invisible characters, no line breaks: each becomes a space, and what
// is no UTF-8 the replacement character.
std::string Plain(std::string_view text, std::size_t most);
// The Markdown subset of Adaptive Cards: what could begin a link, a list, emphasis or an image is
// taken literally; a URL is no link.
std::string EscapeMarkdown(std::string_view text, std::size_t most);
// Slack's texts: no mention and no link. Emphasis and emojis are up to the field: plain_text.
std::string EscapeSlack(std::string_view text, std::size_t most);
// The value of a parameter of RFC 5424 structured data.
std::string EscapeSdValue(std::string_view text, std::size_t most);
// CEF: a field of the header, and a value of the extension.
std::string EscapeCefHeader(std::string_view text, std::size_t most);
std::string EscapeCefValue(std::string_view text, std::size_t most);

}  // namespace picket::outputs
