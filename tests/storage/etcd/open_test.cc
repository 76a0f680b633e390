#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/etcd/backend.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/etcd/set_up.h"
#include "hapax/tests/storage/etcd/etcd_cluster.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/support/status_matchers.h"

// What is checked before an engine begins: the members' limits, the cluster, the layout, the options.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

TEST(EtcdBackendOpenTest, TheLimitsOfTheMembersAreFoundAndTooSmallOnesNamed) {
  const auto limits_with = [](std::vector<std::string> flags) {
    const EtcdCluster cluster({.flags = std::move(flags)});
    auto backend = OpenEtcdBackend(cluster.ClientOptions(), "/hapax");
    return backend.ok() ? absl::StatusOr<RemoteLimits>((*backend)->limits()) : backend.status();
  };
  const auto own = limits_with({"--max-request-bytes=4194304", "--max-txn-ops=3000"});
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(own->max_reads, 2047);
  EXPECT_EQ(own->max_writes, 2047);
  EXPECT_GT(own->max_bytes, 3 << 20);
  EXPECT_LT(own->max_bytes, 4 << 20);
  EXPECT_THAT(limits_with({"--max-txn-ops=128"}),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("--max-txn-ops=8192")));
  EXPECT_THAT(limits_with({"--max-request-bytes=500000"}),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("--max-request-bytes=1048576")));
}

// Loses so many answers to commits, and the first of the commits itself.
class LossyClient final : public EtcdClient {
 public:
  LossyClient(std::unique_ptr<EtcdClient> client, int losses) : client_(std::move(client)), losses_(losses) {}

  void Read(etcd::v3::TxnRequest request, Done done) override { client_->Read(std::move(request), std::move(done)); }
  void Commit(etcd::v3::TxnRequest request, Done done) override {
    const EtcdReply lost = {.status = absl::UnavailableError("Socket closed")};
    if (++commits_ == 1 && losses_ > 0) return std::move(done)(lost);
    const bool loses = commits_ <= losses_;
    client_->Commit(std::move(request), [done = std::move(done), lost, loses](EtcdReply reply) mutable {
      std::move(done)(loses ? lost : std::move(reply));
    });
  }
  [[nodiscard]] const EtcdHistory& history() const override { return client_->history(); }
  [[nodiscard]] int commits() const { return commits_; }

 private:
  const std::unique_ptr<EtcdClient> client_;
  const int losses_;
  int commits_ = 0;
};

TEST(EtcdBackendOpenTest, AFirstStartWhoseAnswersAreLostGoesOn) {
  const auto commits_with = [](int losses) {
    auto client = EtcdClient::Create(SharedEtcd().ClientOptions());
    EXPECT_THAT(client, IsOk());
    LossyClient lossy(*std::move(client), losses);
    const EtcdLayout layout(NewPrefix());
    EXPECT_THAT(CheckOrSetUp(lossy, layout), IsOk());
    EXPECT_THAT(ValueIn(lossy, layout.LayoutKey()), testing::Optional(testing::StartsWith("1 Hapax ")));
    return lossy.commits();
  };
  EXPECT_EQ(commits_with(0), 1);
  EXPECT_EQ(commits_with(1), 2);  // The first one was lost.
  EXPECT_EQ(commits_with(2), 2);  // The second one was applied, and its answer was lost.
}

TEST(EtcdBackendOpenTest, RowsOfAnotherClusterAreRefused) {
  const std::string prefix = NewPrefix();
  const EtcdOptions options = SharedEtcd().ClientOptions();
  EXPECT_THAT(OpenEtcdBackend(options, prefix), IsOk());
  EXPECT_THAT(OpenEtcdBackend(options, prefix), IsOk());
  const auto client = EtcdClient::Create(options);
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(CommitAndWait(**client, PutTxn(prefix + "/cluster", "0123456789abcdef")).status, IsOk());
  EXPECT_THAT(OpenEtcdBackend(options, prefix), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("restored")));
}

TEST(EtcdBackendOpenTest, WrongOptionsAreRefused) {
  EtcdOptions options = SharedEtcd().ClientOptions();
  for (const char* prefix : {"", "/", "hapax", "/hapax/", "/ha pax"}) {
    EXPECT_THAT(OpenEtcdBackend(options, prefix), StatusIs(StatusCode::kInvalidArgument, HasSubstr("etcd_prefix")));
  }
  for (const char* endpoint : {"", "host", "http://host:2379", "host:0", ":2379"}) {
    options.endpoints = {endpoint};
    EXPECT_THAT(OpenEtcdBackend(options, "/hapax"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("host:port")));
  }
  options.endpoints = {};
  EXPECT_THAT(OpenEtcdBackend(options, "/hapax"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(EtcdBackendOpenTest, TheLimitsAreThoseOfTheSmallestMemberAndOneThatDoesNotAnswerIsLeftOut) {
  EtcdCluster cluster({.members = 3, .member_flags = {{}, {"--max-txn-ops=1024"}, {"--max-request-bytes=1100000"}}});
  EtcdOptions options = cluster.ClientOptions();
  auto backend = OpenEtcdBackend(options, "/hapax");
  ASSERT_THAT(backend, IsOk());
  EXPECT_EQ((*backend)->limits().max_writes, 1023);
  EXPECT_LT((*backend)->limits().max_bytes, 1'100'000);

  options.attempt_timeout = absl::Milliseconds(300);
  cluster.Kill(1);
  backend = OpenEtcdBackend(options, "/hapax");
  ASSERT_THAT(backend, IsOk());
  EXPECT_GT((*backend)->limits().max_writes, 1023);

  const EtcdCluster other({.token = "other"});
  options.endpoints.push_back(other.endpoint(0));
  EXPECT_THAT(OpenEtcdBackend(options, "/hapax"),
              StatusIs(StatusCode::kFailedPrecondition, AllOf(HasSubstr(other.endpoint(0)), HasSubstr("cluster"))));
}

TEST(EtcdBackendOpenTest, RowsOfAnotherLayoutAreRefusedAndTheirReleaseIsNamed) {
  const EtcdOptions options = SharedEtcd().ClientOptions();
  const auto client = EtcdClient::Create(options);
  ASSERT_THAT(client, IsOk());
  const std::string prefix = NewPrefix();
  ASSERT_THAT(OpenEtcdBackend(options, prefix), IsOk());
  EXPECT_THAT(ValueIn(**client, prefix + "/layout"), testing::Optional(testing::StartsWith("1 Hapax ")));

  ASSERT_THAT(CommitAndWait(**client, PutTxn(prefix + "/layout", "2 Hapax 47.11")).status, IsOk());
  EXPECT_THAT(OpenEtcdBackend(options, prefix),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("have layout \"2\""), HasSubstr("has layout 1: use Hapax 47.11"))));
  ASSERT_THAT(CommitAndWait(**client, PutTxn(prefix + "/layout", "damaged")).status, IsOk());
  EXPECT_THAT(OpenEtcdBackend(options, prefix), StatusIs(StatusCode::kFailedPrecondition));

  // Set up by a release that wrote no version.
  const std::string older = NewPrefix();
  ASSERT_THAT(CommitAndWait(**client, PutTxn(older + "/cluster", *ValueIn(**client, prefix + "/cluster"))).status,
              IsOk());
  EXPECT_THAT(OpenEtcdBackend(options, older),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("use the release that wrote them")));
}

TEST(EtcdBackendOpenTest, APrefixThatIsTooLongOrLeavesTooFewRowsIsRefused) {
  const EtcdCluster cluster({.flags = {"--max-request-bytes=1048576"}});
  const std::string longest = "/" + std::string(EtcdLayout::kMaxPrefixBytes - 1, 'x');
  EXPECT_THAT(OpenEtcdBackend(cluster.ClientOptions(), longest + "x"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("256 bytes")));
  EXPECT_THAT(OpenEtcdBackend(cluster.ClientOptions(), longest),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("shorten the prefix"), HasSubstr("--max-request-bytes="))));
  const auto backend = OpenEtcdBackend(SharedEtcd().ClientOptions(), longest);
  ASSERT_THAT(backend, IsOk());
  EXPECT_GT((*backend)->limits().max_bytes, 1572864 / 2);
}

}  // namespace
}  // namespace hapax
