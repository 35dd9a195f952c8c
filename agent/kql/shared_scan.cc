#include "agent/kql/shared_scan.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace picket::kql {
namespace {

// What is held for those who are behind may take this part of the query's memory.
constexpr std::size_t kPartOfMemory = 4;

bool operator==(const Condition& a, const Condition& b) {
  return a.column == b.column && a.op == b.op && a.value.type == b.value.type &&
         a.value.null == b.value.null && a.value.number == b.value.number &&
         a.value.real == b.value.real && a.value.text == b.value.text;
}

bool Contains(const std::vector<Condition>& conditions, const Condition& wanted) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const Condition& each) { return each == wanted; });
}

bool SameRows(const ScanRequest& a, const ScanRequest& b) {
  const auto within = [](const ScanRequest& one, const ScanRequest& other) {
    return std::all_of(
        one.conditions.begin(), one.conditions.end(),
        [&](const Condition& condition) { return Contains(other.conditions, condition); });
  };
  return a.from == b.from && a.until == b.until && within(a, b) && within(b, a);
}

// Also when they only touch: between them nothing is read for nobody.
bool Overlap(const ScanRequest& a, const ScanRequest& b) {
  const auto before = [](const ScanRequest& one, const ScanRequest& other) {
    return one.until && other.from && *one.until < *other.from;
  };
  return !before(a, b) && !before(b, a);
}

// The rows and columns of both.
ScanRequest Together(ScanRequest a, const ScanRequest& b) {
  a.from = a.from && b.from ? std::optional(std::min(*a.from, *b.from)) : std::nullopt;
  a.until = a.until && b.until ? std::optional(std::max(*a.until, *b.until)) : std::nullopt;
  std::erase_if(a.conditions, [&](const Condition& each) { return !Contains(b.conditions, each); });
  for (const ScanColumn& column : b.columns) {
    if (std::find(a.columns.begin(), a.columns.end(), column) == a.columns.end()) {
      a.columns.push_back(column);
    }
  }
  return a;
}

}  // namespace

// A table's scan: stops, and counts what it reads.
class SharedScans::Reader {
 public:
  Reader(std::unique_ptr<TableScan> scan, std::string_view table, RunState& state)
      : scan_(std::move(scan)), state_(state), table_(state.TableBits(table)) {}
  [[nodiscard]] Result<Batch> Next() {
    PK_RETURN_IF_ERROR(state_.CheckStop());
    PK_ASSIGN_OR_RETURN(Batch batch, scan_->Next(state_.options.batch_rows));
    state_.scanned += batch.rows;
    for (std::int64_t& key : batch.keys) key |= table_;
    if (state_.options.on_scanned) state_.options.on_scanned(state_.scanned);
    return batch;
  }

 private:
  std::unique_ptr<TableScan> scan_;
  RunState& state_;
  const std::int64_t table_;
};

// One scan of the query.
class SharedScans::Member final : public Operator {
 public:
  Member(SharedScans& scans, ScanRequest request, bool* shared)
      : scans_(scans), request_(std::move(request)), shared_(shared) {
    scans_.waiting_.push_back(this);
  }
  ~Member() override;
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  Result<Batch> Next() override;

  [[nodiscard]] const ScanRequest& request() const { return request_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  // Reads with the others of the group from now on.
  void Join(std::shared_ptr<Group> group, const ScanRequest& whole);
  // Reads alone from now on. With a reader, that one goes on; else a new one begins, and passes by
  // what was had already.
  void Alone(std::unique_ptr<Reader> reader);
  // Of all rows of the request.
  [[nodiscard]] Status OpenAlone(const ScanRequest& request);

 private:
  [[nodiscard]] Result<Batch> NextAlone();
  [[nodiscard]] Batch Mine(Batch batch) const;

  SharedScans& scans_;
  const ScanRequest request_;
  bool* const shared_;
  std::shared_ptr<Group> group_;
  ScanRequest whole_;                // the group's
  std::vector<std::size_t> places_;  // in the group's columns; empty: as they are
  std::unique_ptr<Reader> reader_;   // when alone
  std::size_t rows_ = 0;             // that were given, of the group's
};

// Several members' one scan, and the batches that not all of them have had.
class SharedScans::Group {
 public:
  Group(SharedScans& scans, std::unique_ptr<Reader> reader, std::vector<Member*> members)
      : scans_(scans), reader_(std::move(reader)), members_(std::move(members)) {
    scans_.groups_.push_back(this);
  }
  ~Group() {
    scans_.state_.Release(bytes_);
    std::erase(scans_.groups_, this);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // The batch that begins after so many rows. Empty: done.
  [[nodiscard]] Result<Batch> After(std::size_t rows, Member& member) {
    std::size_t at = first_;
    for (const Batch& batch : held_) {
      if (at == rows) return batch;
      at += batch.rows;
    }
    PK_ASSIGN_OR_RETURN(Batch batch, reader_->Next());
    if (batch.rows == 0 || members_.size() == 1) {
      first_ = held_.empty() ? at + batch.rows : first_;
      return batch;
    }
    Hold(batch, member);
    return batch;
  }

  // The member has gone on; what all have had is dropped.
  void Passed() {
    std::size_t least = SIZE_MAX;
    for (const Member* member : members_) least = std::min(least, member->rows());
    while (!held_.empty() && first_ + held_.front().rows <= least) Drop();
  }
  void Leave(Member& member) {
    std::erase(members_, &member);
    Passed();
  }
  // Each goes on alone; the reader is for the one that is in front.
  void Part(Member* front) {
    if (members_.empty()) return;
    if (front == nullptr) {
      front = *std::max_element(members_.begin(), members_.end(),
                                [](const auto* a, const auto* b) { return a->rows() < b->rows(); });
      std::size_t read = first_;
      for (const Batch& batch : held_) read += batch.rows;
      if (front->rows() != read) front = nullptr;
    }
    while (!held_.empty()) Drop();
    const std::vector<Member*> members = std::exchange(members_, {});
    std::unique_ptr<Reader> reader = std::move(reader_);
    // The last of them takes this group with it.
    for (Member* member : members) {
      member->Alone(member == front ? std::exchange(reader, nullptr) : nullptr);
    }
  }

 private:
  void Hold(const Batch& batch, Member& member) {
    RunState& state = scans_.state_;
    const std::size_t more = BytesOf(batch);
    const std::size_t most = state.options.memory_bytes / kPartOfMemory;
    if (bytes_ + more > most || state.memory + more > state.options.memory_bytes) {
      Part(&member);
      return;
    }
    (void)state.Charge(more, "a shared scan");
    bytes_ += more;
    held_.push_back(batch);
  }
  void Drop() {
    const std::size_t less = BytesOf(held_.front());
    scans_.state_.Release(less);
    bytes_ -= std::min(bytes_, less);
    first_ += held_.front().rows;
    held_.pop_front();
  }

  SharedScans& scans_;
  std::unique_ptr<Reader> reader_;
  std::vector<Member*> members_;
  std::deque<Batch> held_;
  std::size_t first_ = 0;  // rows before the held ones
  std::size_t bytes_ = 0;
};

SharedScans::Member::~Member() {
  std::erase(scans_.waiting_, this);
  if (group_) group_->Leave(*this);
}

void SharedScans::Member::Join(std::shared_ptr<Group> group, const ScanRequest& whole) {
  group_ = std::move(group);
  whole_ = whole;
  if (shared_ != nullptr) *shared_ = true;
  for (const ScanColumn& column : request_.columns) {
    const auto found = std::find(whole.columns.begin(), whole.columns.end(), column);
    places_.push_back(static_cast<std::size_t>(found - whole.columns.begin()));
  }
}

void SharedScans::Member::Alone(std::unique_ptr<Reader> reader) {
  reader_ = std::move(reader);
  group_.reset();
}

Status SharedScans::Member::OpenAlone(const ScanRequest& request) {
  PK_ASSIGN_OR_RETURN(std::unique_ptr<TableScan> scan, scans_.state_.source.Scan(request));
  reader_ = std::make_unique<Reader>(std::move(scan), request.table, scans_.state_);
  return {};
}

Batch SharedScans::Member::Mine(Batch batch) const {
  if (whole_.columns.empty()) return batch;
  std::vector<ColumnPtr> columns;
  columns.reserve(places_.size());
  for (const std::size_t place : places_) columns.push_back(batch.columns[place]);
  batch.columns = std::move(columns);
  return batch;
}

Result<Batch> SharedScans::Member::NextAlone() {
  if (!reader_) {
    // It was in a group. What it has had of that is passed by; had it nothing, its own request
    // gives all that it needs, and may be smaller.
    if (rows_ == 0) whole_ = {};
    PK_RETURN_IF_ERROR(OpenAlone(rows_ == 0 ? request_ : whole_));
    for (std::size_t passed = 0; passed < rows_;) {
      PK_ASSIGN_OR_RETURN(const Batch batch, reader_->Next());
      if (batch.rows == 0) return batch;
      passed += batch.rows;
      if (passed <= rows_) continue;
      Selection rest;
      for (std::size_t row = batch.rows - (passed - rows_); row < batch.rows; ++row) {
        rest.push_back(static_cast<std::uint32_t>(row));
      }
      rows_ = passed;
      return Mine(Select(batch, rest));
    }
  }
  PK_ASSIGN_OR_RETURN(Batch batch, reader_->Next());
  rows_ += batch.rows;
  return batch.rows == 0 ? std::move(batch) : Mine(std::move(batch));
}

Result<Batch> SharedScans::Member::Next() {
  const bool begins = std::erase(scans_.waiting_, this) > 0;
  if (begins) PK_RETURN_IF_ERROR(scans_.Open(*this));
  const std::shared_ptr<Group> group = group_;
  if (!group) return NextAlone();
  PK_ASSIGN_OR_RETURN(Batch batch, group->After(rows_, *this));
  if (batch.rows == 0) return batch;
  rows_ += batch.rows;
  group->Passed();
  return Mine(std::move(batch));
}

OperatorPtr SharedScans::Make(ScanRequest request, bool* shared) {
  return std::make_unique<Member>(*this, std::move(request), shared);
}

void SharedScans::GiveBack() {
  const std::vector<Group*> groups = groups_;
  for (Group* group : groups) {
    if (std::find(groups_.begin(), groups_.end(), group) != groups_.end()) group->Part(nullptr);
  }
}

// Where the same rows are asked for, the columns of both cost no more than the columns of each.
// Else each row is read for both, and a column that only one of them wants must be a cheap one.
bool SharedScans::Fits(const ScanRequest& a, const ScanRequest& b) const {
  if (a.table != b.table || a.after_seq != b.after_seq || a.until_seq != b.until_seq) return false;
  if (SameRows(a, b)) return true;
  const auto cheap = [&](const ScanColumn& column) { return state_.source.Cheap(a.table, column); };
  return Overlap(a, b) && std::all_of(a.columns.begin(), a.columns.end(), cheap) &&
         std::all_of(b.columns.begin(), b.columns.end(), cheap);
}

Status SharedScans::Open(Member& member) {
  ScanRequest whole = member.request();
  std::vector<Member*> members = {&member};
  if (state_.options.share_scans) {
    for (Member* other : waiting_) {
      if (!Fits(whole, other->request())) continue;
      whole = Together(std::move(whole), other->request());
      members.push_back(other);
    }
  }
  if (members.size() == 1) return member.OpenAlone(whole);
  for (const Member* each : members) std::erase(waiting_, each);
  PK_ASSIGN_OR_RETURN(std::unique_ptr<TableScan> scan, state_.source.Scan(whole));
  auto group = std::make_shared<Group>(
      *this, std::make_unique<Reader>(std::move(scan), whole.table, state_), members);
  for (Member* each : members) each->Join(group, whole);
  return {};
}

}  // namespace picket::kql
