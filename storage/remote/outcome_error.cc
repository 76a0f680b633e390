#include "hapax/storage/remote/outcome_error.h"

#include "absl/strings/str_cat.h"
#include "hapax/storage/store_error.h"

namespace hapax {

absl::Status ToCallers(const absl::Status& error) {
  if (absl::IsDataLoss(error)) return StoreError(error);
  return StoreError(absl::UnavailableError(error.message()));
}

bool IsTooLarge(const absl::Status& error) {
  return absl::IsInvalidArgument(error) || absl::IsResourceExhausted(error);
}

absl::Status TooLarge(const absl::Status& error) {
  return StoreError(
      absl::ResourceExhaustedError(absl::StrCat("the transaction is larger than the store takes: ", error.message())));
}

}  // namespace hapax
