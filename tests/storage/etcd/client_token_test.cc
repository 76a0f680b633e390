#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/tests/storage/etcd/fake_etcd.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// The wait for a token, and the end of a client, with members that answer as none does.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class EtcdClientTokenTest : public testing::Test {
 protected:
  // A client of a user.
  std::unique_ptr<EtcdClient> Connect(const FakeEtcd& etcd, absl::Duration request_timeout) const {
    const std::string path = dir_.Path("credentials");
    std::ofstream(path) << "user:password";
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    auto client = EtcdClient::Create({.endpoints = {etcd.endpoint()},
                                      .files = {.credentials_file = path},
                                      .attempt_timeout = absl::Hours(1),
                                      .request_timeout = request_timeout});
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }

  const TempDir dir_;
};

TEST_F(EtcdClientTokenTest, AnEmptyTokenIsARefusal) {
  const FakeEtcd etcd(FakeEtcd::Answers::kEmpty);
  const auto client = Connect(etcd, absl::Hours(1));
  const EtcdReply reply = CommitAndWait(*client, PutTxn("key", ""));
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnauthenticated, HasSubstr("token")));
  EXPECT_TRUE(reply.had_no_effect);
}

TEST_F(EtcdClientTokenTest, ARequestWaitsForATokenNoLongerThanItsOwnTime) {
  const FakeEtcd etcd(FakeEtcd::Answers::kNone);
  const auto client = Connect(etcd, absl::Milliseconds(20));
  for (int i = 0; i < 3; ++i) {
    const EtcdReply reply = CommitAndWait(*client, PutTxn("key", ""));
    EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnavailable, HasSubstr("token")));
    EXPECT_TRUE(reply.had_no_effect);
  }
}

TEST_F(EtcdClientTokenTest, ARequestThatWaitsForATokenEndsWithTheClient) {
  const FakeEtcd etcd(FakeEtcd::Answers::kNone);
  auto client = Connect(etcd, absl::Hours(1));
  EtcdReply reply;
  client->Commit(PutTxn("key", ""), [&](EtcdReply got) { reply = std::move(got); });
  client.reset();
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnavailable, HasSubstr("closing")));
  EXPECT_TRUE(reply.had_no_effect);
}

// The thread that sent a request may still be within gRPC when its answer has come.
TEST_F(EtcdClientTokenTest, AClientMayBeDestroyedAsSoonAsItsRequestsAreDone) {
  const FakeEtcd etcd(FakeEtcd::Answers::kEmpty);
  for (int i = 0; i < 100; ++i) {
    auto client = *EtcdClient::Create({.endpoints = {etcd.endpoint()}});
    absl::Notification done;
    std::thread sender([&, &own = *client] {
      own.Read(GetTxn("key"), [&](const EtcdReply& reply) {
        EXPECT_THAT(reply.status, IsOk());
        done.Notify();
      });
    });
    done.WaitForNotification();
    client.reset();
    sender.join();
  }
}

}  // namespace
}  // namespace hapax
