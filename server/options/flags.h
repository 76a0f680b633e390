#ifndef HAPAX_SERVER_OPTIONS_FLAGS_H_
#define HAPAX_SERVER_OPTIONS_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/server/options/limit_flags.h"
#include "hapax/server/options/store_flags.h"
#include "hapax/server/options/tls_files.h"
#include "spdlog/common.h"

namespace hapax {

// The values of the command line. Each is documented at its flag, in flags.cc. Server::Open checks those that become
// options of the server.
struct ServerFlags {
  enum class Auth {
    kNone,    // Callers are trusted; loopback addresses only.
    kApiKey,  // Callers send an API key.
    kMtls,    // Callers present a certificate.
  };

  std::string listen_address;
  StoreFlags store;
  Auth auth = Auth::kNone;
  std::string api_keys_file;
  bool listens_to_others = false;  // Whether the address is not a loopback one.
  TlsFiles tls;
  std::string default_region;
  std::vector<std::string> accept_rule_changes;
  TokenPolicy token_policy;
  std::string seal_key_file;
  std::string catalog_file;
  absl::Time time_passed;
  absl::Duration simulated_boot_latency;
  std::string backup_dir;
  std::string http_address;
  std::string access_keys_file;
  bool ec2_invocation_id_tokens = true;
  std::string metrics_address;
  LimitFlags limits;
  absl::Duration drain_timeout;
  spdlog::level::level_enum log_level = spdlog::level::info;
};

// Parses the command line. Ends the process for --help, and for flags that absl cannot parse.
// Errors: INVALID_ARGUMENT, naming the flag and what is allowed.
[[nodiscard]] absl::StatusOr<ServerFlags> ParseServerFlags(int argc, char** argv);

// The error of a flag: "--<flag>=<value>: <error>".
[[nodiscard]] absl::Status FlagError(absl::string_view flag, absl::string_view value, const absl::Status& error);

// Converts the error of a server option (OptionError) to that of its flag. Returns any other error unchanged.
[[nodiscard]] absl::Status AsFlagError(const absl::Status& error);

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_FLAGS_H_
