#include "hapax/storage/store_error.h"

#include "absl/strings/cord.h"

namespace hapax {
namespace {

// Payload types with this prefix are not sent to clients.
constexpr char kStoreType[] = "hapax/store";

}  // namespace

absl::Status StoreError(absl::Status error) {
  error.SetPayload(kStoreType, absl::Cord());
  return error;
}

bool IsStoreError(const absl::Status& status) { return status.GetPayload(kStoreType).has_value(); }

}  // namespace hapax
