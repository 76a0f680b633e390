#include "hapax/storage/rocksdb/transaction.h"

#include <memory>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

// A position among one layer's rows of one table.
struct Cursor {
  Overlay::Rows::const_iterator row;
  Overlay::Rows::const_iterator end;
};

// Merges the layers with the database. Of equal keys, the newest layer's row counts.
class MergedRows {
 public:
  MergedRows(std::unique_ptr<rocksdb::Iterator> base, const KeyRange& range) : base_(std::move(base)), end_(range.end) {
    base_->Seek(range.begin);
  }

  void AddLayer(const Overlay::Rows& rows, const KeyRange& range) {
    cursors_.push_back(
        {.row = rows.lower_bound(range.begin), .end = range.end.empty() ? rows.end() : rows.lower_bound(range.end)});
  }

  // Visits the next row unless it is deleted. Returns false when there is none, or `visit` wants no more.
  bool VisitNext(ReadTransaction::Visitor visit) {
    const std::optional<std::string_view> base_key = BaseKey();
    std::optional<std::string_view> smallest = base_key;
    const Overlay::Value* newest = nullptr;
    for (const Cursor& cursor : cursors_) {
      if (cursor.row == cursor.end) continue;
      if (!smallest.has_value() || cursor.row->first < *smallest) {
        smallest = cursor.row->first;
        newest = &cursor.row->second;
      } else if (newest == nullptr && cursor.row->first == *smallest) {
        newest = &cursor.row->second;
      }
    }
    if (!smallest.has_value()) return false;
    bool more = true;
    if (newest == nullptr) {
      more = visit(*smallest, base_->value().ToStringView());
    } else if (newest->has_value()) {
      more = visit(*smallest, **newest);
    }
    Advance(*smallest, base_key == smallest);
    return more;
  }

  [[nodiscard]] rocksdb::Status status() const { return base_->status(); }

 private:
  [[nodiscard]] std::optional<std::string_view> BaseKey() const {
    if (!base_->Valid()) return std::nullopt;
    const std::string_view key = base_->key().ToStringView();
    if (!end_.empty() && key >= end_) return std::nullopt;
    return key;
  }

  // `key` may be the base's own bytes, so the base moves last.
  void Advance(std::string_view key, bool base_has_it) {
    for (Cursor& cursor : cursors_) {
      if (cursor.row != cursor.end && cursor.row->first == key) ++cursor.row;
    }
    if (base_has_it) base_->Next();
  }

  std::unique_ptr<rocksdb::Iterator> base_;
  const std::string end_;
  absl::InlinedVector<Cursor, 3> cursors_;
};

}  // namespace

RocksDbTransaction::RocksDbTransaction(const Database& database, const rocksdb::Snapshot* snapshot,
                                       absl::Span<const Overlay* const> layers, int64_t max_bytes)
    : database_(database), snapshot_(snapshot), max_bytes_(max_bytes) {
  layers_.reserve(layers.size() + 1);
  layers_.push_back(&writes_);
  layers_.insert(layers_.end(), layers.begin(), layers.end());
}

absl::StatusOr<std::optional<std::string>> RocksDbTransaction::Get(Table table, std::string_view key) const {
  HAPAX_RETURN_IF_ERROR(CountRead(key.size()));
  for (const Overlay* layer : layers_) {
    const Overlay::Value* value = layer->Find(table, key);
    if (value == nullptr) continue;
    if (value->has_value()) HAPAX_RETURN_IF_ERROR(CountRead((*value)->size()));
    return *value;
  }
  absl::StatusOr<std::optional<std::string>> value = database_.Get(table, key, snapshot_, max_bytes_ - bytes_read_);
  if (absl::IsOutOfRange(value.status())) return NoteBeyond();
  if (value.ok() && value->has_value()) HAPAX_RETURN_IF_ERROR(CountRead((*value)->size()));
  return value;
}

absl::Status RocksDbTransaction::Scan(Table table, const KeyRange& range, Visitor visit) const {
  if (range.empty()) return absl::OkStatus();
  absl::Status counted;
  const auto count_and_visit = [&](std::string_view key, std::string_view value) {
    counted = CountRead(key.size() + value.size());
    return counted.ok() && visit(key, value);
  };
  MergedRows rows(database_.NewIterator(table, snapshot_), range);
  for (const Overlay* layer : layers_) rows.AddLayer(layer->rows(table), range);
  while (rows.VisitNext(count_and_visit)) {
  }
  HAPAX_RETURN_IF_ERROR(counted);
  return FromRocksDb(rows.status());
}

absl::Status RocksDbTransaction::CountRead(size_t bytes) const {
  bytes_read_ += static_cast<int64_t>(bytes);
  return bytes_read_ > max_bytes_ ? NoteBeyond() : absl::OkStatus();
}

absl::Status RocksDbTransaction::NoteBeyond() const {
  is_beyond_ = true;
  return absl::OutOfRangeError("the transaction may not read that much");
}

void RocksDbTransaction::Put(Table table, std::string key, std::string value) {
  writes_.Write(table, std::move(key), std::move(value));
}

void RocksDbTransaction::Delete(Table table, std::string key) { writes_.Write(table, std::move(key), std::nullopt); }

void RocksDbTransaction::OnCommit(absl::AnyInvocable<void()> hook) { hooks_.push_back(std::move(hook)); }

}  // namespace hapax
