#include "storage/frame.h"

#include <fmt/format.h>
#include <zstd.h>

#include <cstring>

namespace picket::storage {
namespace {

constexpr std::size_t kCachedFrames = 8;

Error Damaged(const char* what) {
  return {.kind = ErrorKind::kStorage,
          .message = std::string("a frame is damaged: ") + what,
          .hint = "Run 'picket status'; move the tenant's file aside if it stays."};
}

void AppendU32(std::string& bytes, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFFU);
}

std::uint32_t ReadU32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

struct ContextFree {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

// Layout: u32 number of records, u32 length of each, the records one after the other.
std::string PackFrame(const std::vector<std::string_view>& records) {
  std::string plain;
  AppendU32(plain, static_cast<std::uint32_t>(records.size()));
  for (const std::string_view record : records) {
    AppendU32(plain, static_cast<std::uint32_t>(record.size()));
  }
  for (const std::string_view record : records) plain += record;
  thread_local const std::unique_ptr<ZSTD_CCtx, ContextFree> context(ZSTD_createCCtx());
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context.get(), packed.data(), packed.size(),
                                             plain.data(), plain.size(), /*level=*/3);
  PK_CHECK(ZSTD_isError(size) == 0, "zstd cannot compress into its own bound");
  packed.resize(size);
  return packed;
}

Result<std::vector<std::string>> UnpackFrame(std::string_view bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size < 4 ||
      size > kMaxFrameBytes) {
    return Fail(Damaged("its size"));
  }
  std::string plain(size, '\0');
  const std::size_t got = ZSTD_decompress(plain.data(), plain.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) != 0 || got != size) return Fail(Damaged("its bytes"));
  const std::size_t count = ReadU32(plain, 0);
  if (count > kRecordsPerFrame || 4 + count * 4 > plain.size()) return Fail(Damaged("its count"));
  std::vector<std::string> records;
  std::size_t at = 4 + count * 4;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t length = ReadU32(plain, 4 + i * 4);
    if (length > plain.size() - at) return Fail(Damaged("its lengths"));
    records.push_back(plain.substr(at, length));
    at += length;
  }
  return records;
}

Result<std::string_view> FrameReader::Record(std::int64_t frame, std::int64_t place) {
  auto found = cache_.begin();
  while (found != cache_.end() && found->frame != frame) ++found;
  if (found == cache_.end()) {
    PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare("SELECT data FROM frame WHERE id=?"));
    PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, frame).Step());
    if (!row) return Fail(Damaged("it is missing"));
    PK_ASSIGN_OR_RETURN(std::vector<std::string> records, UnpackFrame(select.Blob(0)));
    cache_.push_front({.frame = frame, .records = std::move(records)});
    if (cache_.size() > kCachedFrames) cache_.pop_back();
    found = cache_.begin();
  } else if (found != cache_.begin()) {
    cache_.splice(cache_.begin(), cache_, found);
  }
  if (place < 0 || static_cast<std::size_t>(place) >= found->records.size()) {
    return Fail(Damaged("a place"));
  }
  return std::string_view(found->records[static_cast<std::size_t>(place)]);
}

}  // namespace picket::storage
