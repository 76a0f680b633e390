// Requests of Yandex Cloud's API, by HTTP and by gRPC: one reply each, an object of JSON or a message of the method,
// whatever the calls behind it answer.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "hapax/base/check.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/yandex/translation.h"
#include "hapax/server/doors/yandex/yandex_door.h"
#include "hapax/tests/fuzz/fuzzed_door_calls.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax::yandex {
namespace {

const compute::Catalog& TheCatalog() {
  static const compute::Catalog& catalog = *new compute::Catalog(compute::Catalog::BuiltIn());
  return catalog;
}

void RunRest(const HttpRequest& request, FuzzedDoorCalls& calls) {
  static const YandexDoor& door = *new YandexDoor(TheCatalog());
  if (!door.IsFor(request)) return;
  int replies = 0;
  door.Serve(request, calls, [&](const HttpReply& reply) {
    ++replies;
    HAPAX_CHECK(reply.status == 200 || (reply.status >= 400 && reply.status < 600), "a reply has a status");
    google::protobuf::Struct body;
    HAPAX_CHECK(google::protobuf::util::JsonStringToMessage(reply.body, &body).ok(), "a body is an object of JSON");
    HAPAX_CHECK((reply.status == 200) == !HasHeader(reply, "hapax-retry"), "an error tells what to do next");
    HAPAX_CHECK(!HasHeader(reply, "hapax-outcome") || calls.effects > 0, "only an effect has an outcome");
    HAPAX_CHECK(request.method != "GET" || calls.mutations == 0, "a read changes nothing");
  });
  HAPAX_CHECK(replies == 1, "a request has one reply");
}

void RunGrpc(const TranslatedMethod& method, const std::string& request, FuzzedDoorCalls& calls) {
  constexpr int kMaxSteps = 5;
  TranslationStep step = method.begin(request);
  HAPAX_CHECK(!step.is_end() || !step.end.ok(), "a translation makes a call, or fails");
  HAPAX_CHECK(step.is_end() || step.method == method.first_method, "the first call is of the first method");
  for (int steps = 0; !step.is_end(); ++steps) {
    HAPAX_CHECK(steps < kMaxSteps, "a translation ends");
    DoorReply answer = calls.Answer(step.method, step.request);
    step = std::move(step.then)(std::move(answer.reply));
  }
  if (!step.end.ok()) return;
  const std::string name = absl::StrReplaceAll(method.name, {{"/", "."}});
  const auto* const descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  HAPAX_CHECK(descriptor != nullptr, "a translated method is in the protos");
  const std::unique_ptr<google::protobuf::Message> reply(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor->output_type())->New());
  HAPAX_CHECK(reply->ParseFromString(*step.end), "a translation ends with a message of the method");
}

}  // namespace
}  // namespace hapax::yandex

// The input: a byte, then either path, query and body, or a serialized request; and the replies of the calls.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  using namespace hapax::yandex;
  static const auto& methods = *new std::vector<TranslatedMethod>(TranslatedMethods(TheCatalog()));

  Input input(data, size);
  const uint8_t kind = input.Byte();
  if ((kind & 4U) != 0) {
    const TranslatedMethod& method = methods[(kind >> 3U) % methods.size()];
    const std::string request = input.LongString();
    FuzzedDoorCalls calls(input.Rest());
    RunGrpc(method, request, calls);
    HAPAX_CHECK(calls.effects <= 1, "a request has one effect at most");
    return 0;
  }
  constexpr const char* kMethods[] = {"GET", "POST", "DELETE", "PUT"};
  HttpRequest request{.method = kMethods[kind & 3U], .path = "/" + input.String(), .query = input.String()};
  if ((kind & 8U) != 0) request.headers.emplace_back("idempotency-key", "T");
  request.body = input.LongString();
  FuzzedDoorCalls calls(input.Rest());
  RunRest(request, calls);
  HAPAX_CHECK(calls.effects <= 1, "a request has one effect at most");
  return 0;
}
