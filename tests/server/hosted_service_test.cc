#include "hapax/server/hosted_service.h"

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hapax/idempotency/v1/rule.pb.h"
#include "hapax/storage/rocksdb_store.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using google::protobuf::MethodOptions;
using google::protobuf::ServiceDescriptor;
using idempotency::v1::IdempotencyRule;
using test::v1::DepositRequest;
using test::v1::DepositResponse;
using test::v1::GetBalanceRequest;
using test::v1::GetBalanceResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kMethod[] = "hapax.test.v1.Made.Change";

absl::Status Change(const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}
absl::Status Look(const CallContext&, const ReadTransaction&, const DepositRequest&, DepositResponse*) {
  return absl::OkStatus();
}

auto IsWrong(const std::string& method, const std::string& what) {
  return StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr(method), HasSubstr(what)));
}

// A service `Made` with one method, `Change`, that takes a DepositRequest.
class MadeService {
 public:
  explicit MadeService(const MethodOptions& options) : pool_(google::protobuf::DescriptorPool::generated_pool()) {
    auto file = FromText<google::protobuf::FileDescriptorProto>(R"(
      name: "made.proto" package: "hapax.test.v1" syntax: "proto3" dependency: "hapax/test/v1/ledger.proto"
      service { name: "Made" method { name: "Change" input_type: ".hapax.test.v1.DepositRequest"
                                      output_type: ".hapax.test.v1.DepositResponse" } }
    )");
    *file.mutable_service(0)->mutable_method(0)->mutable_options() = options;
    descriptor_ = pool_.BuildFile(file)->FindServiceByName("Made");
  }
  [[nodiscard]] const ServiceDescriptor& descriptor() const { return *descriptor_; }

 private:
  google::protobuf::DescriptorPool pool_;
  const ServiceDescriptor* descriptor_ = nullptr;
};

MethodOptions ReadOptions() {
  MethodOptions options;
  options.set_idempotency_level(MethodOptions::NO_SIDE_EFFECTS);
  return options;
}

MethodOptions RuleOptions(const std::string& rule) {
  MethodOptions options;
  *options.MutableExtension(idempotency::v1::rule) = FromText<IdempotencyRule>(rule);
  return options;
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

constexpr char kRule[] = "token_field: 'client_token' scope { region_field: 'region' }";

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
  EXPECT_THAT(Query(*store_,
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
  EXPECT_THAT(Query(*store_,
                    [](const ReadTransaction& txn) {
                      EXPECT_EQ((*txn.Get(Table::kResources, "a")).value_or("none"), "none");
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
