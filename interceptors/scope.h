#ifndef HAPAX_INTERCEPTORS_SCOPE_H_
#define HAPAX_INTERCEPTORS_SCOPE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace hapax {

// Where a call takes place, and with the tenant, where its token is unique (contract C4, C5).
struct Place {
  std::string region;
  std::string zone;  // Empty: the call is regional.
};

// What one field of a request says of the call's place.
struct PlaceHint {
  std::string_view field;  // Its path, for error messages and to tell fields apart.
  std::string_view value;  // Empty: not said.
};

// What a request says of its place: the fields that its rule lists, in the rule's order.
struct PlaceHints {
  PlaceHint region;
  std::vector<PlaceHint> zones;
};

// Turns hints into a place, and refuses hints that are unknown or contradict one another. A region that
// nothing implies is left empty: the server's default is filled in afterwards.
// A resolver is deterministic for good: the same hints must never lead to another place, or a retry
// would not find its token. Thread-safety: safe. It must not block.
using ScopeResolver = absl::AnyInvocable<absl::StatusOr<Place>(const PlaceHints&) const>;

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_SCOPE_H_
