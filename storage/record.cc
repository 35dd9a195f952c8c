#include "storage/record.h"

namespace picket::storage {

Record OwnedRecord::View() const {
  Record view{.id = id,
              .created = created,
              .updated = updated,
              .json = json,
              .hash = hash,
              .rank = rank,
              .values = {}};
  view.values.reserve(values.size());
  for (const OwnedValue& value : values) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      view.values.emplace_back(std::string_view(*text));
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      view.values.emplace_back(*number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      view.values.emplace_back(*real);
    } else {
      view.values.emplace_back(std::monostate{});
    }
  }
  return view;
}

PageCounts& PageCounts::operator+=(const PageCounts& other) {
  read += other.read;
  added += other.added;
  changed += other.changed;
  same += other.same;
  poorer += other.poorer;
  rejected += other.rejected;
  expired += other.expired;
  late += other.late;
  return *this;
}

}  // namespace picket::storage
