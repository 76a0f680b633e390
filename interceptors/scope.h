#ifndef HAPAX_INTERCEPTORS_SCOPE_H_
#define HAPAX_INTERCEPTORS_SCOPE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace hapax {

// Where a call takes place. Tenant and place together are the scope in which a token is unique (contract C4, C5).
struct Place {
  std::string region;
  std::string zone;  // Empty: the call is regional.
};

// What one field of a request says about the place of the call.
struct PlaceHint {
  std::string_view field;  // The field's path, for error messages and to tell fields apart.
  std::string_view value;  // Empty when the field says nothing.
};

// What a request says about its place: the fields that its rule lists, in the rule's order.
struct PlaceHints {
  PlaceHint region;
  std::vector<PlaceHint> zones;
};

// Turns hints into a place. Refuses hints that are unknown or contradict one another. A region that nothing implies is
// left empty; the server's default is filled in later.
//
// A resolver never changes its answer: if the same hints led to another place, a retry would not find its token.
//
// Thread-safety: safe. It must not block.
using ScopeResolver = absl::AnyInvocable<absl::StatusOr<Place>(const PlaceHints&) const>;

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_SCOPE_H_
