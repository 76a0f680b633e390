#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_GLOBALS_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_GLOBALS_H_

#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "hapax/client/call/retry.h"
#include "hapax/client/hapaxctl/output/query.h"
#include "hapax/client/wire/connection.h"

namespace hapax::ctl {

enum class Format {
  kJson,
  kTable,
  kText,  // Like the AWS CLI's (text.h).
};

// Settings for every verb, from flags or the environment.
struct Globals {
  client::ConnectionOptions connection;
  bool url_is_plain = false;  // Whether --endpoint-url is without TLS.
  std::string api_key_file;
  std::string region;
  client::RetryPolicy retry;
  Format format = Format::kJson;
  bool format_is_given = false;
  std::optional<Query> query;  // Selects a part of the result; none: all of it.
  std::string journal;
  std::string x_client_token;
};

// Adds the flags. `globals` outlives the app.
void AddGlobals(CLI::App& app, Globals& globals);

// The connection options with the API key: from --api-key, or else --api-key-file, or else their environment variables
// in that order. Errors: INVALID_ARGUMENT, naming the flag but never repeating a key.
[[nodiscard]] absl::StatusOr<client::ConnectionOptions> ConnectionOptionsOf(const Globals& globals);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_GLOBALS_H_
