// Requests of OpenStack's API: one reply each, an object of JSON or nothing, whatever the calls behind it answer.
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "hapax/base/check.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/openstack/openstack_door.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax::openstack {
namespace {

constexpr int kMaxCalls = 40;

// Answers calls by the input.
class FuzzedCalls final : public DoorCalls {
 public:
  explicit FuzzedCalls(std::string answers) : answers_(std::move(answers)) {}

  void Run(const HttpRequest& /*origin*/, DoorCall call, Done done) override {
    static const compute::v1::RunInstancesRequest linked;  // So that the descriptors are there.
    const std::string name(call.method);
    const auto* const method =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(absl::StrReplaceAll(name, {{"/", "."}}));
    HAPAX_CHECK(method != nullptr, "a door calls methods that there are");
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<google::protobuf::Message> request(factory.GetPrototype(method->input_type())->New());
    HAPAX_CHECK(request->ParseFromString(call.request), "a door's request can be read");
    const bool mutates = method->options().idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
    mutations += mutates ? 1 : 0;
    Input input(reinterpret_cast<const uint8_t*>(answers_.data()), answers_.size());
    const uint8_t kind = input.Byte();
    std::string reply = input.LongString();
    answers_ = input.Rest();
    if (++calls_ > kMaxCalls || kind < 64) {
      return std::move(done)({.reply = Refuse(AllReasons()[kind % AllReasons().size()].reason, "as the input says")});
    }
    std::optional<Outcome> outcome;
    if (mutates) outcome = static_cast<Outcome>(kind % 3);
    std::move(done)({.reply = std::move(reply), .outcome = outcome});
  }

  int mutations = 0;

 private:
  std::string answers_;
  int calls_ = 0;
};

bool HasHeader(const HttpReply& reply, std::string_view name) {
  for (const auto& header : reply.headers) {
    if (header.first == name) return true;
  }
  return false;
}

void Check(const HttpRequest& request, const HttpReply& reply, const FuzzedCalls& calls) {
  HAPAX_CHECK(reply.status >= 200 && reply.status < 600, "a reply has a status");
  HAPAX_CHECK(reply.content_type.empty() == reply.body.empty(), "a body has a type");
  google::protobuf::Struct body;
  HAPAX_CHECK(reply.body.empty() || google::protobuf::util::JsonStringToMessage(reply.body, &body).ok(),
              "a body is an object of JSON");
  HAPAX_CHECK(reply.status < 400 || HasHeader(reply, "hapax-retry"), "an error tells what to do next");
  HAPAX_CHECK(!HasHeader(reply, "hapax-outcome") || calls.mutations > 0, "only a mutating call has an outcome");
  HAPAX_CHECK(calls.mutations <= 1, "a request has one effect at most");
  HAPAX_CHECK(request.method != "GET" || calls.mutations == 0, "a read changes nothing");
}

}  // namespace
}  // namespace hapax::openstack

// The input: method and identity, path, query, token, body, and the replies of the calls.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  using namespace hapax::openstack;
  static const compute::Catalog& catalog = *new compute::Catalog(compute::Catalog::BuiltIn());

  Input input(data, size);
  const uint8_t kind = input.Byte();
  constexpr const char* kMethods[] = {"GET", "POST", "DELETE", "PUT"};
  HttpRequest request{.method = kMethods[kind & 3U], .path = "/" + input.String(), .query = input.String()};
  if (const std::string token = input.String(); !token.empty()) request.headers.emplace_back("x-auth-token", token);
  if ((kind & 4U) != 0) request.headers.emplace_back("host", "nova:8774");
  if ((kind & 8U) != 0) request.headers.emplace_back("x-client-token", "T");
  request.body = input.LongString();
  const OpenStackDoor door(Options{
      .catalog = catalog, .default_region = "us-east-1", .identity = static_cast<Identity>(((kind >> 4U) & 3U) % 3U)});
  if (!door.IsFor(request)) return 0;
  FuzzedCalls calls(input.Rest());
  int replies = 0;
  door.Serve(request, calls, [&](const HttpReply& reply) {
    ++replies;
    Check(request, reply, calls);
  });
  HAPAX_CHECK(replies == 1, "a request has one reply");
  return 0;
}
