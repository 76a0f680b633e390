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
  // The ids of keys that sealed replies but are not in the file, or not any more.
  std::vector<std::string> missing_ids;
};

// What becomes of a key file that does not exist.
enum class MissingSealKeys {
  kCreated,
  kRefused,  // Each of several servers would make keys of its own.
};

// Reads the key file at `path` (format: seal_keys.h). If the file does not exist and no key was ever used, `missing`
// decides; it is created with one new key and mode 0600.
//
// The store records the id of each used key, and a digest that reveals nothing about it. So a missing file, or another
// key under the same id, is detected before anything is sealed or lost.
//
// Errors: FAILED_PRECONDITION: the file is missing and may not be created, since its keys sealed replies or by
// `missing`, or it has another key under the id of one of them. PERMISSION_DENIED: it cannot be created.
// INVALID_ARGUMENT: it is not a key file. Those of ReadGuardedFile and of the store.
[[nodiscard]] absl::StatusOr<LoadedSealKeys> LoadSealKeys(const std::string& path, MissingSealKeys missing,
                                                          Store& store);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_SEAL_KEY_FILE_H_
