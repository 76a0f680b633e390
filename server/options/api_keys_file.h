#ifndef HAPAX_SERVER_OPTIONS_API_KEYS_FILE_H_
#define HAPAX_SERVER_OPTIONS_API_KEYS_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/interceptors/access/authentication.h"

namespace hapax {

// Makes an authenticator with the keys of the file at `path`, whose lines `hapaxctl admin new-api-key` makes; Reload
// rereads the file.
// Errors, also of Reload: "api_keys_file=<path>: <error>", with the line; PERMISSION_DENIED, the file cannot be read,
// or others may write it; INVALID_ARGUMENT, it is not a key file.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Authenticator>> OpenApiKeysFile(const std::string& path);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_API_KEYS_FILE_H_
