// Functions that encode, decode and hash texts.

#include <charconv>
#include <cstring>

#include "agent/kql/code_points.h"
#include "agent/kql/dynamic_kernel.h"
#include "base/gzip.h"
#include "base/text.h"
#include "base/uuid.h"

namespace picket::kql {
namespace {

constexpr std::size_t kMaxText = std::size_t{4} << 20;

// kEncode(text) → the text of the row
template <std::string (*kEncode)(std::string_view)>
ColumnPtr Encoded(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string buffer;
    out.Text(kEncode(TextView(*a[0], row, buffer)));
  });
}

// As .NET does: hex in small letters, and these characters as they are.
std::string UrlEncoded(std::string_view text, std::string_view space) {
  static constexpr std::string_view kPlain = "-_.!*()";
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else if (c == ' ') {
      encoded += space;
    } else {
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 0xFU]};
    }
  }
  return encoded;
}
std::string UrlEncode(std::string_view text) { return UrlEncoded(text, "+"); }
std::string UrlEncodeComponent(std::string_view text) { return UrlEncoded(text, "%20"); }

std::string UrlDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned int byte = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const char* first = text.data() + i + 1;
      const auto [end, code] = std::from_chars(first, first + 2, byte, 16);
      if (code == std::errc{} && end == first + 2) {
        decoded += static_cast<char>(byte);
        i += 2;
        continue;
      }
    }
    decoded += text[i] == '+' ? ' ' : text[i];
  }
  return ToValidUtf8(decoded);
}

// What base64 stands for; nullopt for what is none.
std::optional<std::string> Base64Decoded(std::string_view text) {
  Base64Bytes decoded = DecodeBase64(text);
  if (!decoded.complete || text.size() % 4 != 0) return std::nullopt;
  return std::move(decoded.bytes);
}

std::string Base64ToText(std::string_view text) {
  const std::optional<std::string> bytes = Base64Decoded(text);
  return bytes && IsValidUtf8(*bytes) ? *bytes : "";
}

ColumnPtr Base64ToArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<std::string> bytes = Base64Decoded(ToText(*a[0], row));
    if (!bytes) return out.Null();
    JsonArray json;
    for (const char byte : *bytes) json.Add(std::to_string(static_cast<unsigned char>(byte)));
    out.Text(json.Text());
  });
}

ColumnPtr Base64FromArray(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string bytes;
    for (const std::string_view element : ElementsAt(*a[0], row)) {
      const double value = ElementNumber(element).value_or(-1);
      if (value < 0 || value > 255) return out.Text("");
      bytes += static_cast<char>(static_cast<unsigned char>(value));
    }
    out.Text(Base64Encode(bytes));
  });
}

// .NET's order of a guid's bytes: the first three parts are little-endian.
void SwapGuid(Guid& guid) {
  std::swap(guid.bytes[0], guid.bytes[3]);
  std::swap(guid.bytes[1], guid.bytes[2]);
  std::swap(guid.bytes[4], guid.bytes[5]);
  std::swap(guid.bytes[6], guid.bytes[7]);
}

ColumnPtr Base64ToGuid(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kGuid, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::optional<std::string> bytes = Base64Decoded(ToText(*a[0], row));
    Guid guid;
    if (!bytes || bytes->size() != guid.bytes.size()) return out.Null();
    std::memcpy(guid.bytes.data(), bytes->data(), guid.bytes.size());
    SwapGuid(guid);
    out.Text(ToString(guid));
  });
}

ColumnPtr Base64FromGuid(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    Result<Guid> guid = ParseGuid(ToText(*a[0], row));
    if (!guid) return out.Text("");
    SwapGuid(*guid);
    out.Text(Base64Encode({reinterpret_cast<const char*>(guid->bytes.data()), guid->bytes.size()}));
  });
}

// Of gzip and of zlib alike.
std::string Decompress(std::string_view text) {
  const std::optional<std::string> bytes = Base64Decoded(text);
  if (!bytes) return "";
  const Result<std::string> plain = Gunzip(*bytes, kMaxText);
  return plain && IsValidUtf8(*plain) ? *plain : "";
}

ColumnPtr CodePoints(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kDynamic, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToValidUtf8(ToText(*a[0], row));
    JsonArray json;
    for (std::size_t at = 0; at < text.size(); at += PointLength(text[at])) {
      json.Add(std::to_string(FirstPoint(std::string_view(text).substr(at))));
    }
    out.Text(json.Text());
  });
}

void AppendPoint(std::string& text, std::int64_t point) {
  const bool valid = point > 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  AppendUtf8(text, valid ? static_cast<char32_t>(point) : 0xFFFD);
}

// Numbers, and arrays of them.
ColumnPtr FromCodePoints(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kString, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    std::string text;
    for (const ColumnPtr& column : a) {
      for (const std::string_view element : ElementsAt(*column, row)) {
        AppendPoint(text, static_cast<std::int64_t>(ElementNumber(element).value_or(0)));
      }
      if (!IsArrayAt(*column, row) && !column->IsNull(row)) {
        AppendPoint(text, ToLong(*column, row).value_or(0));
      }
    }
    out.Text(std::move(text));
  });
}

ColumnPtr IsAscii(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    const std::string text = ToText(*a[0], row);
    out.Bool(std::all_of(text.begin(), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  });
}

ColumnPtr IsUtf8(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kBool, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    out.Bool(IsValidUtf8(ToText(*a[0], row)));
  });
}

// xxHash, 64 bits, seed 0: the algorithm of its specification.
class XxHash {
 public:
  static std::uint64_t Of(std::string_view bytes) {
    std::size_t at = 0;
    std::uint64_t hash = kPrime5;
    if (bytes.size() >= 32) hash = Stripes(bytes, at);
    hash += bytes.size();
    for (; at + 8 <= bytes.size(); at += 8) {
      hash = Rotate(hash ^ Round(0, Read<std::uint64_t>(bytes, at)), 27) * kPrime1 + kPrime4;
    }
    if (at + 4 <= bytes.size()) {
      hash = Rotate(hash ^ (Read<std::uint32_t>(bytes, at) * kPrime1), 23) * kPrime2 + kPrime3;
      at += 4;
    }
    for (; at < bytes.size(); ++at) {
      hash = Rotate(hash ^ (static_cast<unsigned char>(bytes[at]) * kPrime5), 11) * kPrime1;
    }
    hash = (hash ^ (hash >> 33U)) * kPrime2;
    hash = (hash ^ (hash >> 29U)) * kPrime3;
    return hash ^ (hash >> 32U);
  }

 private:
  static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87U;
  static constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FU;
  static constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9U;
  static constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63U;
  static constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5U;

  static std::uint64_t Rotate(std::uint64_t x, unsigned bits) {
    return x << bits | x >> (64U - bits);
  }
  static std::uint64_t Round(std::uint64_t lane, std::uint64_t input) {
    return Rotate(lane + input * kPrime2, 31) * kPrime1;
  }
  template <class T>
  static std::uint64_t Read(std::string_view bytes, std::size_t at) {
    T value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  static std::uint64_t Stripes(std::string_view bytes, std::size_t& at) {
    std::uint64_t lanes[4] = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
    for (; at + 32 <= bytes.size(); at += 32) {
      for (std::size_t i = 0; i < 4; ++i) {
        lanes[i] = Round(lanes[i], Read<std::uint64_t>(bytes, at + i * 8));
      }
    }
    std::uint64_t hash =
        Rotate(lanes[0], 1) + Rotate(lanes[1], 7) + Rotate(lanes[2], 12) + Rotate(lanes[3], 18);
    for (const std::uint64_t lane : lanes) hash = (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
    return hash;
  }
};

// Texts are hashed as UTF-8, everything else as its 64 bits.
std::uint64_t HashOf(const Column& column, std::size_t row) {
  if (IsText(column.type)) return XxHash::Of(ToText(column, row));
  char bytes[8] = {};
  if (column.type == Type::kReal) {
    const double value = column.Real(row);
    std::memcpy(bytes, &value, sizeof bytes);
  } else {
    const std::int64_t value = column.Number(row);
    std::memcpy(bytes, &value, sizeof bytes);
  }
  return XxHash::Of({bytes, sizeof bytes});
}

// hash(value, modulo)
ColumnPtr Hash(const EvalContext&, const Arguments& a, std::size_t rows) {
  return MapRows(Type::kLong, a, rows, [&](ColumnBuilder& out, std::size_t row) {
    if (a[0]->IsNull(row)) return out.Null();
    const std::uint64_t hash = HashOf(*a[0], row);
    if (a.size() < 2) return out.Number(static_cast<std::int64_t>(hash));
    const std::int64_t modulo = ToLong(*a[1], row).value_or(0);
    if (modulo <= 0) return out.Null();
    out.Number(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(modulo)));
  });
}

// Another one for each row.
ColumnPtr NewGuid(const EvalContext&, const Arguments&, std::size_t rows) {
  ColumnBuilder out(Type::kGuid, rows);
  for (std::size_t row = 0; row < rows; ++row) out.Text(ToString(Uuid4()));
  return out.Finish();
}

}  // namespace

FunctionList EncodingFunctions() {
  FunctionList list = Declare({
      {"base64_decode_toarray(text: string): dynamic", &Base64ToArray},
      {"base64_decode_toguid(text: string): guid", &Base64ToGuid},
      {"base64_decode_tostring(text: string): string", &Encoded<&Base64ToText>},
      {"base64_encode_fromarray(bytes: array): string", &Base64FromArray},
      {"base64_encode_fromguid(guid: guid): string", &Base64FromGuid},
      {"base64_encode_tostring(text: string): string", &Encoded<&Base64Encode>},
      {"gzip_decompress_from_base64_string(text: string): string", &Encoded<&Decompress>},
      {"hash(value: not dynamic, modulo: integer?): long", &Hash},
      {"hash_md5(value: not dynamic): string", &Encoded<&Md5Hex>},
      {"hash_sha1(value: not dynamic): string", &Encoded<&Sha1Hex>},
      {"hash_sha256(value: not dynamic): string", &Encoded<&Sha256Hex>},
      {"hash_xxhash64(value: not dynamic, modulo: integer?): long", &Hash},
      {"new_guid(): guid", &NewGuid},
      {"isascii(value: scalar): bool", &IsAscii},
      {"isutf8(value: scalar): bool", &IsUtf8},
      {"unicode_codepoints_from_string(text: scalar): dynamic", &CodePoints},
      {"unicode_codepoints_to_string(point: scalar, ...): string", &FromCodePoints},
      {"url_decode(text: string): string", &Encoded<&UrlDecode>},
      {"url_encode(text: string): string", &Encoded<&UrlEncode>},
      {"url_encode_component(text: string): string", &Encoded<&UrlEncodeComponent>},
      {"zlib_decompress_from_base64_string(text: string): string", &Encoded<&Decompress>},
  });
  for (Function& function : list) function.varies = function.name == "new_guid";
  return list;
}

}  // namespace picket::kql
