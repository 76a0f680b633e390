#ifndef HAPAX_SERVER_OPTIONS_SEAL_KEY_FILE_H_
#define HAPAX_SERVER_OPTIONS_SEAL_KEY_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/storage/store.h"

namespace hapax {

struct LoadedSealKeys {
  SealKeys keys;
  // Ids of keys that replies were sealed with and that the file does not have (any more).
  std::vector<std::string> missing_ids;
};

// Reads the key file at `path` (format: seal_keys.h), and creates it, with one new key and mode 0600, when neither
// it nor any use of it exists.
//
// The store remembers which keys were used, by their ids and a digest that tells nothing of them. So a file that is
// gone, or that has another key under the same id, is found out before anything is sealed or lost.
//
// Errors: FAILED_PRECONDITION, the file is not there though replies were sealed with its keys, or has another key
// under the id of one of them; those of ReadGuardedFile; PERMISSION_DENIED, it cannot be created; INVALID_ARGUMENT, it
// is not a key file; the store's.
[[nodiscard]] absl::StatusOr<LoadedSealKeys> LoadSealKeys(const std::string& path, Store& store);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_SEAL_KEY_FILE_H_
