#include "hapax/storage/token_compaction.h"

#include <string>

#include "hapax/storage/check.h"
#include "hapax/storage/format.h"
#include "hapax/storage/token_table.h"
#include "rocksdb/slice.h"

namespace hapax {
namespace {

store::v1::TokenRecord TombstoneOf(const store::v1::TokenRecord& record) {
  store::v1::TokenRecord tombstone;
  tombstone.set_method(record.method());
  *tombstone.mutable_executed_at() = record.executed_at();
  *tombstone.mutable_expires_at() = record.expires_at();
  if (record.has_forget_at()) *tombstone.mutable_forget_at() = record.forget_at();
  return tombstone;
}

class TokenCompactionFilter final : public rocksdb::CompactionFilter {
 public:
  explicit TokenCompactionFilter(const TimeSource& time) : time_(time) {}

  [[nodiscard]] const char* Name() const override { return "hapax.tokens"; }

  [[nodiscard]] Decision FilterV2(int /*level*/, const rocksdb::Slice& key_slice, ValueType type,
                                  const rocksdb::Slice& value, std::string* new_value,
                                  std::string* /*skip_until*/) const override {
    const std::string_view key = key_slice.ToStringView();
    store::v1::TokenRecord record;
    if (type != ValueType::kValue || !DecodeRow(key, value.ToStringView(), &record).ok()) return Decision::kKeep;
    switch (StateAt(record, time_.Now())) {
      case TokenState::kExecuted:
      case TokenState::kAbandoned:
        return Decision::kKeep;
      case TokenState::kFree:
        return Decision::kRemove;
      case TokenState::kExpired:
        if (!record.has_fingerprint()) return Decision::kKeep;  // A tombstone already.
        *new_value = EncodeRow(key, TombstoneOf(record));
        return Decision::kChangeValue;
    }
    HAPAX_CHECK(false, "a TokenState is one of its values");
  }

 private:
  const TimeSource& time_;
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> MakeTokenCompactionFilter(const TimeSource& time) {
  return std::make_unique<TokenCompactionFilter>(time);
}

}  // namespace hapax
