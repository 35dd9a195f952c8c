// Functions that take apart the texts of well-known formats.

#include "agent/kql/dynamic_kernel.h"
#include "base/text.h"

namespace picket::kql {
namespace {

// extract_json(path, text): the value at a path such as "$.a[0].b".
ColumnPtr ExtractJson(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<std::vector<JsonStep>> path = ParseJsonPath(ToText(*a[0], row));
    const std::optional<std::string> json = CompactJson(ToText(*a[1], row));
    if (!path || !json) return out.Text("");
    const std::optional<std::string_view> value = JsonAt(*json, *path);
    out.Text(value ? ElementText(*value) : "");
  });
}

// The fields of the first record; a field in quotes may hold commas, and quotes in pairs.
ColumnPtr ParseCsv(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    JsonArray fields;
    std::string field;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (quoted) {
        if (c != '"') {
          field += c;
        } else if (i + 1 < text.size() && text[i + 1] == '"') {
          field += text[++i];
        } else {
          quoted = false;
        }
      } else if (c == '"' && field.empty()) {
        quoted = true;
      } else if (c == ',') {
        fields.Add(QuoteJson(field));
        field.clear();
      } else if (c == '\n' || c == '\r') {
        break;
      } else {
        field += c;
      }
    }
    fields.Add(QuoteJson(field));
    out.Text(fields.Text());
  });
}

std::string QueryParameters(std::string_view query) {
  JsonBag bag;
  for (const std::string_view part : Split(query, '&')) {
    const std::size_t equal = part.find('=');
    if (part.empty() || equal == std::string_view::npos) continue;
    bag.Add(part.substr(0, equal), QuoteJson(part.substr(equal + 1)));
  }
  return bag.Text();
}

// Takes what stands before the mark off the text; nothing when there is no mark.
std::string_view TakeUntil(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return before;
}

ColumnPtr ParseUrl(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string url = ToText(*a[0], row);
    std::string_view rest = url;
    const std::string_view scheme = TakeUntil(rest, "://");
    const std::size_t hash = rest.find('#');
    const std::string_view fragment =
        hash == std::string_view::npos ? std::string_view() : rest.substr(hash + 1);
    rest = rest.substr(0, hash);
    const std::size_t mark = rest.find('?');
    const std::string_view query =
        mark == std::string_view::npos ? std::string_view() : rest.substr(mark + 1);
    rest = rest.substr(0, mark);
    // Without a scheme all that is left is a path.
    const std::size_t slash = scheme.empty() ? 0 : std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash);
    const std::string_view path = rest.substr(slash);
    std::string_view password = TakeUntil(authority, "@");
    std::string_view user = password;
    if (password.find(':') != std::string_view::npos) {
      user = TakeUntil(password, ":");
    } else {
      password = {};
    }
    // [v6]:port or host:port
    const std::size_t colon = authority.rfind(':');
    const bool port_follows =
        colon != std::string_view::npos &&
        (authority.find(']') == std::string_view::npos || authority.find(']') < colon);
    JsonBag bag;
    bag.Add("Scheme", QuoteJson(scheme));
    bag.Add("Host", QuoteJson(port_follows ? authority.substr(0, colon) : authority));
    bag.Add("Port", QuoteJson(port_follows ? authority.substr(colon + 1) : std::string_view()));
    bag.Add("Path", QuoteJson(path));
    bag.Add("Username", QuoteJson(user));
    bag.Add("Password", QuoteJson(password));
    bag.Add("Query Parameters", QueryParameters(query));
    bag.Add("Fragment", QuoteJson(fragment));
    out.Text(bag.Text());
  });
}

ColumnPtr ParseUrlQuery(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    std::string_view query = text;
    if (query.starts_with('?')) query.remove_prefix(1);
    JsonBag bag;
    bag.Add("Query Parameters", QueryParameters(query));
    out.Text(bag.Text());
  });
}

std::size_t LastSlash(std::string_view text) { return text.find_last_of("/\\"); }

ColumnPtr ParsePath(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    std::string_view rest = text;
    const std::string_view scheme = TakeUntil(rest, "://");
    const bool drive = rest.size() > 2 && rest[1] == ':' && (rest[2] == '\\' || rest[2] == '/');
    const std::size_t last = LastSlash(rest);
    std::string_view directory = last == std::string_view::npos ? "" : rest.substr(0, last);
    std::string_view file = last == std::string_view::npos ? rest : rest.substr(last + 1);
    const std::size_t colon = file.find(':');
    const std::string_view stream =
        colon == std::string_view::npos ? std::string_view() : file.substr(colon + 1);
    file = file.substr(0, colon);
    const std::size_t dot = file.rfind('.');
    const std::size_t parent = LastSlash(directory);
    JsonBag bag;
    bag.Add("Scheme", QuoteJson(scheme));
    bag.Add("RootPath", QuoteJson(drive ? rest.substr(0, 3) : std::string_view()));
    bag.Add("DirectoryPath", QuoteJson(directory));
    bag.Add("DirectoryName",
            QuoteJson(parent == std::string_view::npos ? directory : directory.substr(parent + 1)));
    bag.Add("Filename", QuoteJson(file));
    bag.Add("Extension",
            QuoteJson(dot == std::string_view::npos ? std::string_view() : file.substr(dot + 1)));
    bag.Add("AlternateDataStreamName", QuoteJson(stream));
    out.Text(bag.Text());
  });
}

// A Windows command line: quotes hold blanks together, and a backslash before a quote means it.
ColumnPtr ParseCommandLine(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    if (AsciiLower(ToText(*a[1], row)) != "windows" || Trim(text).empty()) return out.Null();
    JsonArray arguments;
    std::string argument;
    bool quoted = false;
    bool begun = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::size_t slashes = 0;
      while (i + slashes < text.size() && text[i + slashes] == '\\') ++slashes;
      const bool before_quote = i + slashes < text.size() && text[i + slashes] == '"';
      if (slashes > 0) {
        begun = true;
        argument.append(before_quote ? slashes / 2 : slashes, '\\');
        i += slashes - 1;
        if (before_quote && slashes % 2 == 1) {
          argument += '"';
          ++i;
        }
        continue;
      }
      const char c = text[i];
      if (c == '"') {
        quoted = !quoted;
        begun = true;
      } else if ((c == ' ' || c == '\t') && !quoted) {
        if (begun) arguments.Add(QuoteJson(argument));
        argument.clear();
        begun = false;
      } else {
        argument += c;
        begun = true;
      }
    }
    if (begun) arguments.Add(QuoteJson(argument));
    out.Text(arguments.Text());
  });
}

// Up to four parts of up to eight digits, as one number that orders as versions do.
std::optional<std::string> VersionDigits(std::string_view version) {
  constexpr std::size_t kParts = 4;
  constexpr std::size_t kDigits = 8;
  const std::vector<std::string_view> parts = Split(Trim(version), '.');
  if (parts.size() > kParts) return std::nullopt;
  std::string digits;
  for (const std::string_view part : parts) {
    const bool number = part.find_first_not_of("0123456789") == std::string_view::npos;
    if (part.empty() || part.size() > kDigits || !number) return std::nullopt;
    digits += std::string(kDigits - part.size(), '0') + std::string(part);
  }
  return digits + std::string((kParts - parts.size()) * kDigits, '0');
}

ColumnPtr ParseVersion(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDecimal, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<std::string> digits = VersionDigits(ToText(*a[0], row));
    const std::optional<Decimal> number = digits ? ParseDecimal(*digits) : std::nullopt;
    if (!number) return out.Null();
    out.Text(ToString(*number));
  });
}

}  // namespace

FunctionList ParseFunctions() {
  return Declare({
      {"extract_json(path: string, json: string): string", &ExtractJson},
      {"parse_command_line(text: scalar, parser: string): dynamic", &ParseCommandLine},
      {"parse_csv(text: text): dynamic", &ParseCsv, nullptr, kNameOfFirst},
      {"parse_path(path: string): dynamic", &ParsePath},
      {"parse_url(url: string): dynamic", &ParseUrl},
      {"parse_urlquery(query: string): dynamic", &ParseUrlQuery},
      {"parse_version(version: string): decimal", &ParseVersion},
  });
}

}  // namespace picket::kql
