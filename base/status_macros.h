#ifndef HAPAX_BASE_STATUS_MACROS_H_
#define HAPAX_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the function with the status of `expression`, unless it is OK.
#define HAPAX_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                     \
    if (absl::Status hapax_status = (expression); !hapax_status.ok()) return hapax_status; \
  } while (false)

// `HAPAX_ASSIGN_OR_RETURN(auto value, Compute());` assigns the value, or returns from the function with the error.
#define HAPAX_ASSIGN_OR_RETURN(declaration, expression) \
  HAPAX_ASSIGN_OR_RETURN_IMPL(HAPAX_CONCAT(hapax_or_, __LINE__), declaration, expression)
#define HAPAX_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                        \
  if (!result.ok()) return std::move(result).status();               \
  declaration = *std::move(result)
#define HAPAX_CONCAT(a, b) HAPAX_CONCAT_IMPL(a, b)
#define HAPAX_CONCAT_IMPL(a, b) a##b

#endif  // HAPAX_BASE_STATUS_MACROS_H_
