#ifndef HAPAX_CLIENT_CALL_TRIED_ENDPOINTS_H_
#define HAPAX_CLIENT_CALL_TRIED_ENDPOINTS_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hapax/client/wire/connection.h"

namespace hapax::client {

// The endpoints where one call was attempted, and the errors there. With one endpoint it records nothing.
//
// Thread-safety: none.
// Lifetime: the connection outlives it.
class TriedEndpoints {
 public:
  explicit TriedEndpoints(const Connection& connection)
      : connection_(connection), count_(connection.endpoint_count()) {}

  [[nodiscard]] bool has_several() const { return count_ > 1; }
  // Whether there is an endpoint without an attempt.
  [[nodiscard]] bool AnyLeft() const { return has_several() && errors_.size() < count_; }

  // Records an attempt, and its error. Both take the number of the endpoint.
  void OnAttempt(size_t endpoint);
  void OnError(size_t endpoint, const absl::Status& error);

  // Returns the endpoints that the next attempt should avoid: those tried; once all are, that of the last error and
  // those of open attempts.
  [[nodiscard]] std::vector<size_t> Avoided(std::vector<size_t> open) const;

  // Returns `tried a:1 (its last error), b:1 (no answer)`. Empty if there is one endpoint, or no attempt yet.
  [[nodiscard]] std::string Describe() const;
  // Returns the error with that message. Unchanged if there is one endpoint.
  [[nodiscard]] absl::Status Describe(const absl::Status& error) const;

 private:
  const Connection& connection_;
  const size_t count_;
  std::map<size_t, std::string> errors_;  // The last of each endpoint that was tried. Empty: none yet.
  size_t last_failed_ = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_TRIED_ENDPOINTS_H_
