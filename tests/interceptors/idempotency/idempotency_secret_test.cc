#include <string>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/blocking.h"
#include "hapax/tests/interceptors/durable_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/files.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

// Replies that hold a secret (C25): here the engraving, which is nowhere but in the reply.
namespace hapax {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;
using tests::v1::PlaceOrderRequest;

constexpr char kSecret[] = "engraved: ";  // What an engraving begins with.

class IdempotencySecretTest : public DurableChainTest {
 protected:
  Answer Seal(const std::string& item, const std::string& token) { return Call(service_.seal_order(), item, token); }

  // The values of the token table's rows.
  std::vector<std::string> RowValues() {
    std::vector<std::string> values;
    EXPECT_THAT(QueryAndWait(*store_,
                             [&](const ReadTransaction& txn) {
                               return txn.Scan(Table::kTokens, KeyRange(), [&](std::string_view, std::string_view row) {
                                 values.emplace_back(row);
                                 return true;
                               });
                             }),
                IsOk());
    return values;
  }

  // The answer to an order of that tenant, in that zone.
  Answer SealAs(const std::string& tenant, const std::string& zone, const std::string& token) {
    PlaceOrderRequest request = OrderOf("pencil", token);
    request.set_zone(zone);
    FakeCall call(service_.seal_order(), request);
    call.AddMetadata("x-tenant-id", tenant);
    return chain_->Call(call);
  }
};

TEST_F(IdempotencySecretTest, C25_AReplayIsByteIdentical) {
  const Answer first = Seal("pencil", "token");
  ASSERT_EQ(first.result, "executed");
  EXPECT_EQ(Order(first.bytes).engraving(), "engraved: pencil");
  for (const Upkeep upkeep : kAllUpkeep) {
    Do(upkeep);
    const Answer retry = Seal("pencil", "token");
    EXPECT_EQ(retry.result, "replayed");
    EXPECT_EQ(retry.bytes, first.bytes);
  }
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

// Both are prepared, since neither can know of the other.
TEST_F(IdempotencySecretTest, C25_OfDuplicatesAtOnceBothGetTheSameBytes) {
  absl::Barrier both(2);
  service_.prepare_hook = [&](const CallContext&) {
    both.Block();
    return absl::OkStatus();
  };
  FakeCall one(service_.seal_order(), OrderOf("pencil", "token"));
  FakeCall other(service_.seal_order(), OrderOf("pencil", "token"));
  chain_->Run(one);
  chain_->Run(other);
  EXPECT_THAT((std::vector{one.Result(), other.Result()}), UnorderedElementsAre("executed", "replayed"));
  EXPECT_EQ(AnswerTo(one).bytes, AnswerTo(other).bytes);
}

TEST_F(IdempotencySecretTest, C25_TheRecordDoesNotShowIt) {
  ASSERT_EQ(Call(service_.engrave_order(), "pen", "plain").result, "executed");
  EXPECT_THAT(RowValues(), ElementsAre(HasSubstr(kSecret)));
  clock_.Advance(absl::Hours(24 * 31));
  Compact();
  EXPECT_THAT(RowValues(), ElementsAre());
  ASSERT_EQ(Seal("pencil", "token").result, "executed");
  EXPECT_THAT(RowValues(), ElementsAre(Not(HasSubstr(kSecret))));
}

// A stolen data directory: whatever is in its files, in the log and in the tables.
TEST_F(IdempotencySecretTest, C25_NoFileOfTheDataDirectoryShowsIt) {
  ASSERT_EQ(Seal("pencil", "token").result, "executed");
  EXPECT_THAT(FilesIn(dir_.Path("data")), Contains(HasSubstr("SealOrder"))) << "the log";
  EXPECT_THAT(FilesIn(dir_.Path("data")), Each(Not(HasSubstr(kSecret))));
  Compact();
  EXPECT_THAT(FilesIn(dir_.Path("data")), Each(Not(HasSubstr(kSecret))));
  chain_.reset();
  store_.reset();
  EXPECT_THAT(FilesIn(dir_.Path("data")), Contains(HasSubstr("SealOrder"))) << "the table";
  EXPECT_THAT(FilesIn(dir_.Path("data")), Each(Not(HasSubstr(kSecret))));
}

// The same search finds a reply that is not sealed, in the log and in the tables.
TEST_F(IdempotencySecretTest, AReplyThatIsNotSecretIsInTheFiles) {
  ASSERT_EQ(Call(service_.engrave_order(), "pencil", "token").result, "executed");
  EXPECT_THAT(FilesIn(dir_.Path("data")), Contains(HasSubstr(kSecret)));
  Compact();
  chain_.reset();
  store_.reset();
  EXPECT_THAT(FilesIn(dir_.Path("data"), ".sst"), Contains(HasSubstr(kSecret)));
}

TEST_F(IdempotencySecretTest, C25_ARecordAtAnotherTokensPlaceIsDataLossAndNotExecuted) {
  ASSERT_EQ(Seal("pencil", "token").result, "executed");
  const auto record = Record(KeyOf("token"));
  ASSERT_TRUE(record.has_value());
  TokenKey key = KeyOf("other-token");
  PutRecord(key, *record);
  EXPECT_THAT(SealAs("default", "", "other-token").status, HasReason(Reason::kTokenRecordCorrupt));
  key = KeyOf("token");
  key.tenant = "thief";
  PutRecord(key, *record);
  EXPECT_THAT(SealAs("thief", "", "token").status, HasReason(Reason::kTokenRecordCorrupt));
  EXPECT_EQ(service_.runs(), 1);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencySecretTest, C25_ARecordInAnotherZoneIsDataLossAndNotExecuted) {
  ASSERT_EQ(SealAs("default", "cellar", "token").result, "executed");
  TokenKey key = KeyOf("token");
  key.zone = "cellar";
  store::v1::TokenRecord record = Record(key).value();
  key.zone = "attic";
  // The zone is a parameter too: the fingerprint is that of the other zone, as whoever moves the record would have it.
  ASSERT_EQ(SealAs("default", "attic", "token").result, "executed");
  *record.mutable_fingerprint() = Record(key).value().fingerprint();
  PutRecord(key, record);
  EXPECT_THAT(SealAs("default", "attic", "token").status, HasReason(Reason::kTokenRecordCorrupt));
  EXPECT_EQ(service_.runs(), 2);
}

TEST_F(IdempotencySecretTest, C18_WithoutTheKeyARetryIsRefusedUntilItIsBack) {
  const std::string right_file = seal_key_file_;
  const Answer first = Seal("pencil", "token");
  RestartWithKeys(SealKeys::NewFile("another"));
  const Answer refused = Seal("pencil", "token");
  EXPECT_THAT(refused.status, HasReason(Reason::kTokenStoreUnavailable));
  EXPECT_EQ(VerdictOf(refused.status), RetryVerdict::kSameToken);
  EXPECT_EQ(service_.runs(), 1);
  RestartWithKeys(right_file);
  const Answer retry = Seal("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencySecretTest, C18_AnotherKeyOfTheSameIdIsDataLossAndNotExecuted) {
  ASSERT_EQ(Seal("pencil", "token").result, "executed");
  RestartWithKeys(SealKeys::NewFile("test"));
  EXPECT_THAT(Seal("pencil", "token").status, HasReason(Reason::kTokenRecordCorrupt));
  EXPECT_EQ(service_.runs(), 1);
}

TEST_F(IdempotencySecretTest, C25_AfterARotationOldAndNewRepliesAreReplayed) {
  const Answer before = Seal("pencil", "before");
  RestartWithKeys(SealKeys::NewFile("new") + seal_key_file_);
  const Answer after = Seal("pen", "after");
  EXPECT_EQ(Record(KeyOf("before"))->sealed_reply().key_id(), "test");
  EXPECT_EQ(Record(KeyOf("after"))->sealed_reply().key_id(), "new");
  EXPECT_EQ(Seal("pencil", "before").bytes, before.bytes);
  EXPECT_EQ(Seal("pen", "after").bytes, after.bytes);
}

TEST_F(IdempotencySecretTest, C10_AMismatchIsToldWithoutTheKey) {
  ASSERT_EQ(Seal("pencil", "token").result, "executed");
  RestartWithKeys(SealKeys::NewFile("another"));
  const Answer answer = Seal("eraser", "token");
  EXPECT_THAT(answer.status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(FieldsOf(answer.status), ElementsAre("item"));
}

TEST_F(IdempotencySecretTest, C17_OfAnExpiredRecordACompactionLeavesNoReply) {
  ASSERT_EQ(Seal("pencil", "token").result, "executed");
  clock_.Advance(absl::Hours(24));
  Compact();
  const auto tombstone = Record(KeyOf("token"));
  ASSERT_TRUE(tombstone.has_value());
  EXPECT_FALSE(tombstone->has_sealed_reply());
  EXPECT_FALSE(tombstone->has_fingerprint());
  EXPECT_EQ(Seal("pencil", "token").result, "CLIENT_TOKEN_EXPIRED");
}

}  // namespace
}  // namespace hapax
