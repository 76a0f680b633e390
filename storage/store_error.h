#ifndef HAPAX_STORAGE_STORE_ERROR_H_
#define HAPAX_STORAGE_STORE_ERROR_H_

#include "absl/status/status.h"

namespace hapax {

// An error of the store's own: it cannot be read, or what it holds is damaged. A handler that reads passes such an
// error on, and may make one of the same code itself; the mark tells them apart. It is a payload that is not sent to
// clients.
[[nodiscard]] absl::Status StoreError(absl::Status error);

// Whether StoreError made the status.
[[nodiscard]] bool IsStoreError(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_STORAGE_STORE_ERROR_H_
