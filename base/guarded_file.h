#ifndef HAPAX_BASE_GUARDED_FILE_H_
#define HAPAX_BASE_GUARDED_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace hapax {

// What users other than the server's own may do with a file.
enum class OthersMay {
  kNothing,  // Like PostgreSQL for its key: if root owns the file, its group may read it.
  kRead,
};

// Reads a file of less than 16 MiB.
//
// Errors: NOT_FOUND, there is no such file; PERMISSION_DENIED, it cannot be read, or others may do more with it than
// `others_may`; INVALID_ARGUMENT, it is not a regular file, is empty, or is too large.
[[nodiscard]] absl::StatusOr<std::string> ReadGuardedFile(const std::string& path, OthersMay others_may);

}  // namespace hapax

#endif  // HAPAX_BASE_GUARDED_FILE_H_
