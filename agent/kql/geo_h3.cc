#include "agent/kql/geo_h3.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "agent/kql/geo_h3_cell.h"

namespace picket::kql {
namespace {

// The 64 bits: a 0, the mode in 4, a reserved 3, the level in 4, the base cell in 7, and 15 digits
// of 3, which are 7 beyond the level.
constexpr unsigned kModeAt = 59;
constexpr unsigned kLevelAt = 52;
constexpr unsigned kBaseAt = 45;
constexpr std::uint64_t kCellMode = 1;
constexpr std::uint64_t kUnused = 7;
constexpr int kBaseCells = 122;

// Digits by the direction from the parent's centre, in sixths of a turn; 0 is the centre itself.
constexpr std::array<std::uint64_t, 6> kDigits = {4, 6, 2, 3, 1, 5};
constexpr std::array<int, 7> kDirections = {-1, 4, 2, 3, 0, 5, 1};
unsigned DigitAt(int level) { return static_cast<unsigned>(kMostH3Level - level) * 3; }
std::uint64_t Digit(H3Cell cell, int level) { return cell >> DigitAt(level) & kUnused; }
H3Cell WithDigit(H3Cell cell, int level, std::uint64_t digit) {
  return (cell & ~(kUnused << DigitAt(level))) | digit << DigitAt(level);
}
H3Cell WithLevel(H3Cell cell, int level) {
  return (cell & ~(std::uint64_t{15} << kLevelAt)) | static_cast<std::uint64_t>(level) << kLevelAt;
}
int BaseOf(H3Cell cell) { return static_cast<int>(cell >> kBaseAt & 127); }

// The first direction that is no centre; -1 when all are.
int LeadingDirection(H3Cell cell) {
  for (int level = 1; level <= H3Level(cell); ++level) {
    if (Digit(cell, level) != 0) return kDirections[Digit(cell, level)];
  }
  return -1;
}

// Each base cell's face (a is 0) and its place there as the grid's i, j and k coordinates, whose
// axes are a third of a turn apart: the numbering of H3.
constexpr std::string_view kHomes =
    "b100 c110 b000 c100 a200 b110 b001 c000 a100 c010 b010 b011 d100 d110 l200 e100 a000 g010 "
    "a001 c011 h001 c001 a110 g001 k200 g000 d000 l100 e110 d010 a011 e000 f010 a010 h010 l110 "
    "h000 k100 m200 g101 h101 e001 d001 d011 e010 g100 l000 i001 f001 o200 f000 m100 k110 e011 "
    "m110 h100 l010 k000 n200 k001 l001 j010 i010 g200 i000 j001 o100 f101 q011 i101 f100 m000 "
    "h200 m010 k010 j000 n100 q001 p011 p010 q010 o110 n110 f200 i100 o000 j101 o001 r001 m001 "
    "q000 r011 p001 q101 j100 p000 n000 i200 n010 r101 t010 o010 t011 r010 n001 r000 q100 j200 "
    "p101 p100 s011 s001 t001 r100 t000 s010 s101 t200 t100 s000 t101 s100";

FaceHex HomeOf(int base) {
  const std::string_view text = kHomes.substr(static_cast<std::size_t>(base) * 5, 4);
  const auto digit = [&](std::size_t at) { return std::int64_t{text[at]} - '0'; };
  return {text[0] - 'a', {digit(1) - digit(3), digit(2) - digit(3)}};
}
// They alone are at a face's corner.
bool IsPentagonBase(int base) { return HomeOf(base).hex == kCorners[0]; }

std::array<Sector, 5> SectorsOf(int base) {
  std::array<Sector, 5> sectors;
  int face = HomeOf(base).face;
  int corner = 0;
  for (std::size_t i = 0; i < sectors.size(); ++i) {
    sectors[i] = {face, corner, 3 + 2 * corner - kSectorDirections[i]};
    const Crossing& next = CrossingOf(face, (corner + 1) % 3);
    const Hex there = Turned(kCorners[static_cast<std::size_t>(corner)], next.sixths) + next.shift;
    face = next.face;
    corner =
        static_cast<int>(std::find(kCorners.begin(), kCorners.end(), there) - kCorners.begin());
  }
  return sectors;
}

// What base cell is at a place of a face, and how directions there become its digits'.
struct BasePlace {
  int base = 0;
  int turn = 0;     // to be added
  int sector = -1;  // of a pentagon
};

using Place = std::pair<int, std::pair<std::int64_t, std::int64_t>>;
Place PlaceOf(int face, Hex hex) { return {face, {hex.a, hex.b}}; }

struct Bases {
  std::map<Place, BasePlace> places;
  std::map<int, std::array<Sector, 5>> sectors;
};

const Bases& AllBases() {
  static const Bases all = [] {
    Bases made;
    for (int base = 0; base < kBaseCells; ++base) {
      const FaceHex home = HomeOf(base);
      if (!IsPentagonBase(base)) {
        made.places[PlaceOf(home.face, home.hex)] = {base, 0};
        for (int side = 0; side < 3; ++side) {  // where it is on a side, from there too
          if (!OnSide(Scaled(home.hex, 3), 0, side)) continue;
          const FaceHex there = Crossed(home, side, 0);
          made.places[PlaceOf(there.face, there.hex)] = {base, -CrossingOf(home.face, side).sixths};
        }
        continue;
      }
      const auto& sectors = made.sectors[base] = SectorsOf(base);
      for (std::size_t i = 0; i < sectors.size(); ++i) {
        const Hex corner = kCorners[static_cast<std::size_t>(sectors[i].corner)];
        made.places[PlaceOf(sectors[i].face, corner)] = {base, -sectors[i].turn,
                                                         static_cast<int>(i)};
      }
    }
    return made;
  }();
  return all;
}

// The cell of the level whose hexagon is there; it must be on the face or close to it.
H3Cell CellAt(FaceHex at, int level) {
  std::array<int, kMostH3Level + 1> directions{};
  Hex hex = at.hex;
  for (int i = level; i > 0; --i) {
    const Hex parent = ParentOf(hex, i);
    const Hex offset = hex - parent * StepTo(i);
    const auto turn = std::find(kTurns.begin(), kTurns.end(), offset);
    directions[static_cast<std::size_t>(i)] =
        turn == kTurns.end() ? -1 : static_cast<int>(turn - kTurns.begin());
    hex = parent;
  }
  int turn = 0;
  const int side = SideBeyond(Scaled(hex, 3), 0);
  if (side >= 0) turn = CrossingOf(at.face, side).sixths;
  const FaceHex settled = Settled({at.face, hex}, 0);
  const BasePlace base = AllBases().places.at(PlaceOf(settled.face, settled.hex));
  turn += base.turn;
  H3Cell cell = kCellMode << kModeAt | static_cast<std::uint64_t>(base.base) << kBaseAt |
                ((std::uint64_t{1} << kBaseAt) - 1);
  cell = WithLevel(cell, level);
  bool first = true;
  for (int i = 1; i <= level; ++i) {
    const int direction = directions[static_cast<std::size_t>(i)];
    if (direction >= 0 && first && base.sector >= 0 &&
        ((direction + turn) % 6 + 6) % 6 == kMissingDirection) {
      turn += base.sector == 0 ? 1 : -1;  // into the sector on the gap's other side
    }
    if (direction >= 0) first = false;
    const auto place = static_cast<std::size_t>(((direction + turn) % 6 + 6) % 6);
    cell = WithDigit(cell, i, direction < 0 ? 0 : kDigits[place]);
  }
  return cell;
}

// In a direction of the cell's own digits; not where a pentagon has none.
H3Cell Neighbor(H3Cell cell, int direction) {
  const int level = H3Level(cell);
  const CellPlace place = PlaceOfCell(cell, direction);
  const Hex hex = place.at.hex + Turned(kTurns[0], direction + place.turn);
  return CellAt(Settled({place.at.face, hex}, level), level);
}

std::vector<H3Cell> Neighbors(H3Cell cell) {
  std::vector<H3Cell> neighbors;
  for (int direction = 0; direction < 6; ++direction) {
    if (IsPentagon(cell) && direction == kMissingDirection) continue;
    neighbors.push_back(Neighbor(cell, direction));
  }
  return neighbors;
}

// Steps from cell to cell, keeping the directions of the first.
class Walk {
 public:
  explicit Walk(H3Cell cell) : cell_(cell) {}
  [[nodiscard]] H3Cell cell() const { return cell_; }

  // False when a pentagon is in the way.
  bool Step(int direction) {
    const int here = ((direction + turn_) % 6 + 6) % 6;
    if (IsPentagon(cell_)) return false;
    const H3Cell next = Neighbor(cell_, here);
    if (IsPentagon(next)) return false;
    for (int back = 0; back < 6; ++back) {
      if (Neighbor(next, back) != cell_) continue;
      turn_ += back - (here + 3);
      cell_ = next;
      return true;
    }
    return false;
  }

 private:
  H3Cell cell_;
  int turn_ = 0;
};

// The ring around, from the corner `walk` goes to; false when a pentagon is in the way.
bool WalkRing(Walk& walk, int distance, std::vector<H3Cell>& ring) {
  if (!walk.Step(0)) return false;
  const H3Cell start = walk.cell();
  for (const int direction : {2, 3, 4, 5, 0, 1}) {
    for (int i = 0; i < distance; ++i) {
      if (!walk.Step(direction)) return false;
      ring.push_back(walk.cell());
    }
  }
  return walk.cell() == start;
}

std::vector<std::vector<H3Cell>> RingsBySearch(H3Cell cell, int distance) {
  std::vector<std::vector<H3Cell>> rings{{cell}};
  std::set<H3Cell> seen{cell};
  while (static_cast<int>(rings.size()) <= distance) {
    std::vector<H3Cell> ring;
    for (const H3Cell inner : rings.back()) {
      for (const H3Cell neighbor : Neighbors(inner)) {
        if (seen.insert(neighbor).second) ring.push_back(neighbor);
      }
    }
    rings.push_back(std::move(ring));
  }
  return rings;
}

bool IsValid(H3Cell cell) {
  if (cell >> 63U != 0 || (cell >> kModeAt & 15U) != kCellMode || (cell >> 56U & 7U) != 0) {
    return false;
  }
  if (BaseOf(cell) >= kBaseCells) return false;
  for (int level = 1; level <= kMostH3Level; ++level) {
    if ((Digit(cell, level) == kUnused) != (level > H3Level(cell))) return false;
  }
  return !IsPentagonBase(BaseOf(cell)) || LeadingDirection(cell) != kMissingDirection;
}

}  // namespace

CellPlace PlaceOfCell(H3Cell cell, int towards) {
  const int base = BaseOf(cell);
  CellPlace place{.at = HomeOf(base)};
  const int leading = LeadingDirection(cell);
  const int looking = leading >= 0 ? leading : towards;
  if (IsPentagonBase(base) && looking >= 0) {
    const auto found = std::find(kSectorDirections.begin(), kSectorDirections.end(), looking);
    const auto index = static_cast<std::size_t>(found - kSectorDirections.begin());
    const Sector& sector = AllBases().sectors.at(base)[index % 5];
    place.at = {sector.face, kCorners[static_cast<std::size_t>(sector.corner)]};
    place.turn = sector.turn;
    place.sector = static_cast<int>(index % 5);
  }
  for (int i = 1; i <= H3Level(cell); ++i) {
    place.at.hex = place.at.hex * StepTo(i);
    const int direction = kDirections[Digit(cell, i)];
    if (direction >= 0) place.at.hex = place.at.hex + Turned(kTurns[0], direction + place.turn);
  }
  return place;
}

bool IsPentagon(H3Cell cell) { return IsPentagonBase(BaseOf(cell)) && LeadingDirection(cell) < 0; }

std::array<Sector, 5> SectorsAround(H3Cell pentagon) {
  return AllBases().sectors.at(BaseOf(pentagon));
}

std::optional<H3Cell> ParseH3Cell(std::string_view text) {
  H3Cell cell = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, cell, 16);
  if (code != std::errc{} || stop != end || !IsValid(cell)) return std::nullopt;
  return cell;
}

std::string H3Text(H3Cell cell) {
  std::array<char, 16> text{};
  const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), cell, 16);
  return {text.data(), end};
}

int H3Level(H3Cell cell) { return static_cast<int>(cell >> kLevelAt & 15); }

H3Cell H3CellAt(const GeoPoint& point, int level) {
  const OnFace at = FacePoint(point);
  return CellAt({at.face, NearestHex(at.point, level)}, level);
}

GeoPoint H3Center(H3Cell cell) {
  const int level = H3Level(cell);
  const FaceHex at = Settled(PlaceOfCell(cell).at, level);
  return EarthPoint({at.face, PlanePointOf(at.hex, level)});
}

H3Cell H3Parent(H3Cell cell, int level) {
  for (int i = level + 1; i <= H3Level(cell); ++i) cell = WithDigit(cell, i, kUnused);
  return WithLevel(cell, level);
}

std::vector<H3Cell> H3Children(H3Cell cell, int level) {
  std::vector<H3Cell> children{cell};
  for (int i = H3Level(cell) + 1; i <= level; ++i) {
    std::vector<H3Cell> finer;
    for (const H3Cell parent : children) {
      for (std::uint64_t digit = 0; digit < kUnused; ++digit) {
        if (IsPentagon(parent) && kDirections[digit] == kMissingDirection) continue;
        finer.push_back(WithDigit(WithLevel(parent, i), i, digit));
      }
    }
    children = std::move(finer);
  }
  return children;
}

std::vector<std::vector<H3Cell>> H3Rings(H3Cell cell, int distance) {
  std::vector<std::vector<H3Cell>> rings{{cell}};
  std::set<H3Cell> seen{cell};
  Walk walk(cell);
  for (int i = 1; i <= distance; ++i) {
    std::vector<H3Cell>& ring = rings.emplace_back();
    if (!WalkRing(walk, i, ring)) return RingsBySearch(cell, distance);
    for (const H3Cell one : ring) {
      if (!seen.insert(one).second) return RingsBySearch(cell, distance);
    }
  }
  return rings;
}

}  // namespace picket::kql
