#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/store_hold.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"

// Duplicates at the same time (C11): the effects are the rows that are there, and a reply tells by its
// order number which run of the handler made it.
namespace hapax {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;
using tests::v1::PlaceOrderRequest;

constexpr int kDuplicates = 64;

class IdempotencyDuplicatesTest : public ChainTest {
 protected:
  // The answers to these calls, each made by a thread of its own, all at the same time.
  std::vector<Answer> CallAtOnce(const TestChain& chain, const Method& method,
                                 const std::vector<PlaceOrderRequest>& requests) {
    std::vector<Answer> answers(requests.size());
    absl::Barrier all_at_once(static_cast<int>(requests.size()));
    std::vector<std::thread> threads;
    for (size_t i = 0; i < requests.size(); ++i) {
      threads.emplace_back([&, i] {
        FakeCall call(method, requests[i]);
        all_at_once.Block();
        answers[i] = chain.Call(call);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return answers;
  }

  static std::map<std::string, int> CountResults(const std::vector<Answer>& answers) {
    std::map<std::string, int> counts;
    for (const Answer& answer : answers) ++counts[answer.result];
    return counts;
  }

  static std::set<std::string> DistinctReplies(const std::vector<Answer>& answers) {
    std::set<std::string> replies;
    for (const Answer& answer : answers) {
      if (answer.status.ok()) replies.insert(answer.bytes);
    }
    return replies;
  }
};

const std::vector<PlaceOrderRequest> kSame(kDuplicates, OrderOf("pencil", "token"));

TEST_F(IdempotencyDuplicatesTest, C11_OneMakesTheEffectAndAllGetTheSameBytes) {
  const std::vector<Answer> answers = CallAtOnce(chain_, service_.place_order(), kSame);
  EXPECT_THAT(CountResults(answers), ElementsAre(Pair("executed", 1), Pair("replayed", kDuplicates - 1)));
  EXPECT_EQ(DistinctReplies(answers).size(), 1);
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

// Here every one of them finds the token free when it looks it up, so that the transactions decide.
TEST_F(IdempotencyDuplicatesTest, C11_SoItIsWhenAllFoundTheTokenFree) {
  std::vector<std::unique_ptr<FakeCall>> calls;
  {
    StoreHold hold(*store_);
    for (const PlaceOrderRequest& request : kSame) {
      calls.push_back(std::make_unique<FakeCall>(service_.place_order(), request));
      chain_.Run(*calls.back());
      EXPECT_FALSE(calls.back()->ended());
    }
  }
  std::vector<Answer> answers;
  for (const auto& call : calls) answers.push_back(AnswerTo(*call));
  EXPECT_THAT(CountResults(answers), ElementsAre(Pair("executed", 1), Pair("replayed", kDuplicates - 1)));
  EXPECT_EQ(DistinctReplies(answers).size(), 1);
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyDuplicatesTest, C11_SoItIsWithPreparation) {
  const TestChain chain(*store_, {.worker_threads = 4, .max_waiting_work = 2 * kDuplicates});
  const std::vector<Answer> answers = CallAtOnce(chain, service_.engrave_order(), kSame);
  EXPECT_THAT(CountResults(answers), ElementsAre(Pair("executed", 1), Pair("replayed", kDuplicates - 1)));
  EXPECT_EQ(DistinctReplies(answers).size(), 1);
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyDuplicatesTest, C10_OfDifferentParametersAtOnceOneWinsAndTheOthersAreMismatches) {
  std::vector<PlaceOrderRequest> requests;
  for (int i = 0; i < kDuplicates; ++i) requests.push_back(OrderOf(i % 2 == 0 ? "pencil" : "eraser", "token"));
  const std::vector<Answer> answers = CallAtOnce(chain_, service_.place_order(), requests);
  EXPECT_THAT(CountResults(answers), UnorderedElementsAre(Pair("executed", 1), Pair("replayed", kDuplicates / 2 - 1),
                                                          Pair("IDEMPOTENT_PARAMETER_MISMATCH", kDuplicates / 2)));
  EXPECT_EQ(DistinctReplies(answers).size(), 1);
  EXPECT_EQ(DurableOrders(*store_).size(), 1);
}

TEST_F(IdempotencyDuplicatesTest, DifferentTokensAtOnceAreAllExecuted) {
  std::vector<PlaceOrderRequest> requests;
  for (int i = 0; i < kDuplicates; ++i) requests.push_back(OrderOf("pencil", absl::StrCat("token-", i)));
  const std::vector<Answer> answers = CallAtOnce(chain_, service_.place_order(), requests);
  EXPECT_THAT(CountResults(answers), ElementsAre(Pair("executed", kDuplicates)));
  EXPECT_EQ(DistinctReplies(answers).size(), kDuplicates);
  EXPECT_EQ(DurableOrders(*store_).size(), kDuplicates);
}

// C12 among duplicates: those that fail leave the token to the next.
TEST_F(IdempotencyDuplicatesTest, C12_WhenTheFirstOnesFailTheNextOneMakesTheEffect) {
  constexpr int kFailures = 3;
  service_.handler_hook = [this](const CallContext&, Transaction&) {
    return service_.runs() <= kFailures ? absl::InternalError("broken") : absl::OkStatus();
  };
  const std::vector<Answer> answers = CallAtOnce(chain_, service_.place_order(), kSame);
  EXPECT_THAT(CountResults(answers), UnorderedElementsAre(Pair("INTERNAL", kFailures), Pair("executed", 1),
                                                          Pair("replayed", kDuplicates - kFailures - 1)));
  EXPECT_EQ(DistinctReplies(answers).size(), 1);
  EXPECT_EQ(service_.runs(), kFailures + 1);
  EXPECT_THAT(DurableOrders(*store_), ElementsAre("4 pencil"));
}

}  // namespace
}  // namespace hapax
