#ifndef HAPAX_SERVER_OPTION_CHECKS_H_
#define HAPAX_SERVER_OPTION_CHECKS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/server.h"

namespace hapax {

// What can be told of a server's options without opening anything.
// Errors: INVALID_ARGUMENT, an OptionError that says what is allowed.
[[nodiscard]] absl::Status CheckOptions(const ServerOptions& options);

// Beside the data directory, however that is spelled. Errors: INVALID_ARGUMENT, it has no absolute path.
[[nodiscard]] absl::StatusOr<std::string> DefaultSealKeyFile(const std::string& data_dir);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTION_CHECKS_H_
