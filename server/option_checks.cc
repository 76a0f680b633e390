#include "hapax/server/option_checks.h"

#include <filesystem>
#include <limits>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/engine.h"
#include "hapax/server/options/host_port.h"
#include "hapax/server/options/option_bounds.h"

namespace hapax {
namespace {

namespace fs = std::filesystem;

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view allowed) {
  return OptionError(option, value, absl::InvalidArgumentError(allowed));
}

// A negative number that was converted to a size is a huge one.
absl::Status CheckSize(absl::string_view option, size_t value, size_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return Wrong(option, absl::StrCat(value), absl::StrCat("must be 1 to ", most));
}

// `address`: where calls are served.
absl::Status CheckServed(absl::string_view option, const std::string& address, const ServerOptions& options) {
  HAPAX_ASSIGN_OR_RETURN(const HostPort served, HostPort::Parse(option, address));
  if (options.authenticator != nullptr || served.IsLoopback()) return absl::OkStatus();
  return Wrong(option, address,
               "must be a loopback address, such as 127.0.0.1:50051, or authenticator must be set: without one, every "
               "caller is believed to be any tenant with every role");
}

absl::Status CheckAddresses(const ServerOptions& options) {
  HAPAX_RETURN_IF_ERROR(CheckServed("listen_address", options.listen_address, options));
  if (!options.http_address.empty()) {
    HAPAX_RETURN_IF_ERROR(CheckServed("http_address", options.http_address, options));
  }
  if (options.metrics_address.empty()) return absl::OkStatus();
  return HostPort::Parse("metrics_address", options.metrics_address).status();
}

absl::Status CheckLimits(const ServerOptions& options) {
  constexpr size_t kMaxWaiting = std::numeric_limits<int>::max();
  constexpr size_t kMaxCacheBytes = std::numeric_limits<int64_t>::max();
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(1, "max_calls_in_flight", options.max_calls_in_flight));
  HAPAX_RETURN_IF_ERROR(CheckSize("max_waiting_transactions", options.max_waiting_transactions, kMaxWaiting));
  HAPAX_RETURN_IF_ERROR(CheckSize("block_cache_bytes", options.block_cache_bytes, kMaxCacheBytes));
  HAPAX_RETURN_IF_ERROR(CheckBounds(options.tenant_limits));
  HAPAX_RETURN_IF_ERROR(CheckBounds(options.request_limits));
  HAPAX_RETURN_IF_ERROR(CheckBounds(options.connection_limits));
  return CheckBudgets(options.request_budget, options.reply_budget, options.connection_limits);
}

}  // namespace

absl::Status CheckOptions(const ServerOptions& options) {
  HAPAX_RETURN_IF_ERROR(CheckEngine(options));
  HAPAX_RETURN_IF_ERROR(CheckAddresses(options));
  HAPAX_RETURN_IF_ERROR(CheckDefaultRegion(options.default_region));
  HAPAX_RETURN_IF_ERROR(CheckBounds(options.token_policy));
  HAPAX_RETURN_IF_ERROR(CheckLimits(options));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(absl::Milliseconds(1), "work_lease", options.work_lease));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(absl::Milliseconds(1), "max_clock_skew", options.max_clock_skew));
  return CheckAtLeast(absl::Milliseconds(1), "stop_grace", options.stop_grace);
}

absl::StatusOr<std::string> DefaultSealKeyFile(const std::string& data_dir) {
  // With `.` or `data//`, the file would be inside the directory.
  std::error_code error;
  const std::string directory = fs::absolute(data_dir, error).lexically_normal().string();
  if (error) return Wrong("data_dir", data_dir, absl::StrCat("must have an absolute path: ", error.message()));
  return absl::StrCat(absl::StripSuffix(directory, "/"), ".seal_keys");
}

}  // namespace hapax
