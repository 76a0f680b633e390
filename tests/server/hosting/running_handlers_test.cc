#include "hapax/server/hosting/running_handlers.h"

#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RunningHandler, IsNamedWhileItExists) {
  const std::string name = "one";
  const std::string other = "two";
  EXPECT_THAT(RunningAmong({&name, &other}), IsEmpty());
  {
    const RunningHandler running(name);
    EXPECT_THAT(RunningAmong({&name, &other}), ElementsAre(&name));
    EXPECT_THAT(RunningAmong({&other}), IsEmpty());
  }
  EXPECT_THAT(RunningAmong({&name, &other}), IsEmpty());
}

TEST(RunningHandler, WithinAnotherItIsTheOneThatRuns) {
  const std::string outer_name = "outer";
  const std::string inner_name = "inner";
  const RunningHandler outer(outer_name);
  {
    const RunningHandler inner(inner_name);
    EXPECT_THAT(RunningAmong({&outer_name, &inner_name}), ElementsAre(&inner_name));
  }
  EXPECT_THAT(RunningAmong({&outer_name, &inner_name}), ElementsAre(&outer_name));
}

TEST(RunningHandler, IsSeenFromOtherThreads) {
  const std::string name = "one";
  for (int i = 0; i < 3; ++i) {
    absl::Notification runs;
    absl::Notification ends;
    std::thread thread([&] {
      const RunningHandler running(name);
      runs.Notify();
      ends.WaitForNotification();
    });
    runs.WaitForNotification();
    EXPECT_THAT(RunningAmong({&name}), ElementsAre(&name));
    ends.Notify();
    thread.join();
    EXPECT_THAT(RunningAmong({&name}), IsEmpty());
  }
}

}  // namespace
}  // namespace hapax
