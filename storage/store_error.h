#ifndef HAPAX_STORAGE_STORE_ERROR_H_
#define HAPAX_STORAGE_STORE_ERROR_H_

#include "absl/status/status.h"

namespace hapax {

// Marks an error as the store's own: the store cannot be read, or its data is damaged. A handler may pass such an error
// on, or return its own with the same code; the mark tells them apart. It is a payload that clients do not get.
[[nodiscard]] absl::Status StoreError(absl::Status error);

// Whether StoreError made the status.
[[nodiscard]] bool IsStoreError(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_STORE_ERROR_H_
