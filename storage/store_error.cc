#include "hapax/storage/store_error.h"

#include "absl/strings/cord.h"

namespace hapax {
namespace {

// Types that begin like this are not sent.
constexpr char kStoreType[] = "hapax/store";

}  // namespace

absl::Status StoreError(absl::Status error) {
  error.SetPayload(kStoreType, absl::Cord());
  return error;
}

bool IsStoreError(const absl::Status& status) { return status.GetPayload(kStoreType).has_value(); }

}  // namespace hapax
