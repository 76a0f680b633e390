#include "hapax/server/hosting/handler_watch.h"

#include <memory>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "spdlog/sinks/ostream_sink.h"

namespace hapax {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(HandlerWatchTest, ASlowHandlerIsLoggedAndCounted) {
  std::ostringstream log;
  spdlog::logger logger("log", std::make_shared<spdlog::sinks::ostream_sink_mt>(log));
  prometheus::Registry registry;
  const HandlerWatch watch(registry, logger);
  watch.OnEnd("mutation of a.S/Quick", absl::Milliseconds(100));
  EXPECT_THAT(log.str(), IsEmpty());
  watch.OnEnd("mutation of a.S/Slow", absl::Milliseconds(101));
  watch.OnEnd("mutation of a.S/Slow", absl::Seconds(3));
  EXPECT_THAT(log.str(), HasSubstr("the mutation of a.S/Slow took 3.000 s"));
  EXPECT_THAT(prometheus::TextSerializer().Serialize(registry.Collect()),
              HasSubstr("hapax_slow_handlers_total{handler=\"mutation of a.S/Slow\"} 2"));
}

}  // namespace
}  // namespace hapax
