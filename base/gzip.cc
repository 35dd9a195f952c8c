#include "base/gzip.h"

#define ZLIB_CONST  // input is read only
#include <zlib.h>

#include <algorithm>

namespace picket {
namespace {

// zlib counts in 32 bits.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

Error Broken(const char* what) {
  return {.kind = ErrorKind::kUnexpectedReply, .message = std::string("gzip: ") + what};
}

struct InflateStream {
  z_stream z{};
  // 32: gzip or zlib header, whichever is there.
  bool ok = ::inflateInit2(&z, MAX_WBITS + 32) == Z_OK;
  InflateStream() = default;
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
  ~InflateStream() { ::inflateEnd(&z); }
};

}  // namespace

bool LooksLikeGzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

Result<std::string> Gunzip(std::string_view compressed, std::size_t max_bytes) {
  InflateStream stream;
  if (!stream.ok) return Fail(Broken("cannot start"));
  stream.z.next_in = reinterpret_cast<const Bytef*>(compressed.data());
  std::size_t unread = compressed.size();
  std::string output;
  char buffer[65536];
  while (true) {
    if (stream.z.avail_in == 0) {
      stream.z.avail_in = static_cast<uInt>(std::min(unread, kMostAtOnce));
      unread -= stream.z.avail_in;
    }
    stream.z.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.z.avail_out = sizeof buffer;
    const int code = ::inflate(&stream.z, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) {
      return Fail(Broken(code == Z_BUF_ERROR ? "cut short" : "broken data"));
    }
    output.append(buffer, sizeof buffer - stream.z.avail_out);
    if (output.size() > max_bytes) {
      return Fail({.kind = ErrorKind::kLimit, .message = "gzip: larger than allowed"});
    }
    if (code == Z_STREAM_END) {
      if (stream.z.avail_in == 0 && unread == 0) return output;
      if (::inflateReset(&stream.z) != Z_OK) return Fail(Broken("broken data"));
    } else if (stream.z.avail_in == 0 && unread == 0 && stream.z.avail_out != 0) {
      return Fail(Broken("cut short"));
    }
  }
}

std::string Gzip(std::string_view bytes) {
  z_stream z{};
  PK_CHECK(::deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK,
           "zlib cannot start");
  PK_CHECK(bytes.size() <= kMostAtOnce, "too much to compress at once");
  std::string output(::deflateBound(&z, static_cast<uLong>(bytes.size())), '\0');
  z.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(output.data());
  z.avail_out = static_cast<uInt>(output.size());
  const int code = ::deflate(&z, Z_FINISH);
  output.resize(output.size() - z.avail_out);
  ::deflateEnd(&z);
  PK_CHECK(code == Z_STREAM_END, "zlib did not finish");
  return output;
}

}  // namespace picket
