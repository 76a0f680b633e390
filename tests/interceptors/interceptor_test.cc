#include "hapax/interceptors/interceptor.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::ElementsAre;

// Notes that it was reached, and does with the call what the test says.
class Link final : public UnaryInterceptor {
 public:
  using Action = std::function<void(UnaryCall&, Next)>;
  Link(std::string name, std::vector<std::string>* reached, Action action)
      : name_(std::move(name)), reached_(*reached), action_(std::move(action)) {}
  void Intercept(UnaryCall& call, Next next) override {
    reached_.push_back(name_);
    action_(call, next);
  }

 private:
  const std::string name_;
  std::vector<std::string>& reached_;
  const Action action_;
};

class ChainOrderTest : public testing::Test {
 protected:
  // A chain of links "first", "second", and so on, that do these things.
  Chain MakeChain(const std::vector<Link::Action>& actions) {
    std::vector<std::string> names = {"first", "second", "third"};
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    for (size_t i = 0; i < actions.size(); ++i) {
      links.push_back(std::make_unique<Link>(names[i], &reached_, actions[i]));
    }
    return Chain(std::move(links));
  }

  static void PassOn(UnaryCall& call, Next next) { next(call); }
  static void End(UnaryCall& call, Next /*next*/) { call.Finish("end"); }

  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  FakeCall call_{method_, ""};
  std::vector<std::string> reached_;
};

TEST_F(ChainOrderTest, LinksAreReachedInTheirOrder) {
  MakeChain({PassOn, PassOn, End}).Run(call_);
  EXPECT_THAT(reached_, ElementsAre("first", "second", "third"));
  EXPECT_EQ(call_.Reply().value(), "end");
}

TEST_F(ChainOrderTest, ALinkThatEndsTheCallIsTheLastOneReached) {
  MakeChain({PassOn, End, End}).Run(call_);
  EXPECT_THAT(reached_, ElementsAre("first", "second"));
}

TEST_F(ChainOrderTest, ALinkMayPassTheCallOnLaterFromAnotherThread) {
  std::optional<Next> kept;
  const Chain chain = MakeChain({[&](UnaryCall&, Next next) { kept = next; }, PassOn, End});
  chain.Run(call_);
  EXPECT_THAT(reached_, ElementsAre("first"));
  EXPECT_FALSE(call_.ended());
  std::thread([&] { (*kept)(call_); }).join();
  EXPECT_THAT(reached_, ElementsAre("first", "second", "third"));
  EXPECT_TRUE(call_.ended());
}

}  // namespace
}  // namespace hapax
