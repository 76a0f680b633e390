#ifndef HAPAX_TESTS_SERVER_DOORS_OPENSTACK_DOOR_FIXTURE_H_
#define HAPAX_TESTS_SERVER_DOORS_OPENSTACK_DOOR_FIXTURE_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/openstack/openstack_door.h"
#include "hapax/server/http/door.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/chain_door_calls.h"
#include "hapax/tests/server/support/json_at.h"
#include "hapax/tests/server/support/test_compute.h"

namespace hapax::openstack {

// A reply as a test looks at it.
struct NovaReply {
  HttpReply http;

  [[nodiscard]] std::string Header(std::string_view name) const {
    for (const auto& [header, value] : http.headers) {
      if (header == name) return value;
    }
    return "";
  }
  // Such as "202 executed", or "409 conflictingRequest".
  [[nodiscard]] std::string Result() const {
    if (http.status < 300) return absl::StrCat(http.status, " ", Header("hapax-outcome"));
    return absl::StrCat(http.status, " ", http.body.substr(2, http.body.find('"', 2) - 2));
  }
  [[nodiscard]] std::string At(std::string_view path) const { return JsonAt(http.body, path); }
};

// A door before the real chain and the compute service, with the catalog of TestCompute. The caller's token is the
// project `alice`.
class DoorFixture : public ::testing::Test {
 protected:
  [[nodiscard]] NovaReply Send(HttpRequest request) {
    request.headers.emplace_back("host", "nova:8774");
    request.headers.emplace_back("x-auth-token", project_);
    EXPECT_TRUE(door_.IsFor(request)) << request.path;
    std::optional<HttpReply> reply;
    door_.Serve(request, calls_, [&reply](HttpReply sent) {
      EXPECT_FALSE(reply.has_value()) << "a second reply";
      reply = std::move(sent);
    });
    EXPECT_TRUE(reply.has_value()) << "no reply";
    return {.http = reply.value_or(HttpReply())};
  }
  [[nodiscard]] NovaReply Get(const std::string& path, const std::string& query = "") {
    return Send({.method = "GET", .target = path, .path = path, .query = query});
  }
  [[nodiscard]] NovaReply Delete(const std::string& path, const std::string& token = "") {
    return Send({.method = "DELETE", .target = path, .path = path, .prefix_token = token});
  }
  [[nodiscard]] NovaReply Post(const std::string& path, const std::string& body, HttpHeaders headers = {},
                               const std::string& token = "") {
    return Send({.method = "POST",
                 .target = path,
                 .path = path,
                 .prefix_token = token,
                 .headers = std::move(headers),
                 .body = body});
  }
  // The body of a launch, with more fields of the server, each followed by a comma.
  [[nodiscard]] static std::string Launch(const std::string& more = "") {
    return R"({"server": {)" + more + R"("name": "web", "imageRef": "ami-1", "flavorRef": "m5.large"}})";
  }
  [[nodiscard]] std::string LaunchedId(const std::string& more = "") {
    return Post("/v2.1/servers", Launch(more)).At("server.id");
  }
  [[nodiscard]] size_t CountInstances() { return compute_.DescribeInstances({}, project_)->instances_size(); }

  std::string project_ = "alice";
  compute::TestCompute compute_;
  const compute::Catalog catalog_ = compute::Catalog::Parse(compute::SmallCatalog().DebugString()).value();
  const ChainClient chain_{compute_.store(), compute_.clock(), {&compute_.hosted()}};
  ChainDoorCalls calls_{chain_, {&compute_.hosted()}};
  const OpenStackDoor door_{Options{.catalog = catalog_, .default_region = "us-east-1"}};
};

}  // namespace hapax::openstack

#endif  // HAPAX_TESTS_SERVER_DOORS_OPENSTACK_DOOR_FIXTURE_H_
