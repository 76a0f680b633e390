// Requests of OpenStack's API: one reply each, an object of JSON or nothing, whatever the calls behind it answer.
#include <string>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "hapax/base/check.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/openstack/openstack_door.h"
#include "hapax/tests/fuzz/fuzzed_door_calls.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax::openstack {
namespace {

void Check(const HttpRequest& request, const HttpReply& reply, const FuzzedDoorCalls& calls) {
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
  FuzzedDoorCalls calls(input.Rest());
  int replies = 0;
  door.Serve(request, calls, [&](const HttpReply& reply) {
    ++replies;
    Check(request, reply, calls);
  });
  HAPAX_CHECK(replies == 1, "a request has one reply");
  return 0;
}
