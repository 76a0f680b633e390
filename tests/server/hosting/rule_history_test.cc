#include "hapax/server/hosting/rule_history.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using external::longrunning::Operation;
using google::protobuf::MethodOptions;
using store::v1::RuleRow;
using test::v1::DepositRequest;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kMethod[] = "hapax.test.v1.Made/Change";
constexpr char kHere[] = "here";
const std::string kKey = KeyBuilder().String("rule").String(kMethod).Build();

// The service `Made`, with one method under these options that begins an operation.
class MadeHost {
 public:
  explicit MadeHost(const MethodOptions& options)
      : made_(options, ".hapax.external.longrunning.Operation"), hosted_(made_.descriptor()) {
    for (const char* resolver : {"resolver", "another"}) {
      hosted_.AddResolver(resolver, [](const PlaceHints&) { return absl::StatusOr<Place>(Place()); });
    }
    hosted_.SetOperationRefresher([](const CallContext&, const ReadTransaction&, std::string reply) {
      return absl::StatusOr<std::string>(std::move(reply));
    });
    hosted_.Mutation<DepositRequest, Operation>(
        "Change", [](const CallContext&, Transaction&, const DepositRequest&, Operation*) { return absl::OkStatus(); });
    EXPECT_THAT(hosted_.Compile(), IsOk());
  }
  [[nodiscard]] const HostedService& hosted() const { return hosted_; }

 private:
  const MadeService made_;
  HostedService hosted_;
};

MethodOptions ScopeOptions(const std::string& scope) {
  return RuleOptions(absl::StrCat("token_field: 'client_token' scope { ", scope, " }"));
}
const std::string kRegional = "region_field: 'region'";
const std::string kZonal = kRegional + " zone_fields: 'zone'";

class RuleHistoryTest : public testing::Test {
 protected:
  // A start of a server that hosts the method under these options.
  absl::StatusOr<RuleChanges> Start(const MethodOptions& options, const std::string& default_region = kHere,
                                    const std::vector<std::string>& accepted = {}) {
    const MadeHost host(options);
    return RememberRules({&host.hosted()}, default_region, accepted, *store_);
  }
  // Whether it starts after one with the other options, of which the store knew nothing.
  absl::StatusOr<RuleChanges> StartAfter(const MethodOptions& before, const MethodOptions& options) {
    EXPECT_THAT(Execute(*store_,
                        [](Transaction& txn) {
                          txn.Delete(Table::kMeta, kKey);
                          return absl::OkStatus();
                        }),
                IsOk());
    EXPECT_THAT(Start(before), IsOk());
    return Start(options);
  }
  // What the store remembers of the method.
  RuleRow Remembered() {
    RuleRow remembered;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) -> absl::Status {
                        HAPAX_ASSIGN_OR_RETURN(const auto row, GetRow<RuleRow>(txn, Table::kMeta, kKey));
                        remembered = row.value_or(RuleRow());
                        return absl::OkStatus();
                      }),
                IsOk());
    return remembered;
  }
  void Remember(const RuleRow& row) {
    EXPECT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          PutRow(txn, Table::kMeta, kKey, row);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  const TempDir dir_;
  const std::unique_ptr<Store> store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
};

auto IsRefusedFor(const std::string& change) {
  return StatusIs(StatusCode::kFailedPrecondition,
                  AllOf(HasSubstr("accept_rule_changes=:"), HasSubstr(absl::StrCat(kMethod, ": ", change)),
                        HasSubstr(absl::StrCat("name ", kMethod))));
}

TEST_F(RuleHistoryTest, TheSameRuleStartsAgain) {
  for (const std::string& scope : {kRegional, kZonal, kZonal + " zone_required: true",
                                   kZonal + " zone_fields: 'nested.zone' resolver: 'resolver'"}) {
    EXPECT_THAT(StartAfter(ScopeOptions(scope), ScopeOptions(scope)), IsOk()) << scope;
  }
}

TEST_F(RuleHistoryTest, C4_AnotherTokenFieldIsRefused) {
  EXPECT_THAT(StartAfter(RuleOptions(kRule), RuleOptions("token_field: 'account' scope { region_field: 'region' }")),
              IsRefusedFor("token_field was client_token = 1, is account = 4"));
}

TEST_F(RuleHistoryTest, C4_AnotherScopeIsRefused) {
  EXPECT_THAT(StartAfter(ScopeOptions(kRegional), ScopeOptions("region_field: 'zone'")),
              IsRefusedFor("scope.region_field was region = 2, is zone = 3"));
  EXPECT_THAT(StartAfter(ScopeOptions(kRegional), ScopeOptions(kZonal)),
              IsRefusedFor("scope.zone_fields was none, is zone = 3"));
  EXPECT_THAT(StartAfter(ScopeOptions(kZonal), ScopeOptions(kRegional)),
              IsRefusedFor("scope.zone_fields was zone = 3, is none"));
  EXPECT_THAT(StartAfter(ScopeOptions(kZonal), ScopeOptions(kRegional + " zone_fields: 'nested.zone'")),
              IsRefusedFor("scope.zone_fields was zone = 3, is nested.zone = 8.3"));
  EXPECT_THAT(StartAfter(ScopeOptions(kZonal), ScopeOptions(kZonal + " zone_required: true")),
              IsRefusedFor("scope.zone_required was false, is true"));
  EXPECT_THAT(StartAfter(ScopeOptions(kRegional), ScopeOptions(kRegional + " resolver: 'resolver'")),
              IsRefusedFor("scope.resolver was none, is resolver"));
  EXPECT_THAT(
      StartAfter(ScopeOptions(kRegional + " resolver: 'resolver'"), ScopeOptions(kRegional + " resolver: 'another'")),
      IsRefusedFor("scope.resolver was resolver, is another"));
}

TEST_F(RuleHistoryTest, C4_AnotherDefaultRegionIsRefused) {
  ASSERT_THAT(Start(RuleOptions(kRule), kHere), IsOk());
  EXPECT_THAT(Start(RuleOptions(kRule), "there"), IsRefusedFor("default region was here, is there"));
  EXPECT_THAT(Start(RuleOptions(kRule), kHere), IsOk()) << "what was refused is not remembered";
}

TEST_F(RuleHistoryTest, AcceptedChangesMayHaveToWait) {
  const MadeHost before(ScopeOptions(kRegional));
  const MadeHost after(ScopeOptions(kZonal));
  const auto never = [](const ReadTransaction&) { return absl::AbortedError("not now"); };
  EXPECT_THAT(RememberRules({&before.hosted()}, kHere, {}, *store_, never), IsOk());
  EXPECT_THAT(RememberRules({&before.hosted()}, kHere, {kMethod}, *store_, never), IsOk()) << "nothing changes";
  EXPECT_THAT(RememberRules({&after.hosted()}, kHere, {}, *store_, never), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(RememberRules({&after.hosted()}, kHere, {kMethod}, *store_, never), StatusIs(StatusCode::kAborted));
  EXPECT_THAT(RememberRules({&before.hosted()}, kHere, {}, *store_), IsOk()) << "what had to wait is not remembered";
}

TEST_F(RuleHistoryTest, AllChangesOfAMethodAreTold) {
  ASSERT_THAT(Start(ScopeOptions(kRegional), kHere), IsOk());
  EXPECT_THAT(Start(ScopeOptions(kZonal), "there"),
              IsRefusedFor("scope.zone_fields was none, is zone = 3, default region was here, is there"));
}

TEST_F(RuleHistoryTest, WhatDoesNotMoveATokenMayChange) {
  for (const char* harmless : {" secret_reply: true", " retention { seconds: 5 }", " replay: REPLAY_CURRENT_OPERATION",
                               " request_limits { max_elements: 7 }"}) {
    EXPECT_THAT(StartAfter(RuleOptions(kRule), RuleOptions(absl::StrCat(kRule, harmless))), IsOk()) << harmless;
    EXPECT_THAT(StartAfter(RuleOptions(absl::StrCat(kRule, harmless)), RuleOptions(kRule)), IsOk()) << harmless;
  }
}

// A proto may rename a field: what a client sends has its number alone.
TEST_F(RuleHistoryTest, FieldsAreComparedByNumberAndNotByName) {
  ASSERT_THAT(Start(ScopeOptions(kZonal)), IsOk());
  RuleRow row = Remembered();
  for (RuleRow::Field* field : {row.mutable_token_field(), row.mutable_region_field(), row.mutable_zone_fields(0)}) {
    field->set_path("old_name");
  }
  Remember(row);
  EXPECT_THAT(Start(ScopeOptions(kZonal)), IsOk());
  EXPECT_EQ(Remembered().token_field().path(), "client_token") << "the new names are remembered";
  row.mutable_token_field()->set_numbers(0, 21);
  Remember(row);
  EXPECT_THAT(Start(ScopeOptions(kZonal)), IsRefusedFor("token_field was old_name = 21, is client_token = 1"));
}

TEST_F(RuleHistoryTest, C3_AMethodThatLosesItsRuleIsRefused) {
  EXPECT_THAT(StartAfter(RuleOptions(kRule), IdempotentOptions()), IsRefusedFor("had an idempotency rule, has none"));
}

TEST_F(RuleHistoryTest, AMethodThatGetsItsFirstRuleStarts) {
  EXPECT_THAT(StartAfter(IdempotentOptions(), RuleOptions(kRule)), IsOk());
}

TEST_F(RuleHistoryTest, C4_AMethodThatComesBackIsComparedWithItsLastRule) {
  ASSERT_THAT(Start(ScopeOptions(kRegional)), IsOk());
  ASSERT_THAT(RememberRules({}, "there", {}, *store_), IsOk());
  EXPECT_THAT(Start(ScopeOptions(kZonal)), IsRefusedFor("scope.zone_fields was none, is zone = 3"));
  EXPECT_THAT(Start(ScopeOptions(kRegional), "there"), IsRefusedFor("default region was here, is there"));
  EXPECT_THAT(Start(ScopeOptions(kRegional)), IsOk());
}

TEST_F(RuleHistoryTest, AChangeOfAMethodThatIsNamedIsAcceptedAndRemembered) {
  ASSERT_THAT(Start(ScopeOptions(kRegional)), IsOk());
  const auto changes = Start(ScopeOptions(kZonal), kHere, {kMethod});
  ASSERT_THAT(changes, IsOk());
  EXPECT_THAT(changes->accepted, ElementsAre(absl::StrCat(kMethod, ": scope.zone_fields was none, is zone = 3")));
  EXPECT_THAT(changes->unchanged, IsEmpty());
  EXPECT_THAT(Start(ScopeOptions(kZonal)), IsOk());
  EXPECT_THAT(Start(ScopeOptions(kRegional)), IsRefusedFor("scope.zone_fields was zone = 3, is none"));
}

TEST_F(RuleHistoryTest, ANameThatDidNotChangeIsTold) {
  const auto changes = Start(RuleOptions(kRule), kHere, {kMethod, "a.B/C"});
  ASSERT_THAT(changes, IsOk());
  EXPECT_THAT(changes->accepted, IsEmpty());
  EXPECT_THAT(changes->unchanged, ElementsAre(kMethod, "a.B/C"));
}

TEST_F(RuleHistoryTest, AnotherMethodsNameAcceptsNothing) {
  ASSERT_THAT(Start(ScopeOptions(kRegional)), IsOk());
  EXPECT_THAT(Start(ScopeOptions(kZonal), kHere, {"hapax.test.v1.Made/Chnage"}),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("accept_rule_changes=hapax.test.v1.Made/Chnage:")));
}

TEST_F(RuleHistoryTest, C4_ALossThatWasAcceptedLeavesTheLastRuleToCompareWith) {
  ASSERT_THAT(Start(ScopeOptions(kRegional)), IsOk());
  ASSERT_THAT(Start(IdempotentOptions(), kHere, {kMethod}), IsOk());
  EXPECT_THAT(Start(IdempotentOptions()), IsOk()) << "it is accepted once";
  EXPECT_THAT(Start(ScopeOptions(kZonal)), IsRefusedFor("scope.zone_fields was none, is zone = 3"));
  EXPECT_THAT(Start(ScopeOptions(kRegional)), IsOk());
  EXPECT_THAT(Start(IdempotentOptions()), IsRefusedFor("had an idempotency rule, has none"));
}

TEST_F(RuleHistoryTest, ADamagedRowStopsTheStart) {
  ASSERT_THAT(Start(RuleOptions(kRule)), IsOk());
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Put(Table::kMeta, kKey, "damaged");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(Start(RuleOptions(kRule)), StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hapax
