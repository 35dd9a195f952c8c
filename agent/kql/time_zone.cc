#include "agent/kql/time_zone.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/files.h"

namespace picket::kql {
namespace {

constexpr const char* kDatabase = "/usr/share/zoneinfo/";
constexpr std::size_t kMostBytes = std::size_t{1} << 18;
constexpr std::int64_t kSecondsToEpoch = 62'135'596'800;  // from 0001-01-01
constexpr std::size_t kHeader = 44;

// Letters, digits, '_', '-', '+', and '/' between: no way out of the database's directory.
bool IsZoneName(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.back() == '/') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
}

std::int64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

// The six counts of a header.
struct Counts {
  std::size_t utc, standard, leaps, changes, types, letters;

  [[nodiscard]] std::size_t Bytes(std::size_t time) const {
    return changes * (time + 1) + types * 6 + letters + leaps * (time + 4) + standard + utc;
  }
};

std::optional<Counts> ReadHeader(std::string_view content) {
  if (content.size() < kHeader || content.substr(0, 4) != "TZif") return std::nullopt;
  std::size_t counts[6];
  for (std::size_t i = 0; i < 6; ++i) {
    const std::int64_t count = BigEndian(content.substr(20 + i * 4, 4));
    if (count < 0 || static_cast<std::size_t>(count) > kMostBytes) return std::nullopt;
    counts[i] = static_cast<std::size_t>(count);
  }
  return Counts{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
}

}  // namespace

std::shared_ptr<const TimeZone> TimeZone::Parse(std::string_view content) {
  // The second part has the times in 64 bits; files of the first version end before it.
  const auto first = ReadHeader(content);
  if (!first || content[4] < '2' || first->Bytes(4) > content.size() - kHeader) return nullptr;
  content.remove_prefix(kHeader + first->Bytes(4));
  const auto counts = ReadHeader(content);
  if (!counts || counts->types == 0 || counts->Bytes(8) > content.size() - kHeader) return nullptr;
  content.remove_prefix(kHeader);
  const std::string_view times = content.substr(0, counts->changes * 8);
  const std::string_view kinds = content.substr(times.size(), counts->changes);
  const std::string_view types = content.substr(times.size() + kinds.size(), counts->types * 6);
  const auto offset = [&](std::size_t type) {
    return static_cast<std::int32_t>(BigEndian(types.substr(type * 6, 4)));
  };
  auto zone = std::make_shared<TimeZone>();
  zone->changes_.push_back({INT64_MIN, offset(0)});
  for (std::size_t i = 0; i < counts->changes; ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(kinds[i]));
    const std::int64_t at = BigEndian(times.substr(i * 8, 8));
    if (type >= counts->types || at < zone->changes_.back().at) return nullptr;
    zone->changes_.push_back({at, offset(type)});
  }
  // A rule for what comes later, with changes in it, begins with a name and has commas.
  zone->goes_on_ = content.substr(counts->Bytes(8)).find(',') == std::string_view::npos;
  return zone;
}

std::shared_ptr<const TimeZone> TimeZone::Find(std::string_view name) {
  if (!IsZoneName(name)) return nullptr;
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(name); found != known.end()) return found->second;
  const Result<std::string> content = ReadFile(kDatabase + std::string(name), kMostBytes);
  auto zone = content ? Parse(*content) : nullptr;
  if (zone) known.emplace(name, zone);  // names that are none would fill it
  return zone;
}

std::optional<Instant> TimeZone::ToLocal(Instant utc) const {
  const std::int64_t seconds = utc.ticks / kSecond.ticks - kSecondsToEpoch;
  const auto after =
      std::upper_bound(changes_.begin(), changes_.end(), seconds,
                       [](std::int64_t time, const Change& change) { return time < change.at; });
  if (after == changes_.end() && !goes_on_) return std::nullopt;
  const Instant local{utc.ticks + std::prev(after)->offset * kSecond.ticks};
  if (local.ticks < 0 || local.ticks > Instant::kMaxTicks) return std::nullopt;
  return local;
}

std::optional<Instant> TimeZone::ToUtc(Instant local) const {
  const std::int64_t seconds = local.ticks / kSecond.ticks - kSecondsToEpoch;
  // The last change after which the clocks could show the time, or had skipped it.
  const auto after = std::upper_bound(
      changes_.begin() + 1, changes_.end(), seconds, [](std::int64_t time, const Change& change) {
        const std::int32_t before = (&change - 1)->offset;  // there is one before each
        return time < change.at + std::min(before, change.offset);
      });
  if (after == changes_.end() && !goes_on_) return std::nullopt;
  const Instant utc{local.ticks - std::prev(after)->offset * kSecond.ticks};
  if (utc.ticks < 0 || utc.ticks > Instant::kMaxTicks) return std::nullopt;
  return utc;
}

}  // namespace picket::kql
