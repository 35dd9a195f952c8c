#include "storage/frame.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

namespace picket::storage {
namespace {

constexpr std::size_t kCachedFrames = 4;
// On pages of Graph, higher levels cost more and give no less (docs/decisions/event-layout.md).
constexpr int kLevel = 1;

Error Damaged(const char* what) {
  return {.kind = ErrorKind::kStorage,
          .message = std::string("a frame is damaged: ") + what,
          .hint = "Run 'picket db check'; move the tenant's file aside if it stays."};
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

struct CompressorFree {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
ZSTD_CCtx* NewCompressor() {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  return context;
}

struct DecompressorFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

// Layout: u32 number of records, u32 length of each, the records one after the other.
std::string_view FramePacker::Pack(const std::vector<std::string_view>& records) {
  plain_.clear();
  AppendU32(plain_, static_cast<std::uint32_t>(records.size()));
  for (const std::string_view record : records) {
    AppendU32(plain_, static_cast<std::uint32_t>(record.size()));
  }
  for (const std::string_view record : records) plain_ += record;
  thread_local const std::unique_ptr<ZSTD_CCtx, CompressorFree> context(NewCompressor());
  const std::size_t bound = ZSTD_compressBound(plain_.size());
  if (packed_.size() < bound) packed_.resize(bound);
  const std::size_t size =
      ZSTD_compress2(context.get(), packed_.data(), packed_.size(), plain_.data(), plain_.size());
  PK_CHECK(ZSTD_isError(size) == 0, "zstd cannot compress into its own bound");
  return std::string_view(packed_).substr(0, size);
}

std::string PackFrame(const std::vector<std::string_view>& records) {
  FramePacker packer;
  return std::string(packer.Pack(records));
}

Result<UnpackedFrame> UnpackedFrame::From(std::string_view packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size < 4 ||
      size > kMaxFrameBytes) {
    return Fail(Damaged("its size"));
  }
  UnpackedFrame frame;
  frame.bytes_.resize(size);
  thread_local const std::unique_ptr<ZSTD_DCtx, DecompressorFree> context(ZSTD_createDCtx());
  const std::size_t got =
      ZSTD_decompressDCtx(context.get(), frame.bytes_.data(), size, packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != size) return Fail(Damaged("its bytes"));
  const std::size_t count = ReadU32(frame.bytes_, 0);
  if (count > kRecordsPerFrame || 4 + count * 4 > size) return Fail(Damaged("its count"));
  std::size_t at = frame.start_ = 4 + count * 4;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t length = ReadU32(frame.bytes_, 4 + i * 4);
    if (length > size - at) return Fail(Damaged("its lengths"));
    at += length;
    frame.ends_.push_back(at);
  }
  return frame;
}

std::string_view UnpackedFrame::Record(std::size_t place) const {
  const std::size_t begin = place == 0 ? start_ : ends_[place - 1];
  return std::string_view(bytes_).substr(begin, ends_[place] - begin);
}

Result<std::string_view> FrameReader::Record(std::int64_t frame, std::int64_t place) {
  if (rollbacks_ != database_.Rollbacks()) {
    // The ids of frames that a rollback took back are given again.
    rollbacks_ = database_.Rollbacks();
    Forget();
  }
  auto found = std::find_if(cache_.begin(), cache_.end(),
                            [frame](const Cached& cached) { return cached.id == frame; });
  if (found == cache_.end()) {
    PK_ASSIGN_OR_RETURN(Statement select, database_.Prepare("SELECT data FROM frame WHERE id=?"));
    PK_ASSIGN_OR_RETURN(const bool row, select.Bind(1, frame).Step());
    if (!row) return Fail(Damaged("it is missing"));
    PK_ASSIGN_OR_RETURN(UnpackedFrame unpacked, UnpackedFrame::From(select.Blob(0)));
    cache_.push_front({.id = frame, .frame = std::move(unpacked)});
    if (cache_.size() > kCachedFrames) cache_.pop_back();
  } else if (found != cache_.begin()) {
    cache_.splice(cache_.begin(), cache_, found);
  }
  const UnpackedFrame& unpacked = cache_.front().frame;
  if (place < 0 || static_cast<std::size_t>(place) >= unpacked.size()) {
    return Fail(Damaged("a place"));
  }
  return unpacked.Record(static_cast<std::size_t>(place));
}

}  // namespace picket::storage
