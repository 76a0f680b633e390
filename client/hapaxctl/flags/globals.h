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
  kText,  // As the AWS CLI's (text.h).
};

// What holds for every verb, by flag or environment.
struct Globals {
  client::ConnectionOptions connection;
  bool url_is_plain = false;  // Whether --endpoint-url is one without TLS.
  std::string api_key_file;
  std::string region;
  client::RetryPolicy retry;
  Format format = Format::kJson;
  bool format_is_given = false;
  std::optional<Query> query;  // What of the result is printed; all of it when there is none.
  std::string journal;
  std::string x_client_token;
};

// The flags. `globals` outlives the app.
void AddGlobals(CLI::App& app, Globals& globals);

// The connection, with the API key read: from --api-key, else from --api-key-file, else from their environment
// variables in that order. Errors: INVALID_ARGUMENT, naming the flag; it repeats no key.
[[nodiscard]] absl::StatusOr<client::ConnectionOptions> ConnectionOptionsOf(const Globals& globals);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_GLOBALS_H_
