#include "hapax/tests/server/support/stepped_driver.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

constexpr char kStepped[] = "test.stepped";

// Its first performances are UNAVAILABLE.
class DeferringDriver final : public WorkDriver {
 public:
  explicit DeferringDriver(int times) : left_(times) {}

  void Perform(const std::string& /*subject*/, Done done) override {
    const bool is_deferred = left_ > 0;
    if (is_deferred) --left_;
    std::move(done)(is_deferred ? absl::UnavailableError("not now") : absl::OkStatus());
  }
  [[nodiscard]] absl::Status Complete(const std::string& /*subject*/, const absl::Status& result,
                                      Transaction& /*txn*/) override {
    return result;
  }

 private:
  int left_;
};

// Tests count by these steps how much work is in flight.
TEST(SteppedDriverTest, WorkThatIsUnavailableAtFirstIsCommittedOnceAndCompletedOnce) {
  const TempDir dir;
  const ManualClock clock;
  const auto logger = NullLogger();
  const std::unique_ptr<Store> store = *OpenRocksDbStore({.path = dir.Path("data")});
  std::vector<WorkStep> steps;  // The queue never takes two steps of a piece at the same time.
  Completions completions;
  SteppedDriver<DeferringDriver> driver(
      kStepped, [&](std::string_view /*kind*/, WorkStep step) { steps.push_back(step); }, completions, /*times=*/2);
  WorkQueue queue(*store, clock, *logger,
                  {.sole_server = true, .retry_delay = absl::Milliseconds(1), .first_backoff = absl::Milliseconds(1)});
  queue.AddDriver(kStepped, "test.v1.Service", driver);
  ASSERT_THAT(Execute(*store, [&](Transaction& txn) { return queue.Schedule(txn, kStepped, "a"); }), IsOk());
  completions.Await(1);
  queue.Stop();
  EXPECT_THAT(steps, testing::ElementsAre(WorkStep::kCommitted, WorkStep::kCompleting, WorkStep::kCompleted));
}

}  // namespace
}  // namespace hapax
