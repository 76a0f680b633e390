#ifndef HAPAX_TESTS_FUZZ_FUZZED_DOOR_CALLS_H_
#define HAPAX_TESTS_FUZZ_FUZZED_DOOR_CALLS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"
#include "hapax/base/check.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/server/http/door.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax {

// Answers a door's calls by the input, in place of the chain: each with an error, or with some bytes and an outcome.
class FuzzedDoorCalls final : public DoorCalls {
 public:
  explicit FuzzedDoorCalls(std::string answers) : answers_(std::move(answers)) {}

  void Run(const HttpRequest& /*origin*/, DoorCall call, Done done) override {
    std::move(done)(Answer(call.method, call.request));
  }

  [[nodiscard]] DoorReply Answer(std::string_view method_name, const std::string& bytes) {
    // So that the descriptors are there.
    static const compute::v1::RunInstancesRequest linked;
    static const external::longrunning::Operation linked_too;
    const std::string name = absl::StrReplaceAll(OwnName(method_name), {{"/", "."}});
    const auto* const method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
    HAPAX_CHECK(method != nullptr, "a door calls methods that there are");
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<google::protobuf::Message> request(factory.GetPrototype(method->input_type())->New());
    HAPAX_CHECK(request->ParseFromString(bytes), "a door's request can be read");
    const bool mutates = method->options().idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
    mutations += mutates ? 1 : 0;
    Input input(reinterpret_cast<const uint8_t*>(answers_.data()), answers_.size());
    const uint8_t kind = input.Byte();
    std::string reply = input.LongString();
    answers_ = input.Rest();
    if (++calls_ > kMaxCalls || kind < 64) {
      return {.reply = Refuse(AllReasons()[kind % AllReasons().size()].reason, "as the input says")};
    }
    effects += mutates ? 1 : 0;
    std::optional<Outcome> outcome;
    if (mutates) outcome = static_cast<Outcome>(kind % 3);
    return {.reply = std::move(reply), .outcome = outcome};
  }

  int mutations = 0;  // Mutating calls,
  int effects = 0;    // and those that succeeded.

 private:
  static constexpr int kMaxCalls = 40;

  std::string answers_;
  int calls_ = 0;
};

// Whether the reply has a header of this name.
[[nodiscard]] inline bool HasHeader(const HttpReply& reply, std::string_view name) {
  for (const auto& header : reply.headers) {
    if (header.first == name) return true;
  }
  return false;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_FUZZED_DOOR_CALLS_H_
