#ifndef HAPAX_INTERCEPTORS_PRINCIPAL_H_
#define HAPAX_INTERCEPTORS_PRINCIPAL_H_

#include <string>

#include "hapax/interceptors/role.h"

namespace hapax {

// An authenticated caller and its role. Tokens and resources belong to the tenant, regardless of which principal of the
// tenant made them (C4).
struct Principal {
  std::string tenant;
  Role role = Role::kRead;

  friend bool operator==(const Principal&, const Principal&) = default;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_PRINCIPAL_H_
