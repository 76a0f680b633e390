#ifndef HAPAX_TESTS_STORAGE_REMOTE_BACKEND_FIXTURE_H_
#define HAPAX_TESTS_STORAGE_REMOTE_BACKEND_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/support/status_matchers.h"

// Requests to a backend on a real database, that wait for their answers.
namespace hapax {

inline constexpr Table kTable = Table::kResources;

inline RemoteKey Row(const std::string& key, Table table = kTable) { return {.table = table, .key = key}; }
inline RemoteKey Granule(const std::string& key) {
  return {.kind = RemoteKey::Kind::kGranule, .table = kTable, .key = key};
}

// Waits for what `start` passes to its callback.
template <typename Result, typename Start>
Result Wait(Start start) {
  std::optional<Result> result;
  absl::Notification done;
  start([&](Result got) {
    result.emplace(std::move(got));
    done.Notify();
  });
  done.WaitForNotification();
  return *std::move(result);
}

inline RemoteFetched Fetched(RemoteBackend& backend, const RemoteFetch& fetch) {
  auto fetched = Wait<absl::StatusOr<RemoteFetched>>([&](auto done) { backend.Fetch(fetch, std::move(done)); });
  EXPECT_THAT(fetched, IsOk());
  return fetched.ok() ? *std::move(fetched) : RemoteFetched();
}

inline RemoteValue ValueOf(RemoteBackend& backend, const RemoteKey& key) {
  return Fetched(backend, {.keys = {key}}).values.at(0);
}

inline RemoteCommitted Committed(RemoteBackend& backend, const RemoteGroup& group) {
  return Wait<RemoteCommitted>([&](auto done) { backend.Commit(group, std::move(done)); });
}

inline RemoteSlotState Slot(RemoteBackend& backend) {
  auto slot = Wait<absl::StatusOr<RemoteSlotState>>([&](auto done) { backend.ReadSlot("server/0", std::move(done)); });
  EXPECT_THAT(slot, IsOk());
  return slot.ok() ? *std::move(slot) : RemoteSlotState();
}

// Raises the slot's epoch until it is known to be raised; the slot then is this.
inline RemoteSlot Taken(RemoteBackend& backend, const std::string& owner = "owner") {
  for (int tries = 0; tries < 100; ++tries) {
    const auto seen =
        Wait<absl::StatusOr<RemoteSlotState>>([&](auto done) { backend.ReadSlot("server/0", std::move(done)); });
    if (!seen.ok()) continue;
    const RemoteSlot next = {.owner = owner, .epoch = seen->value.epoch + 1, .seq = seen->value.seq};
    const auto raised =
        Wait<absl::StatusOr<bool>>([&](auto done) { backend.RaiseSlot("server/0", *seen, next, std::move(done)); });
    if (raised.ok() && *raised) return next;
  }
  ADD_FAILURE() << "the slot cannot be taken";
  return {};
}

inline absl::StatusOr<bool> IsUnchanged(RemoteBackend& backend, const std::vector<RemoteRead>& reads) {
  return Wait<absl::StatusOr<bool>>([&](auto done) { backend.Compare(reads, std::move(done)); });
}

// A backend and its slot. A subclass sets them, and has `OpenThroughProxy()`, which returns another backend of the same
// rows, whose requests pass the proxy.
class RemoteBackendFixture : public testing::Test {
 protected:
  // The next group on the slot, that writes these.
  RemoteGroup Group(std::vector<RemoteRead> reads, std::vector<RemoteGroup::Write> writes) const {
    return {.slot = "server/0", .before = slot_, .reads = std::move(reads), .writes = std::move(writes)};
  }
  // Commits it, and counts it.
  RemoteCommitted::Outcome Commit(std::vector<RemoteRead> reads, std::vector<RemoteGroup::Write> writes) {
    const RemoteCommitted::Outcome outcome = Committed(*backend_, Group(std::move(reads), std::move(writes))).outcome;
    if (outcome == RemoteCommitted::Outcome::kApplied) ++slot_.seq;
    return outcome;
  }

  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<RemoteBackend> backend_;
  RemoteSlot slot_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_BACKEND_FIXTURE_H_
