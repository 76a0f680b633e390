#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/storage/remote/store.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// A store whose etcd has reached its quota.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr Table kTable = Table::kResources;

absl::Status PutRow(Store& store, const std::string& value) {
  return Execute(store, [&](Transaction& txn) {
    txn.Put(kTable, "row", value);
    return absl::OkStatus();
  });
}

TEST(EtcdFullDatabaseTest, WritesAreToldWhatToDoReadsGoOnAndWritesGoOnOnceThereIsRoom) {
  const EtcdCluster cluster({.flags = {"--quota-backend-bytes=4000000"}});
  auto backend = ConnectBackend(cluster.ClientOptions(), "/hapax");
  ASSERT_THAT(backend, IsOk());
  RemoteStore store(*std::move(backend), {.slot = "server", .owner = NewOwner(), .patience = absl::Milliseconds(500)});
  const std::string value(500'000, 'x');
  absl::Status told;
  for (int i = 0; i < 40 && told.ok(); ++i) told = PutRow(store, value);
  EXPECT_THAT(told, StatusIs(StatusCode::kUnavailable, HasSubstr("NOSPACE")));
  EXPECT_THAT(store.health(), StatusIs(StatusCode::kUnavailable, HasSubstr("NOSPACE")));
  EXPECT_THAT(store.status(), IsOk());

  std::optional<std::string> read;
  const auto read_row = [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(read, txn.Get(kTable, "row"));
    return absl::OkStatus();
  };
  EXPECT_THAT(Query(store, read_row), IsOk());
  EXPECT_EQ(read, value);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(PutRow(store, "small"), StatusIs(StatusCode::kUnavailable, HasSubstr("NOSPACE")));
    EXPECT_THAT(Execute(store, read_row), IsOk()) << "a transaction that only reads";
  }

  const auto client = EtcdClient::Create(cluster.ClientOptions());
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(ValueIn(**client, "key"), std::nullopt);
  cluster.MakeRoom((*client)->history().revision());
  // Until a slot is of use again.
  for (int tries = 0; tries < 10'000 && !PutRow(store, "after").ok(); ++tries) {
  }
  EXPECT_THAT(PutRow(store, "later"), IsOk());
  EXPECT_THAT(store.health(), IsOk());
}

}  // namespace
}  // namespace hapax
