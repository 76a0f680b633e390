#ifndef HAPAX_SERVER_OPTION_CHECKS_H_
#define HAPAX_SERVER_OPTION_CHECKS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/server.h"

namespace hapax {

// Checks the options of a server, as far as possible without opening anything.
// Errors: INVALID_ARGUMENT, an OptionError that says what is allowed.
[[nodiscard]] absl::Status CheckOptions(const ServerOptions& options);

// Returns the default path, beside the data directory, however that is spelled. Errors: INVALID_ARGUMENT: the data
// directory has no absolute path.
[[nodiscard]] absl::StatusOr<std::string> DefaultSealKeyFile(const std::string& data_dir);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTION_CHECKS_H_
