#ifndef HAPAX_TESTING_FAKE_CONTEXT_H_
#define HAPAX_TESTING_FAKE_CONTEXT_H_

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/method.h"
#include "hapax/interceptors/scope.h"

namespace hapax {

// What a test says of a call whose handler it calls itself. Each has a default.
struct FakeContextOptions {
  std::string tenant = "default";
  std::string client_token;  // Empty: none.
  Place place = {.region = "default"};
  absl::Time now = absl::FromUnixSeconds(1'000'000'000);  // A ManualClock's first time.
  // Gets what the handler records (CallContext::RecordDefaults); of the request's type. Null: as of a call without a
  // token. Outlives the context.
  google::protobuf::Message* recorded_defaults = nullptr;
};

// The context of that call, as the chain would hand it to the handler, be it a mutation or a read.
[[nodiscard]] CallContext FakeContext(const FakeContextOptions& options = {});

}  // namespace hapax

#endif  // HAPAX_TESTING_FAKE_CONTEXT_H_
