#ifndef HAPAX_SERVER_HOSTING_RULE_HISTORY_H_
#define HAPAX_SERVER_HOSTING_RULE_HISTORY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/store.h"

namespace hapax {

// How the rules at a start differ from those under which the same methods were served before.
struct RuleChanges {
  // The accepted changes, each as "METHOD: the old rule, and the new one".
  std::vector<std::string> accepted;
  // Names accepted although the method has not changed, or does not exist.
  std::vector<std::string> unchanged;
};

using MayChangeRules = std::function<absl::Status(const ReadTransaction& txn)>;

// Compares the rules of the services' methods with those that the store remembers, and stores the new ones, in one
// transaction. It compares what decides which token a call has: token field, scope and default region. After a change
// of these, a retry would look for its token in the wrong place and execute again (C4, C9). The same holds when the
// rule is removed. `accepted` names the methods, `package.Service/Method`, whose rules may change like this.
//
// Not compared: the names of fields, while their numbers stay, and what a rule says about replies, times and limits.
// The rule of a method that is not served stays stored, in case the method comes back. The rule of a method not yet
// known is stored as it is; in a store of an older version that is every method.
//
// `may_change`, unless null, is asked within the transaction whether accepted changes may be made now; its error ends
// it.
//
// Requires: `services` are compiled.
// Errors: FAILED_PRECONDITION, naming the option accept_rule_changes, every change and the remedy; those of
// `may_change` and of the store.
[[nodiscard]] absl::StatusOr<RuleChanges> RememberRules(const std::vector<const HostedService*>& services,
                                                        const std::string& default_region,
                                                        const std::vector<std::string>& accepted, Store& store,
                                                        const MayChangeRules& may_change = nullptr);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_RULE_HISTORY_H_
