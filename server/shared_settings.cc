#include "hapax/server/shared_settings.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/monitor.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/server.pb.h"

namespace hapax {
namespace {

using store::v1::SharedSettingsRow;

std::string MetaKey() { return KeyBuilder().String("shared_settings").Build(); }

struct Difference {
  std::string name;
  std::string stored;
  std::string own;
};

std::vector<Difference> DifferencesOf(const SharedSettingsRow& row,
                                      const std::map<std::string, std::string>& settings) {
  std::vector<Difference> differences;
  for (const auto& [name, value] : settings) {
    const auto stored = row.settings().find(name);
    if (stored != row.settings().end() && stored->second != value) differences.push_back({name, stored->second, value});
  }
  return differences;
}

void AddRetentions(const TokenPolicy& policy, const std::vector<const HostedService*>& services,
                   std::map<std::string, std::string>& settings) {
  absl::Duration longest = policy.retention;
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (!method.rule.has_value()) continue;
      const absl::Duration retention = policy.RetentionOf(*method.rule);
      longest = std::max(longest, retention);
      settings[absl::StrCat("the retention of ", method.name)] = absl::FormatDuration(retention);
    }
  }
  // Of services that only one of two releases has, too.
  settings["the longest retention of a method"] = absl::FormatDuration(longest);
}

}  // namespace

absl::Status LoneChange::Check(const ReadTransaction& txn) const {
  HAPAX_ASSIGN_OR_RETURN(const bool is_alone, work_.IsAlone(txn));
  if (is_alone) return absl::OkStatus();
  return absl::AbortedError("other servers run on the store");
}

absl::StatusOr<bool> LoneChange::IsAlone(Store& store) const {
  bool is_alone = false;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store, [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(is_alone, work_.IsAlone(txn));
    return absl::OkStatus();
  }));
  return is_alone;
}

absl::Status LoneChange::Make(absl::FunctionRef<absl::Status()> change) const {
  HAPAX_RETURN_IF_ERROR(work_.BeginLease());
  StopSignal never;
  while (true) {
    absl::Status status = change();
    if (!absl::IsAborted(status)) return status;
    HAPAX_ASSIGN_OR_RETURN(const WorkLeases::Others others, work_.LookForOthers());
    if (others == WorkLeases::Others::kRun) {
      return absl::AbortedError(absl::StrCat(status.message(),
                                             ". Have the same on all servers; to change it, stop all of them, and the "
                                             "first one to start decides (docs/several-servers.md)"));
    }
    never.AwaitFor(interval_);
  }
}

std::map<std::string, std::string> SharedSettingsOf(const ServerOptions& options,
                                                    const std::vector<const HostedService*>& services) {
  const TokenPolicy& policy = options.token_policy;
  std::map<std::string, std::string> settings = options.shared_settings;
  settings["default_region"] = options.default_region;
  settings["token_policy.retention"] = absl::FormatDuration(policy.retention);
  settings["token_policy.tombstone_retention"] = absl::FormatDuration(policy.tombstone_retention);
  settings["token_policy.max_tokens_per_tenant"] = absl::StrCat(policy.max_tokens_per_tenant);
  settings["token_policy.max_token_bytes_per_tenant"] = absl::StrCat(policy.max_token_bytes_per_tenant);
  settings["token_policy.max_abandoned_tokens_per_tenant"] = absl::StrCat(policy.max_abandoned_tokens_per_tenant);
  if (!services.empty()) AddRetentions(policy, services, settings);
  return settings;
}

absl::Status AgreeOnSettings(const std::map<std::string, std::string>& settings, const LoneChange& lone_change,
                             Store& store, spdlog::logger& log) {
  std::vector<Difference> differences;
  const absl::Status status = lone_change.Make([&] {
    return ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(const auto stored, GetRow<SharedSettingsRow>(txn, Table::kMeta, MetaKey()));
      SharedSettingsRow row = stored.value_or(SharedSettingsRow());
      differences = DifferencesOf(row, settings);
      if (!differences.empty()) HAPAX_RETURN_IF_ERROR(lone_change.Check(txn));
      for (const auto& [name, value] : settings) (*row.mutable_settings())[name] = value;
      PutRow(txn, Table::kMeta, MetaKey(), row);
      return absl::OkStatus();
    });
  });
  if (absl::IsAborted(status)) {
    const Difference& first = differences.front();
    return OptionError(first.name, first.own,
                       absl::FailedPreconditionError(
                           absl::StrCat("the store's servers have ", first.stored, ", and ", status.message())));
  }
  HAPAX_RETURN_IF_ERROR(status);
  for (const Difference& each : differences) {
    log.warn("{} was {} and is {} for all servers of the store", each.name, each.stored, each.own);
  }
  return absl::OkStatus();
}

}  // namespace hapax
