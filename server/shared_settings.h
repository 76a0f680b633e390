#ifndef HAPAX_SERVER_SHARED_SETTINGS_H_
#define HAPAX_SERVER_SHARED_SETTINGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/server/server.h"
#include "hapax/storage/store.h"
#include "spdlog/logger.h"

// What servers that share a store must have alike, lest the outcome of a retry depend on the server that it reaches.
//
//   table meta   key ("shared_settings")   value hapax.store.v1.SharedSettingsRow
//
// The store keeps the settings. A server with other ones is refused while another server runs. If none runs, its
// settings replace those of the store.
namespace hapax {

// Makes a change that no other running server may miss. A server runs as long as its lease (work_leases.h) stands.
//
// Thread-safety: for one thread. Lifetime: `work` outlives it.
class LoneChange {
 public:
  // `interval`: between two looks at the leases.
  explicit LoneChange(WorkQueue& work, absl::Duration interval = absl::Milliseconds(250))
      : work_(work), interval_(interval) {}

  // For the transaction of a change: ABORTED if another server has a lease. OK for a sole server.
  [[nodiscard]] absl::Status Check(const ReadTransaction& txn) const;

  // Whether no other server has a lease. Errors: those of the store.
  [[nodiscard]] absl::StatusOr<bool> IsAlone(Store& store) const;

  // Runs `change`, and again while it returns ABORTED, until another server turns out to run or all leases have run
  // out. That takes no longer than a lease. Returns what `change` returned last, with what to do after ABORTED; or an
  // error of the store.
  [[nodiscard]] absl::Status Make(absl::FunctionRef<absl::Status()> change) const;

 private:
  WorkQueue& work_;
  const absl::Duration interval_;
};

// The settings, by the option's name. Requires: `services` are compiled. Without any: what the options alone tell.
[[nodiscard]] std::map<std::string, std::string> SharedSettingsOf(const ServerOptions& options,
                                                                  const std::vector<const HostedService*>& services);

// Compares the settings with those of the store, and stores them. A setting that only one of them has is no difference.
// Errors: FAILED_PRECONDITION, an OptionError: they differ while other servers run. Those of the store.
[[nodiscard]] absl::Status AgreeOnSettings(const std::map<std::string, std::string>& settings,
                                           const LoneChange& lone_change, Store& store, spdlog::logger& log);

}  // namespace hapax

#endif  // HAPAX_SERVER_SHARED_SETTINGS_H_
