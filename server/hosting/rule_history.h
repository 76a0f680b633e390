#ifndef HAPAX_SERVER_HOSTING_RULE_HISTORY_H_
#define HAPAX_SERVER_HOSTING_RULE_HISTORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/store.h"

namespace hapax {

// How the rules of a start differ from those that the same methods were served under before.
struct RuleChanges {
  // Those that were accepted, each as "METHOD: what was, and what is".
  std::vector<std::string> accepted;
  // Names that were given for acceptance, and are of no method that changed.
  std::vector<std::string> unchanged;
};

// Compares the rules of the services' methods with those that the store remembers, and has it remember these, in one
// transaction. What counts is what decides which token a call has: token field, scope and default region. A change of
// one has a retry look for its token elsewhere than the first attempt put it, and execute again (C4, C9); so has the
// loss of the rule. `accepted` names the methods, `package.Service/Method`, that may change so.
//
// Not compared: names of fields, as long as their numbers stay, and what a rule says of replies, times and limits. The
// rule of a method that is not served stays remembered for when it comes back. A method that is not known yet, as every
// one is to a store of an older version, has its rule remembered as it stands.
//
// `services` are compiled. Errors: FAILED_PRECONDITION, naming the option accept_rule_changes, every change and what to
// do; those of the store.
[[nodiscard]] absl::StatusOr<RuleChanges> RememberRules(const std::vector<const HostedService*>& services,
                                                        const std::string& default_region,
                                                        const std::vector<std::string>& accepted, Store& store);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_RULE_HISTORY_H_
