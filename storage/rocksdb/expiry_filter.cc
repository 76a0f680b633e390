#include "hapax/storage/rocksdb/expiry_filter.h"

#include <string>

#include "hapax/base/check.h"
#include "rocksdb/slice.h"

namespace hapax {
namespace {

class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  explicit ExpiryFilter(const ExpiryRule& rule) : rule_(rule) {}

  [[nodiscard]] const char* Name() const override { return "hapax.expiry"; }

  [[nodiscard]] Decision FilterV2(int /*level*/, const rocksdb::Slice& key, ValueType type, const rocksdb::Slice& value,
                                  std::string* new_value, std::string* /*skip_until*/) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    switch (rule_.FateOf(key.ToStringView(), value.ToStringView(), *new_value)) {
      case ExpiryRule::Fate::kKeep:
        return Decision::kKeep;
      case ExpiryRule::Fate::kReplace:
        return Decision::kChangeValue;
      case ExpiryRule::Fate::kDrop:
        return Decision::kRemove;
    }
    HAPAX_CHECK(false, "a Fate is one of its values");
  }

 private:
  const ExpiryRule& rule_;
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> MakeExpiryFilter(const ExpiryRule& rule) {
  return std::make_unique<ExpiryFilter>(rule);
}

}  // namespace hapax
