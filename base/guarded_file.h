#ifndef HAPAX_BASE_GUARDED_FILE_H_
#define HAPAX_BASE_GUARDED_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace hapax {

// What others than the user that the server runs as may do with a file.
enum class OthersMay {
  kNothing,  // As PostgreSQL has it for its key: but when it is root's, its group may read it.
  kRead,
};

// The content of a file of less than 16 MiB.
// Errors: NOT_FOUND, there is none; PERMISSION_DENIED, it cannot be read, or others may do more with it than that;
// INVALID_ARGUMENT, it is no regular file, is empty, or larger.
[[nodiscard]] absl::StatusOr<std::string> ReadGuardedFile(const std::string& path, OthersMay others_may);

}  // namespace hapax

#endif  // HAPAX_BASE_GUARDED_FILE_H_
