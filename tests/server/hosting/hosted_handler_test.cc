#include <any>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using test::v1::DepositRequest;
using test::v1::DepositResponse;

absl::Status Change(const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}

// The handlers behind their untyped face, on a store.
class HostedHandlerTest : public testing::Test {
 protected:
  HostedHandlerTest() : made_(RuleOptions(kRule)), hosted_(made_.descriptor()) {}

  const Method& method() { return hosted_.methods().front(); }

  // Runs the mutation in a transaction.
  absl::Status Mutate(const DepositRequest& request, const std::any& prepared, DepositResponse* response) {
    return Execute(*store_,
                   [&](Transaction& txn) { return method().mutate(context_, txn, request, prepared, response); });
  }

  const TempDir dir_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  const CallContext context_{.tenant = "tenant", .client_token = "token"};
  const MadeService made_;
  HostedService hosted_;
};

TEST_F(HostedHandlerTest, AMutationGetsWhatItsCallHasAndFillsTheReply) {
  hosted_.Mutation<DepositRequest, DepositResponse>(
      "Change",
      [](const CallContext& context, Transaction& txn, const DepositRequest& request, DepositResponse* reply) {
        txn.Put(Table::kResources, request.account(), context.tenant);
        reply->set_memo(context.client_token + " " + request.memo());
        return absl::OkStatus();
      });
  ASSERT_THAT(hosted_.Compile(), IsOk());
  EXPECT_EQ(method().prepare, nullptr);
  EXPECT_EQ(method().canonicalize, nullptr);
  DepositResponse reply;
  ASSERT_THAT(Mutate(FromText<DepositRequest>("account: 'a' memo: 'm'"), {}, &reply), IsOk());
  EXPECT_EQ(reply.memo(), "token m");
  EXPECT_THAT(QueryAs(made_.descriptor().full_name(), *store_,
                      [](const ReadTransaction& txn) {
                        EXPECT_EQ((*txn.Get(Table::kResources, "a")).value_or("none"), "tenant");
                        return absl::OkStatus();
                      }),
              IsOk());
}

TEST_F(HostedHandlerTest, AHandlersErrorIsTheCallsAndLeavesNothing) {
  hosted_.Mutation<DepositRequest, DepositResponse>(
      "Change", [](const CallContext&, Transaction& txn, const DepositRequest&, DepositResponse*) {
        txn.Put(Table::kResources, "a", "b");
        return absl::NotFoundError("no such thing");
      });
  ASSERT_THAT(hosted_.Compile(), IsOk());
  DepositResponse reply;
  EXPECT_THAT(Mutate({}, {}, &reply), StatusIs(StatusCode::kNotFound, "no such thing"));
  EXPECT_THAT(QueryAs(made_.descriptor().full_name(), *store_,
                      [](const ReadTransaction& txn) {
                        EXPECT_EQ((*txn.Get(Table::kResources, "a")).value_or("none"), "none");
                        return absl::OkStatus();
                      }),
              IsOk());
}

// The chain keeps it: idempotency_defaults_test.cc.
TEST_F(HostedHandlerTest, C22_AMutationRecordsWhatUnsetFieldsMean) {
  hosted_.Mutation<DepositRequest, DepositResponse>(
      "Change", [](const CallContext& context, Transaction&, const DepositRequest&, DepositResponse*) {
        context.RecordDefaults(FromText<DepositRequest>("memo: 'default memo'"));
        context.RecordDefaults(FromText<DepositRequest>("zone: 'default zone'"));
        return absl::OkStatus();
      });
  ASSERT_THAT(hosted_.Compile(), IsOk());
  DepositRequest recorded;
  CallContext context = context_;
  context.recorded_defaults = &recorded;
  DepositResponse reply;
  ASSERT_THAT(
      Execute(*store_, [&](Transaction& txn) { return method().mutate(context, txn, DepositRequest(), {}, &reply); }),
      IsOk());
  EXPECT_THAT(recorded, EqualsProto(FromText<DepositRequest>("memo: 'default memo' zone: 'default zone'")));
  EXPECT_THAT(Mutate({}, {}, &reply), IsOk());  // Where there is no record, it makes no difference.
}

// Its read finds them again; what else has such a key does not.
TEST_F(HostedHandlerTest, AServicesRowsAreInATableOfItsOwnName) {
  const auto change = [](const CallContext&, Transaction& txn, const DepositRequest& request, DepositResponse* reply) {
    HAPAX_ASSIGN_OR_RETURN(const auto row, txn.Get(Table::kResources, request.account()));
    reply->set_memo(row.value_or("none"));
    txn.Put(Table::kResources, request.account(), request.memo());
    return txn.Scan(Table::kResources, KeyRange(), [&](std::string_view key, std::string_view value) {
      reply->set_memo(reply->memo() + ", " + std::string(key) + "=" + std::string(value));
      return true;
    });
  };
  hosted_.Mutation<DepositRequest, DepositResponse>("Change", change);
  ASSERT_THAT(hosted_.Compile(), IsOk());
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(Table::kResources, "a", "of nobody");
                        return absl::OkStatus();
                      }),
              IsOk());
  ASSERT_THAT(ExecuteAs("hapax.test.v1.MadeElsewhere", *store_,
                        [&](Transaction& txn) {
                          txn.Put(Table::kResources, "a", "of another");
                          return absl::OkStatus();
                        }),
              IsOk());
  DepositResponse reply;
  const auto request = FromText<DepositRequest>("account: 'a' memo: 'own'");
  ASSERT_THAT(Mutate(request, {}, &reply), IsOk());
  EXPECT_EQ(reply.memo(), "none, a=own");
  ASSERT_THAT(Mutate(request, {}, &reply), IsOk());
  EXPECT_EQ(reply.memo(), "own, a=own");
  ASSERT_THAT(QueryAs("hapax.test.v1.MadeElsewhere", *store_,
                      [&](const ReadTransaction& txn) {
                        EXPECT_EQ((*txn.Get(Table::kResources, "a")).value_or("none"), "of another");
                        return absl::OkStatus();
                      }),
              IsOk());
}

TEST_F(HostedHandlerTest, APreparedMutationGetsWhatWasPrepared) {
  hosted_.PreparedMutation<DepositRequest, std::string, DepositResponse>(
      "Change",
      [](const CallContext& context, const DepositRequest& request) -> absl::StatusOr<std::string> {
        if (request.amount() < 0) return absl::NotFoundError("less than nothing");
        return context.tenant + " prepared " + request.memo();
      },
      [](const CallContext&, Transaction&, const DepositRequest& request, const std::string& prepared,
         DepositResponse* reply) {
        reply->set_memo(prepared + " for " + request.account());
        return absl::OkStatus();
      });
  ASSERT_THAT(hosted_.Compile(), IsOk());
  const auto request = FromText<DepositRequest>("account: 'a' memo: 'm'");
  const absl::StatusOr<std::any> prepared = method().prepare(context_, request);
  ASSERT_THAT(prepared, IsOk());
  DepositResponse reply;
  for (int run = 0; run < 2; ++run) {  // A body may be run again, with what was prepared once.
    ASSERT_THAT(Mutate(request, *prepared, &reply), IsOk());
    EXPECT_EQ(reply.memo(), "tenant prepared m for a");
  }
  EXPECT_THAT(method().prepare(context_, FromText<DepositRequest>("amount: -1")),
              StatusIs(StatusCode::kNotFound, "less than nothing"));
}

TEST_F(HostedHandlerTest, ACanonicalizerChangesTheRequestInItsOwnType) {
  hosted_.Mutation<DepositRequest, DepositResponse>("Change", Change,
                                                    [](DepositRequest* request) { request->clear_zone(); });
  ASSERT_THAT(hosted_.Compile(), IsOk());
  auto request = FromText<DepositRequest>("account: 'a' zone: 'z'");
  method().canonicalize(&request);
  EXPECT_THAT(request, EqualsProto(FromText<DepositRequest>("account: 'a'")));
}

}  // namespace
}  // namespace hapax
