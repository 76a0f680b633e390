#include "hapax/server/http/status_door.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"

namespace hapax {
namespace {

using testing::HasSubstr;

class NoCalls final : public DoorCalls {
 public:
  void Run(const HttpRequest& /*origin*/, DoorCall /*call*/, Done /*done*/) override { FAIL() << "it calls nothing"; }
};

HttpReply Ask(const StatusDoor& door, const std::string& path, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.path = path;
  EXPECT_TRUE(door.IsFor(request)) << path;
  NoCalls calls;
  HttpReply got;
  door.Serve(request, calls, [&got](HttpReply reply) { got = std::move(reply); });
  return got;
}

TEST(StatusDoorTest, TheServerIsReadyUntilItsStoreHasStoppedOrItStops) {
  const auto metrics = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("things_total").Help("Things.").Register(*metrics).Add({}).Increment(3);
  absl::Status store;
  StatusDoor door(metrics, [&store] { return store; });
  EXPECT_THAT(Ask(door, "/metrics").body, HasSubstr("\nthings_total 3\n"));
  EXPECT_EQ(Ask(door, "/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(Ask(door, "/metrics", "DELETE").status, 405);
  EXPECT_EQ(Ask(door, "/readyz").body, "ok\n");

  store = absl::FailedPreconditionError("the store has stopped");
  EXPECT_EQ(Ask(door, "/readyz").status, 503);
  EXPECT_EQ(Ask(door, "/readyz").body, "the store has stopped\n");
  EXPECT_EQ(Ask(door, "/healthz").status, 200);

  store = absl::OkStatus();
  EXPECT_EQ(Ask(door, "/readyz", "HEAD").status, 200);
  door.AnnounceShutdown();
  EXPECT_EQ(Ask(door, "/readyz").status, 503);
  EXPECT_EQ(Ask(door, "/healthz").status, 200);
}

}  // namespace
}  // namespace hapax
