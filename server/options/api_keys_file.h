#ifndef HAPAX_SERVER_OPTIONS_API_KEYS_FILE_H_
#define HAPAX_SERVER_OPTIONS_API_KEYS_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/interceptors/access/api_keys.h"

namespace hapax {

// An authenticator with the keys of the file at `path` (format: api_keys.h), which it reads again at each Reload.
// Errors, of this and of Reload: "api_keys_file=<path>: <what is wrong>", with the line; PERMISSION_DENIED, it cannot
// be read, or may be written by others; INVALID_ARGUMENT, it is not a key file.
[[nodiscard]] absl::StatusOr<std::unique_ptr<ApiKeyAuthenticator>> OpenApiKeysFile(const std::string& path);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_API_KEYS_FILE_H_
