#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/refusal_matchers.h"

// A tenant that may have two tokens stored.
namespace hapax {
namespace {

class IdempotencyQuotaTest : public ChainTest {
 protected:
  IdempotencyQuotaTest() : limited_(*store_, {.policy = {.max_tokens_per_tenant = 2}}) {}

  Answer Place(const std::string& item, const std::string& token) {
    return limited_.Call(service_.place_order(), OrderOf(item, token));
  }

  TestChain limited_;
};

TEST_F(IdempotencyQuotaTest, OneTokenMoreIsRefusedWithoutEffectAndStaysFree) {
  EXPECT_EQ(Place("pencil", "first").result, "executed");
  EXPECT_EQ(Place("pencil", "second").result, "executed");
  EXPECT_THAT(Place("pencil", "third").status, HasReason(Reason::kQuotaExceeded));
  EXPECT_EQ(service_.runs(), 2);
  EXPECT_EQ(chain_.Call(service_.place_order(), OrderOf("pen", "third")).result, "executed");
}

TEST_F(IdempotencyQuotaTest, C16_C21_WhatIsStoredIsLookedAtFirst) {
  const Answer first = Place("pencil", "first");
  EXPECT_EQ(Place("pencil", "second").result, "executed");
  const Answer retry = Place("pencil", "first");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
  EXPECT_EQ(Place("pen", "first").result, "IDEMPOTENT_PARAMETER_MISMATCH");
}

TEST_F(IdempotencyQuotaTest, ACallWithoutATokenTakesNone) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Place("pencil", "").result, "unprotected");
  EXPECT_EQ(Place("pencil", "token").result, "executed");
}

TEST_F(IdempotencyQuotaTest, C12_ACallThatFailsTakesNone) {
  service_.handler_hook = [](const CallContext&, Transaction&) { return absl::NotFoundError("no pencils"); };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Place("pencil", "token").result, "NOT_FOUND");
  service_.handler_hook = nullptr;
  EXPECT_EQ(Place("pencil", "first").result, "executed");
  EXPECT_EQ(Place("pencil", "second").result, "executed");
}

TEST_F(IdempotencyQuotaTest, C32_AReplyBeyondTheLimitOfBytesIsRefusedWithoutEffectAndTheTokenStaysFree) {
  TestChain narrow(*store_, {.policy = {.max_token_bytes_per_tenant = 100}});
  EXPECT_THAT(narrow.Call(service_.place_order(), OrderOf("pencil", "token")).status,
              HasReason(Reason::kQuotaExceeded));
  EXPECT_EQ(chain_.Call(service_.place_order(), OrderOf("pen", "token")).result, "executed");
}

TEST_F(IdempotencyQuotaTest, C16_C32_WhatIsStoredIsReplayedThoughNoMoreBytesAreTaken) {
  TestChain narrow(*store_, {.policy = {.max_token_bytes_per_tenant = 400}});
  EXPECT_EQ(narrow.Call(service_.place_order(), OrderOf("pencil", "first")).result, "executed");
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(narrow.Call(service_.place_order(), OrderOf("pencil", "more" + std::to_string(i))));
  }
  EXPECT_THAT(narrow.Call(service_.place_order(), OrderOf("pencil", "last")).status, HasReason(Reason::kQuotaExceeded));
  EXPECT_EQ(narrow.Call(service_.place_order(), OrderOf("pencil", "first")).result, "replayed");
}

}  // namespace
}  // namespace hapax
