// In which form a stream is asked for: how much at once, and by which variant of the query.

#include <algorithm>

#include "agent/poll/stream.h"

namespace picket::poll {
namespace {

constexpr int kSmallestPage = 200;
constexpr Timespan kTryAgain = kDay;

}  // namespace

const graph::Variant& Stream::variant() const {
  const auto last = static_cast<std::int64_t>(collection_.variants.size()) - 1;
  return collection_
      .variants[static_cast<std::size_t>(std::clamp<std::int64_t>(probe_.variant, 0, last))];
}

int Stream::largest_page() const {
  if (probe_.top <= 0) return collection_.max_page;
  return static_cast<int>(std::clamp<std::int64_t>(probe_.top, 1, collection_.max_page));
}

int Stream::page_size() const {
  if (state_.page_size <= 0) return largest_page();
  return static_cast<int>(std::clamp<std::int64_t>(
      state_.page_size, std::min(kSmallestPage, largest_page()), largest_page()));
}

bool Stream::Shrink() {
  if (width() > kLeastWidth) {
    state_.width = std::max(kLeastWidth, Timespan{width().ticks / 2});
    return true;
  }
  return ShrinkPage();
}

bool Stream::ShrinkPage() {
  if (page_size() <= kSmallestPage) return false;
  state_.page_size = std::max(kSmallestPage, page_size() / 2);
  return true;
}

// A licence, a permission or an option may have come since. If not, the service refuses once more,
// and the fallback goes on where it was.
void Stream::TryBetterForm(Instant now) {
  if (probe_.variant == 0 && probe_.top == 0) return;
  if (probe_.tried <= now && now - probe_.tried < kTryAgain) return;
  probe_.tried = now;
  probe_.variant = 0;
  probe_.top = 0;
  state_.page_size = 0;
}

// Windows are cut by another time then, perhaps: what changed in between is seen by the sweep, or
// when the windows are opened again (see Finished).
Result<bool> Stream::TryAnotherForm(Instant now) {
  probe_.tried = now;
  if (!trying_small_ && page_size() > kSmallestPage) {
    trying_small_ = true;
    state_.page_size = kSmallestPage;
    return true;
  }
  trying_small_ = false;
  state_.page_size = 0;
  const std::int64_t next = probe_.variant + 1;
  const bool another = next < static_cast<std::int64_t>(collection_.variants.size());
  probe_.variant = another ? next : 0;
  probe_.swept = {};
  PK_RETURN_IF_ERROR(Save());
  return another;
}

}  // namespace picket::poll
