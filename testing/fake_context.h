#ifndef HAPAX_TESTING_FAKE_CONTEXT_H_
#define HAPAX_TESTING_FAKE_CONTEXT_H_

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/method.h"
#include "hapax/interceptors/scope.h"

namespace hapax {

// The properties of a call whose handler a test calls directly. Each has a default.
struct FakeContextOptions {
  std::string tenant = "default";
  std::string client_token;  // Empty if none.
  Place place = {.region = "default"};
  absl::Time now = absl::FromUnixSeconds(1'000'000'000);  // The initial time of a ManualClock.
  // Receives the defaults that the handler records (CallContext::RecordDefaults). It has the type of the request, and
  // outlives the context. Null: the defaults are dropped, as for a call without a token.
  google::protobuf::Message* recorded_defaults = nullptr;
};

// Returns the context that the chain would pass to the handler of that call, a mutation or a read.
[[nodiscard]] CallContext FakeContext(const FakeContextOptions& options = {});

}  // namespace hapax

#endif  // HAPAX_TESTING_FAKE_CONTEXT_H_
