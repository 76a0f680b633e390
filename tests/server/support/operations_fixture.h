#ifndef HAPAX_TESTS_SERVER_SUPPORT_OPERATIONS_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_OPERATIONS_FIXTURE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/counted_ids.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {

// Operations on a store of their own. What they work on, and what they make, is a Duration: any message does.
class OperationsTest : public testing::Test {
 protected:
  using Operation = Operations::Operation;

  static constexpr char kTenant[] = "tenant";
  static constexpr char kOtherTenant[] = "other-tenant";
  static constexpr absl::Time kStart = absl::FromUnixSeconds(1'000'000'000);

  [[nodiscard]] absl::Status BeginInto(google::protobuf::Message& reply) {
    return Execute(*store_, [&](Transaction& txn) {
      return operations_.Begin(txn, {.tenant = kTenant, .now = kStart}, ToProtoDuration(absl::Seconds(7)), &reply);
    });
  }
  [[nodiscard]] Operation Begin(const std::string& tenant = kTenant) {
    Operation operation;
    EXPECT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          auto begun = operations_.Begin(txn, {.tenant = tenant, .now = kStart},
                                                         ToProtoDuration(absl::Seconds(7)));
                          if (begun.ok()) operation = *std::move(begun);
                          return begun.status();
                        }),
                IsOk());
    return operation;
  }
  absl::Status Succeed(const std::string& name, const std::string& tenant = kTenant) {
    return Execute(*store_, [&](Transaction& txn) {
      return operations_.Succeed(txn, tenant, name, ToProtoDuration(absl::Seconds(8)));
    });
  }
  absl::Status Fail(const std::string& name, const absl::Status& error) {
    return Execute(*store_, [&](Transaction& txn) { return operations_.Fail(txn, kTenant, name, error); });
  }
  absl::StatusOr<Operation> Get(const std::string& name, const std::string& tenant = kTenant) {
    absl::StatusOr<Operation> operation;
    HAPAX_RETURN_IF_ERROR(Query(*store_, [&](const ReadTransaction& txn) {
      operation = Operations::Get(txn, tenant, name);
      return operation.status();
    }));
    return operation;
  }

  const TempDir dir_;
  CountedIds ids_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  OperationWaiters waiters_{/*max_waiting=*/3};
  const Operations operations_{ids_, waiters_};
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_OPERATIONS_FIXTURE_H_
