#include "hapax/server/hosting/hosted_service.h"

#include <functional>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/idempotency/v1/rule.pb.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using external::longrunning::Operation;
using google::protobuf::MethodOptions;
using test::v1::DepositRequest;
using test::v1::DepositResponse;
using test::v1::GetBalanceRequest;
using test::v1::GetBalanceResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kMethod[] = "hapax.test.v1.Made/Change";

absl::Status Change(const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}
absl::Status Look(const CallContext&, const ReadTransaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}

auto IsWrong(const std::string& method, const std::string& what) {
  return StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr(method), HasSubstr(what)));
}

// What becomes of a mutation with this rule.
absl::Status CompileRule(const std::string& rule, bool with_resolver = false) {
  const MadeService made(RuleOptions(rule));
  HostedService hosted(made.descriptor());
  if (with_resolver) {
    hosted.AddResolver("resolver", [](const PlaceHints&) { return absl::StatusOr<Place>(Place()); });
  }
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  return hosted.Compile();
}

TEST(HostedService, AHandlerForEveryMethodCompiles) {
  EXPECT_THAT(CompileRule(kRule), IsOk());
  EXPECT_THAT(CompileRule("token_field: 'client_token' scope { region_field: 'region' zone_fields: 'nested.zone' }"),
              IsOk());
  EXPECT_THAT(CompileRule("token_field: 'client_token' scope { region_field: 'region' zone_fields: 'zone' "
                          "zone_fields: 'nested.zone' resolver: 'resolver' zone_required: true }",
                          /*with_resolver=*/true),
              IsOk());
}

TEST(HostedService, EveryMethodHasItsFullNameAndKind) {
  HostedService hosted(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger"));
  hosted.Mutation<DepositRequest, DepositResponse>("Deposit", Change);
  hosted.Mutation<DepositRequest, DepositResponse>("Seal", Change);
  hosted.Read<GetBalanceRequest, GetBalanceResponse>(
      "GetBalance", [](const CallContext&, const ReadTransaction&, const GetBalanceRequest&, GetBalanceResponse*) {
        return absl::OkStatus();
      });
  ASSERT_THAT(hosted.Compile(), IsOk());
  ASSERT_THAT(hosted.methods(), SizeIs(3));
  EXPECT_EQ(hosted.methods()[0].name, "hapax.test.v1.Ledger/Deposit");
  ASSERT_TRUE(hosted.methods()[0].rule.has_value());
  EXPECT_EQ(hosted.methods()[0].rule->token_field().name(), "client_token");
  EXPECT_EQ(hosted.methods()[2].name, "hapax.test.v1.Ledger/GetBalance");
  EXPECT_FALSE(hosted.methods()[2].rule.has_value());
}

TEST(HostedService, AMethodWithoutExactlyOneHandlerIsNamed) {
  const MadeService made(RuleOptions(kRule));
  HostedService none(made.descriptor());
  EXPECT_THAT(none.Compile(), IsWrong(kMethod, "needs exactly one handler"));
  HostedService two(made.descriptor());
  two.Mutation<DepositRequest, DepositResponse>("Change", Change);
  two.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(two.Compile(), IsWrong(kMethod, "needs exactly one handler"));
}

TEST(HostedService, AHandlerForNoMethodIsNamed) {
  const MadeService made(RuleOptions(kRule));
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  hosted.Mutation<DepositRequest, DepositResponse>("Chnage", Change);
  EXPECT_THAT(hosted.Compile(), IsWrong("hapax.test.v1.Made/Chnage", "not declared"));
}

// What becomes of a service whose one method has the handler that `add` gives it.
absl::Status CompileWith(const MethodOptions& options, const std::function<void(HostedService&)>& add) {
  const MadeService made(options);
  HostedService hosted(made.descriptor());
  add(hosted);
  return hosted.Compile();
}

TEST(HostedService, ANullHandlerIsNamed) {
  const auto is_null = IsWrong("the handler for hapax.test.v1.Made/Change", "is null; it must be a function");
  const std::function<absl::Status(const CallContext&, Transaction&, const DepositRequest&, DepositResponse*)> none;
  EXPECT_THAT(
      CompileWith(RuleOptions(kRule),
                  [](HostedService& hosted) { hosted.Mutation<DepositRequest, DepositResponse>("Change", nullptr); }),
      is_null);
  EXPECT_THAT(
      CompileWith(RuleOptions(kRule),
                  [&](HostedService& hosted) { hosted.Mutation<DepositRequest, DepositResponse>("Change", none); }),
      is_null);
  EXPECT_THAT(
      CompileWith(ReadOptions(),
                  [](HostedService& hosted) { hosted.Read<DepositRequest, DepositResponse>("Change", nullptr); }),
      is_null);
  EXPECT_THAT(
      CompileWith(ReadOptions(),
                  [](HostedService& hosted) { hosted.Serve<DepositRequest, DepositResponse>("Change", nullptr); }),
      is_null);
  const auto prepare = [](const CallContext&, const DepositRequest&) -> absl::StatusOr<int> { return 1; };
  EXPECT_THAT(CompileWith(RuleOptions(kRule),
                          [&](HostedService& hosted) {
                            hosted.PreparedMutation<DepositRequest, int, DepositResponse>("Change", prepare, nullptr);
                          }),
              is_null);
  EXPECT_THAT(CompileWith(RuleOptions(kRule),
                          [](HostedService& hosted) {
                            hosted.PreparedMutation<DepositRequest, int, DepositResponse>(
                                "Change", nullptr,
                                [](const CallContext&, Transaction&, const DepositRequest&, const int&,
                                   DepositResponse*) { return absl::OkStatus(); });
                          }),
              is_null);
}

TEST(HostedService, ANullCanonicalizerIsNone) {
  const std::function<void(DepositRequest*)> none;
  const MadeService made(RuleOptions(kRule));
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change, none);
  ASSERT_THAT(hosted.Compile(), IsOk());
  EXPECT_EQ(hosted.methods().front().canonicalize, nullptr);
}

TEST(HostedService, ANullResolverIsNamed) {
  EXPECT_THAT(CompileWith(RuleOptions(kRule),
                          [](HostedService& hosted) {
                            hosted.AddResolver("resolver", nullptr);
                            hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
                          }),
              IsWrong("resolver \"resolver\" of service hapax.test.v1.Made", "is null; it must be a function"));
}

TEST(HostedService, OneThatIsCompiledCompilesAgain) {
  const MadeService made(RuleOptions(kRule));
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  ASSERT_THAT(hosted.Compile(), IsOk());
  EXPECT_THAT(hosted.Compile(), IsOk());
  // What is added since is not passed over.
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(hosted.Compile(), IsWrong(kMethod, "needs exactly one handler"));
}

TEST(HostedService, AHandlerOfOtherTypesIsNamed) {
  const MadeService made(RuleOptions(kRule));
  HostedService other_request(made.descriptor());
  other_request.Mutation<GetBalanceRequest, DepositResponse>(
      "Change",
      [](const CallContext&, Transaction&, const GetBalanceRequest&, DepositResponse*) { return absl::OkStatus(); });
  EXPECT_THAT(other_request.Compile(), IsWrong("hapax.test.v1.Made/Change", "other message types"));
  HostedService other_reply(made.descriptor());
  other_reply.Mutation<DepositRequest, GetBalanceResponse>(
      "Change",
      [](const CallContext&, Transaction&, const DepositRequest&, GetBalanceResponse*) { return absl::OkStatus(); });
  EXPECT_THAT(other_reply.Compile(), IsWrong("hapax.test.v1.Made/Change", "other message types"));
}

TEST(HostedService, AHandlerOfTheOtherKindIsNamed) {
  const MadeService mutation(RuleOptions(kRule));
  HostedService read_for_mutation(mutation.descriptor());
  read_for_mutation.Read<DepositRequest, DepositResponse>("Change", Look);
  EXPECT_THAT(read_for_mutation.Compile(), IsWrong("hapax.test.v1.Made/Change", "is a read"));
  const MadeService read(ReadOptions());
  HostedService mutation_for_read(read.descriptor());
  mutation_for_read.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(mutation_for_read.Compile(), IsWrong("hapax.test.v1.Made/Change", "is a mutation"));
}

TEST(HostedService, AMethodThatDeclaresNeitherOrBothIsNamed) {
  const MadeService neither((MethodOptions()));
  HostedService hosted(neither.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(hosted.Compile(), IsWrong(kMethod, "neither"));

  MethodOptions options = RuleOptions(kRule);
  options.set_idempotency_level(MethodOptions::NO_SIDE_EFFECTS);
  const MadeService both(options);
  HostedService hosted_both(both.descriptor());
  hosted_both.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(hosted_both.Compile(), IsWrong(kMethod, "both"));
}

TEST(HostedService, AWrongRuleIsNamedWithItsMethodAndOption) {
  EXPECT_THAT(CompileRule("scope { region_field: 'region' }"), IsWrong(kMethod, "token_field"));
  EXPECT_THAT(CompileRule("token_field: 'token' scope { region_field: 'region' }"), IsWrong(kMethod, "token_field"));
  EXPECT_THAT(CompileRule("token_field: 'amount' scope { region_field: 'region' }"), IsWrong(kMethod, "token_field"));
  EXPECT_THAT(CompileRule("token_field: 'nested.client_token' scope { region_field: 'region' }"),
              IsWrong(kMethod, "token_field: must be a top-level field"));
  EXPECT_THAT(CompileRule("token_field: 'client_token'"), IsWrong(kMethod, "scope.region_field"));
  EXPECT_THAT(CompileRule("token_field: 'client_token' scope { region_field: 'nested.region' }"),
              IsWrong(kMethod, "scope.region_field: must be a top-level field"));
  const std::string scope = "token_field: 'client_token' scope { region_field: 'region' ";
  EXPECT_THAT(CompileRule(scope + "zone_fields: 'nested.none' }"), IsWrong(kMethod, "scope.zone_fields"));
  EXPECT_THAT(CompileRule(scope + "zone_fields: 'zone' zone_fields: 'account' }"),
              IsWrong(kMethod, "scope.zone_fields: more than one needs a resolver"));
  EXPECT_THAT(CompileRule(scope + "zone_required: true }"), IsWrong(kMethod, "scope.zone_required"));
  EXPECT_THAT(CompileRule(scope + "zone_fields: 'zone' resolver: 'none' }", /*with_resolver=*/true),
              IsWrong(kMethod, "scope.resolver"));
  EXPECT_THAT(CompileRule(std::string(kRule) + " replay: REPLAY_CURRENT_OPERATION"),
              IsWrong(kMethod, "replay: REPLAY_CURRENT_OPERATION needs a reply of type google.longrunning.Operation"));
}

TEST(HostedService, AMutationMayBeIdempotentByNatureAndNeedsNoRule) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  ASSERT_THAT(hosted.Compile(), IsOk());
  EXPECT_FALSE(hosted.methods().front().rule.has_value());
  EXPECT_NE(hosted.methods().front().mutate, nullptr);
}

TEST(HostedService, OneThatIsIdempotentByNatureIsNoRead) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.Read<DepositRequest, DepositResponse>("Change", Look);
  EXPECT_THAT(hosted.Compile(), IsWrong("hapax.test.v1.Made/Change", "is a read"));
}

TEST(HostedService, OneThatAnswersInItsOwnTimeMayBeIdempotentByNatureButHasNoRule) {
  const MadeService idempotent(IdempotentOptions());
  HostedService hosted(idempotent.descriptor());
  hosted.Serve<DepositRequest, DepositResponse>("Change", [](UnaryCall&, const DepositRequest&) {});
  EXPECT_THAT(hosted.Compile(), IsOk());
  const MadeService ruled(RuleOptions(kRule));
  HostedService serving(ruled.descriptor());
  serving.Serve<DepositRequest, DepositResponse>("Change", [](UnaryCall&, const DepositRequest&) {});
  EXPECT_THAT(serving.Compile(), IsWrong("hapax.test.v1.Made/Change", "is a read"));
}

TEST(HostedService, OneThatIsIdempotentByNatureIsNotPrepared) {
  const MadeService made(IdempotentOptions());
  HostedService hosted(made.descriptor());
  hosted.PreparedMutation<DepositRequest, int, DepositResponse>(
      "Change", [](const CallContext&, const DepositRequest&) -> absl::StatusOr<int> { return 1; },
      [](const CallContext&, Transaction&, const DepositRequest&, const int&, DepositResponse*) {
        return absl::OkStatus();
      });
  EXPECT_THAT(hosted.Compile(), IsWrong("hapax.test.v1.Made/Change", "prepares, which needs a rule"));
}

TEST(HostedService, AReadMayAnswerInItsOwnTime) {
  const MadeService made(ReadOptions());
  HostedService hosted(made.descriptor());
  hosted.Serve<DepositRequest, DepositResponse>(
      "Change", [](UnaryCall& call, const DepositRequest& request) { call.Finish(request.memo()); });
  ASSERT_THAT(hosted.Compile(), IsOk());
  const Method& method = hosted.methods().front();
  EXPECT_EQ(method.read, nullptr);
  FakeCall call(method, FromText<DepositRequest>("memo: 'm'"));
  call.Decode();
  method.serve(call);
  EXPECT_THAT(call.Reply(), IsOkAndHolds("m"));
}

constexpr char kOperation[] = ".hapax.external.longrunning.Operation";
const std::string kOperationRule = std::string(kRule) + " replay: REPLAY_CURRENT_OPERATION";

absl::Status Begin(const CallContext&, Transaction&, const DepositRequest&, Operation*) { return absl::OkStatus(); }

TEST(HostedService, C24_ARuleThatReplaysOperationsNeedsThem) {
  const MadeService made(RuleOptions(kOperationRule), kOperation);
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, Operation>("Change", Begin);
  EXPECT_THAT(hosted.Compile(), IsWrong("hapax.test.v1.Made/Change", "by SetOperationRefresher"));
}

TEST(HostedService, C24_WithThemItsRepliesAreRefreshedAndNoOthers) {
  const auto refresher = [](const CallContext& context, const ReadTransaction&, std::string reply) {
    return absl::StatusOr<std::string>(context.tenant + " refreshed " + reply);
  };
  const MadeService made(RuleOptions(kOperationRule), kOperation);
  HostedService hosted(made.descriptor());
  hosted.SetOperationRefresher(refresher);
  hosted.Mutation<DepositRequest, Operation>("Change", Begin);
  ASSERT_THAT(hosted.Compile(), IsOk());
  const TempDir dir;
  const std::unique_ptr<Store> store = OpenRocksDbStore({.path = dir.Path("data")}).value();
  EXPECT_THAT(Query(*store,
                    [&](const ReadTransaction& txn) {
                      EXPECT_THAT(hosted.methods().front().refresh({.tenant = "tenant"}, txn, "reply"),
                                  IsOkAndHolds("tenant refreshed reply"));
                      return absl::OkStatus();
                    }),
              IsOk());

  const MadeService verbatim(RuleOptions(kRule), kOperation);
  HostedService hosted_verbatim(verbatim.descriptor());
  hosted_verbatim.SetOperationRefresher(refresher);
  hosted_verbatim.Mutation<DepositRequest, Operation>("Change", Begin);
  ASSERT_THAT(hosted_verbatim.Compile(), IsOk());
  EXPECT_EQ(hosted_verbatim.methods().front().refresh, nullptr);
}

TEST(HostedService, AWrongReplyRuleIsNamed) {
  EXPECT_THAT(CompileRule(kOperationRule), IsWrong(kMethod, "replay: REPLAY_CURRENT_OPERATION needs a reply"));
  EXPECT_THAT(CompileRule(std::string(kRule) + " retention {}"), IsWrong(kMethod, "retention: must be positive"));
  MethodOptions options = RuleOptions(kRule);
  options.MutableExtension(idempotency::v1::rule)->set_replay(static_cast<idempotency::v1::Replay>(77));
  const MadeService made(options);
  HostedService hosted(made.descriptor());
  hosted.Mutation<DepositRequest, DepositResponse>("Change", Change);
  EXPECT_THAT(hosted.Compile(), IsWrong(kMethod, "replay: must be REPLAY_VERBATIM or REPLAY_CURRENT_OPERATION"));
}

}  // namespace
}  // namespace hapax
