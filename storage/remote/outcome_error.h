#ifndef HAPAX_STORAGE_REMOTE_OUTCOME_ERROR_H_
#define HAPAX_STORAGE_REMOTE_OUTCOME_ERROR_H_

#include "absl/status/status.h"

// How callers are told what a database over a network made of their transaction.
namespace hapax {

inline constexpr char kMayBeDurable[] =
    "the store does not answer: the transaction may turn out to be durable. Retry with the same token";

// The error as callers get it: whatever keeps the database from serving is UNAVAILABLE to them.
[[nodiscard]] absl::Status ToCallers(const absl::Status& error);

// Whether the database takes smaller requests.
[[nodiscard]] bool IsTooLarge(const absl::Status& error);
// What a transaction is told that is too large by itself.
[[nodiscard]] absl::Status TooLarge(const absl::Status& error);

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_OUTCOME_ERROR_H_
