#include "tests/outputs/png.h"

#include <zlib.h>

#include <cstdlib>
#include <string>

namespace picket {
namespace {

constexpr std::size_t kMostBytes = std::size_t{512} << 20;

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
  return number;
}

std::uint8_t Paeth(int a, int b, int c) {
  const int p = a + b - c;
  const int pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  if (pa <= pb && pa <= pc) return static_cast<std::uint8_t>(a);
  return static_cast<std::uint8_t>(pb <= pc ? b : c);
}

// Undoes a line's filter. `above`: the line before it, undone.
bool Unfilter(int filter, std::size_t channels, const std::vector<std::uint8_t>& above,
              std::vector<std::uint8_t>& line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::uint8_t a = i < channels ? 0 : line[i - channels];
    const std::uint8_t b = above[i];
    const std::uint8_t c = i < channels ? 0 : above[i - channels];
    std::uint8_t add = 0;
    switch (filter) {
      case 0:
        break;
      case 1:
        add = a;
        break;
      case 2:
        add = b;
        break;
      case 3:
        add = static_cast<std::uint8_t>((a + b) / 2);
        break;
      case 4:
        add = Paeth(a, b, c);
        break;
      default:
        return false;
    }
    line[i] = static_cast<std::uint8_t>(line[i] + add);
  }
  return true;
}

}  // namespace

std::optional<Picture> ReadPng(std::string_view bytes) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  if (bytes.substr(0, 8) != kSignature) return std::nullopt;
  bytes.remove_prefix(8);
  Picture picture;
  std::size_t channels = 0;
  std::string packed;
  bool ended = false;
  while (!ended) {
    if (bytes.size() < 12) return std::nullopt;
    const std::size_t size = BigEndian(bytes);
    const std::string_view type = bytes.substr(4, 4);
    if (size > bytes.size() - 12) return std::nullopt;
    const std::string_view data = bytes.substr(8, size);
    const auto crc =
        ::crc32(0, reinterpret_cast<const Bytef*>(type.data()), static_cast<uInt>(size + 4));
    if (crc != BigEndian(bytes.substr(8 + size))) return std::nullopt;
    if (type == "IHDR") {
      if (size != 13 || data[8] != 8 || (data[9] != 2 && data[9] != 6) || data[12] != 0) {
        return std::nullopt;
      }
      picture.width = BigEndian(data);
      picture.height = BigEndian(data.substr(4));
      channels = data[9] == 2 ? 3 : 4;
    }
    if (type == "IDAT") packed += data;
    ended = type == "IEND";
    bytes.remove_prefix(size + 12);
  }
  const std::size_t stride = picture.width * channels;
  if (stride == 0 || picture.height > kMostBytes / (stride + 1)) return std::nullopt;
  std::vector<std::uint8_t> raw((stride + 1) * picture.height);
  uLongf length = raw.size();
  if (::uncompress(raw.data(), &length, reinterpret_cast<const Bytef*>(packed.data()),
                   packed.size()) != Z_OK ||
      length != raw.size()) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> above(stride, 0), line(stride);
  for (std::size_t y = 0; y < picture.height; ++y) {
    const std::uint8_t* at = raw.data() + y * (stride + 1);
    line.assign(at + 1, at + 1 + stride);
    if (!Unfilter(*at, channels, above, line)) return std::nullopt;
    for (std::size_t i = 0; i < stride; i += channels) {
      picture.pixels.push_back({line[i], line[i + 1], line[i + 2]});
    }
    above = line;
  }
  return picture;
}

}  // namespace picket
