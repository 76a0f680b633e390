#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/interceptors/faulty_store.h"
#include "hapax/tests/interceptors/store_hold.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// What becomes of calls when the store fails (C18), or runs a transaction's body more than once.
namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class IdempotencyStoreTest : public ChainTest {
 protected:
  Answer Place(const std::string& item, const std::string& token) {
    return faulty_chain_.Call(service_.place_order(), OrderOf(item, token));
  }
  // The same past the faults.
  Answer PlaceSoundly(const std::string& item, const std::string& token) {
    return chain_.Call(service_.place_order(), OrderOf(item, token));
  }

  std::vector<std::string> Orders() { return DurableOrders(*store_); }

  // Changes the only row of the token table.
  void ChangeTokenRow(const std::function<void(const std::string& key, std::string& value)>& change) {
    absl::Notification changed;
    store_->Execute(
        [&](Transaction& txn) {
          std::string row_key;
          std::string row_value;
          const absl::Status status =
              txn.Scan(Table::kTokens, KeyRange(), [&](std::string_view key, std::string_view value) {
                row_key = key;
                row_value = value;
                return true;
              });
          change(row_key, row_value);
          txn.Put(Table::kTokens, row_key, row_value);
          return status;
        },
        [&](const absl::Status& status) {
          EXPECT_THAT(status, IsOk());
          changed.Notify();
        });
    changed.WaitForNotification();
  }

  FaultyStore faulty_{*store_};
  TestChain faulty_chain_{faulty_};
};

struct Fault {
  absl::Status status;
  Reason reason;
};

const Fault kFaults[] = {
    {absl::UnavailableError("000123.log: no space left"), Reason::kTokenStoreUnavailable},
    {absl::DataLossError("000123.sst: checksum mismatch"), Reason::kTokenRecordCorrupt},
    {absl::ResourceExhaustedError("000123 are waiting"), Reason::kOverloaded},
};

TEST_F(IdempotencyStoreTest, C18_ATokenThatCannotBeLookedUpIsNotExecuted) {
  for (const Fault& fault : kFaults) {
    faulty_.FailQueries(fault.status);
    const Answer answer = Place("pencil", "token");
    EXPECT_THAT(answer.status, HasReason(fault.reason));
    EXPECT_THAT(EverythingIn(answer.status), Not(HasSubstr("000123")));
  }
  EXPECT_EQ(service_.runs(), 0);
  faulty_.FailQueries(absl::OkStatus());
  EXPECT_EQ(Place("pencil", "token").result, "executed");
}

TEST_F(IdempotencyStoreTest, C18_WhatCannotBeWrittenIsNotAcknowledged) {
  for (const Fault& fault : kFaults) {
    faulty_.FailExecutions(fault.status);
    for (const char* token : {"token", ""}) {
      const Answer answer = Place("pencil", token);
      EXPECT_THAT(answer.status, HasReason(fault.reason));
      EXPECT_THAT(EverythingIn(answer.status), Not(HasSubstr("000123")));
    }
  }
  EXPECT_THAT(Orders(), IsEmpty());
  faulty_.FailExecutions(absl::OkStatus());
  EXPECT_EQ(Place("pencil", "token").result, "executed");
}

TEST_F(IdempotencyStoreTest, C27_OverloadSaysWhenToComeBack) {
  faulty_.FailExecutions(absl::ResourceExhaustedError("full"));
  EXPECT_TRUE(DetailOf<external::rpc::RetryInfo>(Place("pencil", "token").status).has_value());
}

TEST_F(IdempotencyStoreTest, C16_ARetryIsReplayedThoughNothingCanBeWritten) {
  const Answer first = Place("pencil", "token");
  faulty_.FailExecutions(absl::UnavailableError("no space left"));
  const Answer retry = Place("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
}

// store.h: what was written with UNAVAILABLE may yet turn out to be durable.
TEST_F(IdempotencyStoreTest, C15_ACommitThatWasReportedAsFailedIsReplayed) {
  faulty_.FailAfterCommit(absl::UnavailableError("the disk did not answer"));
  EXPECT_THAT(Place("pencil", "token").status, HasReason(Reason::kTokenStoreUnavailable));
  faulty_.FailAfterCommit(absl::OkStatus());
  const Answer retry = Place("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(Order(retry.bytes).order_number(), 1);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyStoreTest, C18_ADamagedRecordIsToldAndNeverExecutedAgain) {
  ASSERT_EQ(PlaceSoundly("pencil", "token").result, "executed");
  ChangeTokenRow([](const std::string&, std::string& value) { value.back() ^= 1; });
  for (const char* item : {"pencil", "eraser"}) {
    EXPECT_THAT(PlaceSoundly(item, "token").status, HasReason(Reason::kTokenRecordCorrupt));
  }
  EXPECT_EQ(service_.runs(), 1);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyStoreTest, C18_ARecordOfAnotherVersionIsToldUnlessTheBytesAreEqual) {
  ASSERT_EQ(PlaceSoundly("pencil", "token").result, "executed");
  ChangeTokenRow([](const std::string& key, std::string& value) {
    store::v1::TokenRecord record;
    ASSERT_THAT(DecodeRow(key, value, &record), IsOk());
    record.mutable_fingerprint()->set_version(kFingerprintVersion + 1);
    value = EncodeRow(key, record);
  });
  EXPECT_THAT(PlaceSoundly("eraser", "token").status, HasReason(Reason::kTokenRecordCorrupt));
  EXPECT_EQ(PlaceSoundly("pencil", "token").result, "replayed");
  EXPECT_EQ(service_.runs(), 1);
}

TEST_F(IdempotencyStoreTest, ARealStoreThatIsFullRefusesAndTheTokenStaysFree) {
  const TempDir dir;
  const std::unique_ptr<Store> store = OpenRocksDbStore({.path = dir.Path("data"), .max_waiting = 1}).value();
  const TestChain chain(*store);
  FakeCall waiting(service_.place_order(), OrderOf("pencil", "one"));
  {
    StoreHold hold(*store);
    chain.Run(waiting);
    EXPECT_FALSE(waiting.ended());
    EXPECT_THAT(chain.Call(service_.place_order(), OrderOf("pen", "two")).status, HasReason(Reason::kOverloaded));
  }
  EXPECT_EQ(AnswerTo(waiting).result, "executed");
  EXPECT_EQ(chain.Call(service_.place_order(), OrderOf("pen", "two")).result, "executed");
  EXPECT_THAT(DurableOrders(*store), ElementsAre("1 pencil", "2 pen"));
}

TEST_F(IdempotencyStoreTest, OfABodyThatRunsTwiceTheLastRunCounts) {
  faulty_.RunBodiesTwice();
  const Answer answer = Place("pencil", "token");
  EXPECT_EQ(answer.result, "executed");
  EXPECT_EQ(service_.runs(), 2);
  EXPECT_EQ(Order(answer.bytes).order_number(), 2);
  EXPECT_THAT(Orders(), ElementsAre("2 pencil"));
  const Answer retry = Place("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, answer.bytes);
}

TEST_F(IdempotencyStoreTest, C3_SoItIsWithoutAToken) {
  faulty_.RunBodiesTwice();
  const Answer answer = Place("pencil", "");
  EXPECT_EQ(answer.result, "unprotected");
  EXPECT_EQ(Order(answer.bytes).order_number(), 2);
  EXPECT_THAT(Orders(), ElementsAre("2 pencil"));
}

TEST_F(IdempotencyStoreTest, SoItIsWithPreparationWhichIsDoneOnce) {
  faulty_.RunBodiesTwice();
  const Answer answer = faulty_chain_.Call(service_.engrave_order(), OrderOf("pencil", "token"));
  EXPECT_EQ(Order(answer.bytes).engraving(), "engraved: pencil");
  EXPECT_EQ(service_.prepare_threads().size(), 1);
  EXPECT_EQ(service_.runs(), 2);
}

TEST_F(IdempotencyStoreTest, C11_ADuplicateBetweenTwoRunsIsTheOneThatIsReplayed) {
  Answer between;
  faulty_.RunBodiesTwice([&] { between = PlaceSoundly("pencil", "token"); });
  const Answer answer = Place("pencil", "token");
  EXPECT_EQ(between.result, "executed");
  EXPECT_EQ(answer.result, "replayed");
  EXPECT_EQ(answer.bytes, between.bytes);
  EXPECT_THAT(Orders(), ElementsAre("2 pencil"));  // The first run was in vain.
}

TEST_F(IdempotencyStoreTest, C10_OtherParametersBetweenTwoRunsAreAMismatch) {
  faulty_.RunBodiesTwice([&] { EXPECT_EQ(PlaceSoundly("eraser", "token").result, "executed"); });
  const Answer answer = Place("pencil", "token");
  EXPECT_THAT(answer.status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(Orders(), ElementsAre("2 eraser"));
}

// The store's errors are the store's also when they come through a handler, and nothing else is.
TEST_F(IdempotencyStoreTest, C18_WhatAHandlerReadsAndIsDamagedIsTheStores) {
  service_.handler_hook = [](const CallContext&, Transaction& txn) {
    txn.Put(Table::kResources, "torn", "x");
    return GetRow<store::v1::TokenRecord>(txn, Table::kResources, "torn").status();
  };
  EXPECT_THAT(Place("pencil", "token").status, HasReason(Reason::kTokenRecordCorrupt));
}

TEST_F(IdempotencyStoreTest, C12_AnErrorInTheLastRunLeavesNothing) {
  service_.handler_hook = [&](const CallContext&, Transaction&) {
    return service_.runs() == 2 ? absl::InternalError("broken") : absl::OkStatus();
  };
  faulty_.RunBodiesTwice();
  EXPECT_EQ(Place("pencil", "token").status, absl::InternalError("broken"));
  EXPECT_THAT(Orders(), IsEmpty());
  EXPECT_EQ(Place("pencil", "token").result, "executed");
}

TEST_F(IdempotencyStoreTest, C12_AnErrorInAnEarlierRunCountsForNothing) {
  service_.handler_hook = [&](const CallContext&, Transaction&) {
    return service_.runs() == 1 ? absl::InternalError("broken") : absl::OkStatus();
  };
  faulty_.RunBodiesTwice();
  EXPECT_EQ(Place("pencil", "token").result, "executed");
  EXPECT_THAT(Orders(), ElementsAre("2 pencil"));
}

}  // namespace
}  // namespace hapax
