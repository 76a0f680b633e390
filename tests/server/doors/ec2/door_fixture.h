#ifndef HAPAX_TESTS_SERVER_DOORS_EC2_DOOR_FIXTURE_H_
#define HAPAX_TESTS_SERVER_DOORS_EC2_DOOR_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/ec2/ec2_door.h"
#include "hapax/server/http/door.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/chain_door_calls.h"
#include "hapax/tests/server/support/test_compute.h"

namespace hapax::ec2 {

// A reply as a test looks at it.
struct Ec2Reply {
  HttpReply http;

  [[nodiscard]] std::string Header(std::string_view name) const {
    for (const auto& [header, value] : http.headers) {
      if (header == name) return value;
    }
    return "";
  }
  // The text of the first element of that name; empty if there is none.
  [[nodiscard]] std::string Text(const std::string& name) const {
    const std::string open = "<" + name + ">";
    const size_t begin = http.body.find(open);
    if (begin == std::string::npos) return "";
    const size_t end = http.body.find("</" + name + ">", begin);
    return http.body.substr(begin + open.size(), end - begin - open.size());
  }
  [[nodiscard]] int Count(const std::string& text) const {
    int count = 0;
    for (size_t at = 0; (at = http.body.find(text, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  // The body without what differs each time.
  [[nodiscard]] std::string Body() const {
    std::string body = http.body;
    const std::string id = Header("x-amzn-requestid");
    if (const size_t at = body.find(id); at != std::string::npos) body.replace(at, id.size(), "ID");
    return body;
  }
  // Such as "400 InvalidAction"; of a success "200 " and its outcome.
  [[nodiscard]] std::string Result() const {
    return absl::StrCat(http.status, " ", http.status == 200 ? Header("hapax-outcome") : Text("Code"));
  }
};

// A door before the real chain and the compute service, with the catalog of TestCompute.
class DoorFixture : public ::testing::Test {
 protected:
  DoorFixture() { Open({}); }

  void Open(Ec2Options options) { door_ = Ec2Door::Create(std::move(options), catalog_, compute_.clock()).value(); }

  [[nodiscard]] Ec2Reply Send(const HttpRequest& request) {
    std::optional<HttpReply> reply;
    door_->Serve(request, calls_, [&reply](HttpReply sent) {
      EXPECT_FALSE(reply.has_value()) << "a second reply";
      reply = std::move(sent);
    });
    EXPECT_TRUE(reply.has_value()) << "no reply";
    return {.http = reply.value_or(HttpReply())};
  }
  // POST of "/" with this form.
  [[nodiscard]] Ec2Reply Post(const std::string& form, HttpHeaders headers = {}) {
    headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    return Send({.method = "POST", .target = "/", .path = "/", .headers = std::move(headers), .body = form});
  }
  [[nodiscard]] Ec2Reply Get(const std::string& query, HttpHeaders headers = {}) {
    return Send({.method = "GET", .target = "/?" + query, .path = "/", .query = query, .headers = std::move(headers)});
  }
  // A signed request of the key id for the region; the signature is wrong.
  [[nodiscard]] static HttpHeaders SignedFor(const std::string& id, const std::string& region) {
    return {{"x-amz-date", "20260101T000000Z"},
            {"authorization", absl::StrCat("AWS4-HMAC-SHA256 Credential=", id, "/20260101/", region,
                                           "/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")}};
  }
  [[nodiscard]] int CountInstances() { return Post("Action=DescribeInstances").Count("<instanceId>"); }

  compute::TestCompute compute_;
  const compute::Catalog catalog_ = compute::Catalog::Parse(compute::SmallCatalog().DebugString()).value();
  const ChainClient chain_{compute_.store(), compute_.clock(), {&compute_.hosted()}};
  ChainDoorCalls calls_{chain_, {&compute_.hosted()}};
  std::unique_ptr<Ec2Door> door_;
};

}  // namespace hapax::ec2

#endif  // HAPAX_TESTS_SERVER_DOORS_EC2_DOOR_FIXTURE_H_
