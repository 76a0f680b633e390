#ifndef HAPAX_TESTS_SERVER_DOORS_YANDEX_DOOR_FIXTURE_H_
#define HAPAX_TESTS_SERVER_DOORS_YANDEX_DOOR_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/yandex/yandex_door.h"
#include "hapax/server/http/door.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/chain_door_calls.h"
#include "hapax/tests/server/support/json_at.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::yandex {

// A reply as a test looks at it.
struct RestReply {
  HttpReply http;

  [[nodiscard]] std::string Header(std::string_view name) const {
    for (const auto& [header, value] : http.headers) {
      if (header == name) return value;
    }
    return "";
  }
  // Such as "200 executed", or "404 INSTANCE_NOT_FOUND never".
  [[nodiscard]] std::string Result() const {
    if (http.status == 200) return absl::StrCat("200 ", Header("hapax-outcome"));
    return absl::StrCat(http.status, " ", Reason(), " ", Header("hapax-retry"));
  }
  // Of google.rpc.ErrorInfo, which is anywhere among the details.
  [[nodiscard]] std::string Reason() const {
    for (const char* const path : {"details.0.reason", "details.1.reason", "details.2.reason"}) {
      if (const std::string reason = At(path); reason != "(none)") return reason;
    }
    return "(none)";
  }
  [[nodiscard]] std::string At(std::string_view path) const { return JsonAt(http.body, path); }
};

// A door before the real chain, the compute service and its operations, with the catalog of TestCompute.
class DoorFixture : public ::testing::Test {
 protected:
  static constexpr char kInstances[] = "/compute/v1/instances";

  [[nodiscard]] RestReply Send(HttpRequest request) {
    request.headers.emplace_back("x-tenant-id", tenant_);
    EXPECT_TRUE(door_.IsFor(request)) << request.path;
    std::optional<HttpReply> reply;
    door_.Serve(request, calls_, [&reply](HttpReply sent) {
      EXPECT_FALSE(reply.has_value()) << "a second reply";
      reply = std::move(sent);
    });
    EXPECT_TRUE(reply.has_value()) << "no reply";
    return {.http = reply.value_or(HttpReply())};
  }
  [[nodiscard]] RestReply Get(const std::string& path, const std::string& query = "") {
    return Send({.method = "GET", .path = path, .query = query});
  }
  [[nodiscard]] RestReply Delete(const std::string& id, const std::string& token = "") {
    return Send({.method = "DELETE", .path = absl::StrCat(kInstances, "/", id), .prefix_token = token});
  }
  // Without a token, header Idempotency-Key is not sent.
  [[nodiscard]] RestReply Post(const std::string& path, const std::string& body, const std::string& token = "") {
    HttpHeaders headers;
    if (!token.empty()) headers.emplace_back("idempotency-key", token);
    return Send({.method = "POST", .path = path, .headers = std::move(headers), .body = body});
  }
  // `verb` is "start" or "stop".
  [[nodiscard]] RestReply Change(const std::string& id, const std::string& verb, const std::string& token = "") {
    return Post(absl::StrCat(kInstances, "/", id, ":", verb), "", token);
  }
  [[nodiscard]] RestReply Operation(const std::string& id) { return Get("/operations/" + id); }

  // The body of a launch, with more fields, each followed by a comma.
  [[nodiscard]] static std::string Launch(const std::string& more = "") {
    return "{" + more + R"("boot_disk_spec": {"disk_spec": {"image_id": "ami-1"}}})";
  }
  // An instance that is up, and its id.
  [[nodiscard]] std::string RunningId(const std::string& more = "") {
    const std::string id = Post(kInstances, Launch(more)).At("metadata.instanceId");
    compute_.FinishBoots();
    return id;
  }
  [[nodiscard]] std::string StatusOf(const std::string& id) {
    return Get(absl::StrCat(kInstances, "/", id)).At("status");
  }
  [[nodiscard]] compute::v1::Instance OnlyInstance() {
    const auto all = compute_.DescribeInstances({}, tenant_);
    EXPECT_EQ(all->instances_size(), 1);
    return all->instances(0);
  }
  [[nodiscard]] int CountInstances() { return compute_.DescribeInstances({}, tenant_)->instances_size(); }

  [[nodiscard]] static std::unique_ptr<HostedService> Compiled(std::unique_ptr<HostedService> service) {
    EXPECT_THAT(service->Compile(), IsOk());
    return service;
  }

  std::string tenant_ = "alice";
  compute::TestCompute compute_;
  OperationWaiters waiters_{/*max_waiting=*/1};
  const OperationsService operations_service_{compute_.store(), waiters_, absl::InfiniteDuration()};
  const std::unique_ptr<HostedService> operations_ = Compiled(operations_service_.Host());
  const compute::Catalog catalog_ = compute::Catalog::Parse(compute::SmallCatalog().DebugString()).value();
  const ChainClient chain_{compute_.store(), compute_.clock(), {&compute_.hosted(), operations_.get()}};
  ChainDoorCalls calls_{chain_, {&compute_.hosted(), operations_.get()}};
  const YandexDoor door_{catalog_};
};

}  // namespace hapax::yandex

#endif  // HAPAX_TESTS_SERVER_DOORS_YANDEX_DOOR_FIXTURE_H_
