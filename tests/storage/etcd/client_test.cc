#include "hapax/storage/etcd/client.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/tests/storage/etcd/etcd_cluster.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/support/status_matchers.h"

// Requests to real members, and what is told when they, or the way to them, fail.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Optional;

std::unique_ptr<EtcdClient> Connect(const EtcdOptions& options) {
  auto client = EtcdClient::Create(options);
  EXPECT_THAT(client, IsOk());
  return *std::move(client);
}

TEST(EtcdClientTest, ATransactionIsAppliedIfWhatItComparesIsUnchanged) {
  const auto client = Connect(SharedEtcd().ClientOptions());
  const std::string key = NewPrefix();
  EtcdReply reply = CommitAndWait(*client, PutIfTxn(key, 0, "first"));
  ASSERT_THAT(reply.status, IsOk());
  EXPECT_TRUE(reply.response.succeeded());
  const int64_t revision = reply.response.header().revision();

  reply = CommitAndWait(*client, PutIfTxn(key, 0, "second"));
  ASSERT_THAT(reply.status, IsOk());
  EXPECT_FALSE(reply.response.succeeded());
  ASSERT_EQ(reply.response.responses(0).response_range().kvs_size(), 1);
  EXPECT_EQ(reply.response.responses(0).response_range().kvs(0).value(), "first");
  EXPECT_EQ(reply.response.responses(0).response_range().kvs(0).mod_revision(), revision);

  EXPECT_TRUE(CommitAndWait(*client, PutIfTxn(key, revision, "third")).response.succeeded());
  EXPECT_THAT(ValueIn(*client, key), Optional(std::string("third")));
}

TEST(EtcdClientTest, ALostAnswerIsTheStatusOfATransactionThatMayHaveBeenApplied) {
  TcpProxy proxy(SharedEtcd().endpoint(0));
  EtcdOptions options = SharedEtcd().ClientOptions();
  options.endpoints = {proxy.endpoint()};
  const auto client = Connect(options);
  const std::string key = NewPrefix();
  ASSERT_THAT(ValueIn(*client, key), std::nullopt);
  proxy.LoseAnswers();
  const EtcdReply reply = CommitAndWait(*client, PutTxn(key, "applied"));
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnavailable));
  EXPECT_FALSE(reply.had_no_effect);
  proxy.Forward();
  EXPECT_THAT(ValueIn(*client, key), Optional(std::string("applied")));
}

TEST(EtcdClientTest, AReadWhoseAnswerIsLostIsTriedAtAnotherMember) {
  TcpProxy proxy(SharedEtcd().endpoint(0));
  EtcdOptions options = SharedEtcd().ClientOptions();
  options.endpoints = {proxy.endpoint(), SharedEtcd().endpoint(0)};
  const auto client = Connect(options);
  const std::string key = NewPrefix();
  ASSERT_THAT(CommitAndWait(*client, PutTxn(key, "value")).status, IsOk());
  proxy.LoseAnswers();
  EXPECT_THAT(ValueIn(*client, key), Optional(std::string("value")));
}

TEST(EtcdClientTest, ATransactionOfTooManyOperationsOrBytesIsRefusedAndChangesNothing) {
  const auto client = Connect(SharedEtcd().ClientOptions());
  const std::string key = NewPrefix();
  etcd::v3::TxnRequest many;
  for (int i = 0; i <= 8192; ++i) *many.add_success() = PutTxn(key + std::to_string(i), "").success(0);
  EtcdReply reply = CommitAndWait(*client, many);
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kResourceExhausted, HasSubstr("--max-txn-ops")));
  EXPECT_TRUE(reply.had_no_effect);
  for (const size_t size : {1'600'000, 16'000'000}) {
    reply = CommitAndWait(*client, PutTxn(key, std::string(size, 'x')));
    EXPECT_THAT(reply.status, StatusIs(StatusCode::kResourceExhausted, HasSubstr("--max-request-bytes")));
    EXPECT_TRUE(reply.had_no_effect);
  }
  EXPECT_EQ(ValueIn(*client, key), std::nullopt);
}

TEST(EtcdClientTest, C32_OneRequestMoreThanMayBeUnfinishedIsRefused) {
  TcpProxy proxy(SharedEtcd().endpoint(0));
  EtcdOptions options = SharedEtcd().ClientOptions();
  options.endpoints = {proxy.endpoint()};
  options.max_requests = 1;
  const auto client = Connect(options);
  const std::string key = NewPrefix();
  proxy.HoldRequests();
  absl::Notification ended;
  client->Commit(PutTxn(key, ""), [&](const EtcdReply& reply) {
    EXPECT_FALSE(reply.had_no_effect);
    ended.Notify();
  });
  const EtcdReply refused = CommitAndWait(*client, PutTxn(key, ""));
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kUnavailable, HasSubstr("too many requests")));
  EXPECT_TRUE(refused.had_no_effect);
  proxy.CutClients();
  ended.WaitForNotification();
}

TEST(EtcdClientTest, WhatIsUnfinishedWhenTheClientIsDestroyedIsToldToHaveAnUnknownEffect) {
  TcpProxy proxy(SharedEtcd().endpoint(0));
  EtcdOptions options = SharedEtcd().ClientOptions();
  options.endpoints = {proxy.endpoint()};
  auto client = Connect(options);
  proxy.HoldRequests();
  EtcdReply reply;
  client->Commit(PutTxn(NewPrefix(), ""), [&](EtcdReply got) { reply = std::move(got); });
  client.reset();
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnavailable));
  EXPECT_FALSE(reply.had_no_effect);
}

TEST(EtcdClientTest, AnotherClusterIsFoundOutAndNothingCountsAnyMore) {
  TcpProxy proxy(SharedEtcd().endpoint(0));
  EtcdOptions options = SharedEtcd().ClientOptions();
  options.endpoints = {proxy.endpoint()};
  const auto client = Connect(options);
  ASSERT_THAT(CommitAndWait(*client, PutTxn(NewPrefix(), "")).status, IsOk());
  EtcdCluster other({.token = "restored"});
  proxy.Redirect(other.endpoint(0));
  EXPECT_THAT(ReadAndWait(*client, GetTxn("key")).status,
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("cluster id")));
  proxy.Redirect(SharedEtcd().endpoint(0));
  const EtcdReply reply = CommitAndWait(*client, PutTxn("key", ""));
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kFailedPrecondition, HasSubstr("cluster id")));
  EXPECT_TRUE(reply.had_no_effect);
}

TEST(EtcdClientTest, AClusterOfTheSameIdWhoseRevisionWentBackIsFoundOut) {
  auto first = std::make_unique<EtcdCluster>();
  const EtcdCluster::Options same = first->options();
  const auto client = Connect(first->ClientOptions());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(CommitAndWait(*client, PutTxn("key", "")).status, IsOk());
  first.reset();
  const EtcdCluster second(same);
  EXPECT_THAT(ReadAndWait(*client, GetTxn("key")).status,
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("revision went back")));
}

// Commits `txn` until an answer tells that it is applied: one that is slower than an attempt may take is lost. Ends
// after some 10 s with the last status.
absl::Status CommitUntilApplied(EtcdClient& client, const etcd::v3::TxnRequest& txn) {
  absl::Status status;
  for (int attempt = 0; attempt < 20; ++attempt) {
    status = CommitAndWait(client, txn).status;
    if (!absl::IsUnavailable(status)) break;
  }
  return status;
}

TEST(EtcdClientTest, RequestsGoToAnotherMemberWhenOneDiesOrHangs) {
  EtcdCluster cluster({.members = 3});
  EtcdOptions options = cluster.ClientOptions();
  options.attempt_timeout = absl::Milliseconds(500);
  const auto client = Connect(options);
  ASSERT_THAT(CommitUntilApplied(*client, PutTxn("key", "first")), IsOk());
  cluster.Kill(0);
  EXPECT_THAT(ValueIn(*client, "key"), Optional(std::string("first")));
  EXPECT_THAT(CommitUntilApplied(*client, PutTxn("key", "second")), IsOk());
  cluster.Start(0);
  cluster.AwaitReady(0);
  cluster.Pause(1);
  EXPECT_THAT(ValueIn(*client, "key"), Optional(std::string("second")));
  EXPECT_THAT(CommitUntilApplied(*client, PutTxn("key", "third")), IsOk());
  cluster.Kill(0);
  // One of three answers nothing.
  options.request_timeout = absl::Seconds(1);
  const auto impatient = Connect(options);
  EXPECT_THAT(ReadAndWait(*impatient, GetTxn("key")).status, StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(CommitAndWait(*impatient, PutTxn("key", "lost")).status, StatusIs(StatusCode::kUnavailable));
  cluster.Resume(1);
  EXPECT_THAT(ValueIn(*client, "key"), AnyOf(Optional(std::string("third")), Optional(std::string("lost"))));
}

TEST(EtcdClientTest, AFullDatabaseIsToldWithItsRemedyAndTakesRowsAgainAfterIt) {
  const EtcdCluster cluster({.flags = {"--quota-backend-bytes=4000000"}});
  const auto client = Connect(cluster.ClientOptions());
  const std::string value(500'000, 'x');
  EtcdReply reply;
  for (int i = 0; i < 40; ++i) {
    reply = CommitAndWait(*client, PutTxn("key", value));
    if (!reply.status.ok()) break;
  }
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnavailable, HasSubstr("NOSPACE")));
  // A member may answer so after it has applied the transaction.
  EXPECT_FALSE(reply.had_no_effect);
  EXPECT_THAT(ValueIn(*client, "key"), Optional(value));

  cluster.MakeRoom(client->history().revision());
  EXPECT_THAT(CommitAndWait(*client, PutTxn("key", "after")).status, IsOk());
}

}  // namespace
}  // namespace hapax
