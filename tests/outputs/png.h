#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace picket {

using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

struct Picture {
  std::size_t width = 0, height = 0;
  std::vector<Colour> pixels;  // row by row
  [[nodiscard]] const Colour& At(std::size_t x, std::size_t y) const {
    return pixels[y * width + x];
  }
};

// A PNG of 8 bits a channel, RGB or RGBA, not interlaced: what Chromium's screenshots are. nullopt:
// it is none, or not whole. Source: the PNG specification (W3C), clauses 5, 9 and 11.
std::optional<Picture> ReadPng(std::string_view bytes);

}  // namespace picket
