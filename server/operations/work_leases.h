#ifndef HAPAX_SERVER_OPERATIONS_WORK_LEASES_H_
#define HAPAX_SERVER_OPERATIONS_WORK_LEASES_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/storage/store.h"

namespace hapax {

// Tells which work is held by a server that lives, among servers that share a store. Each run of a server has one
// lease, whatever it holds, so that a renewal is one row. Work names the run that holds it (WorkRecord.holder).
//
//   table meta   key ("work_lease", holder)   value hapax.store.v1.WorkLeaseRow
//
// A lease has run out for whoever has seen its row unchanged for the lease's whole length, by a monotonic clock of its
// own. A time of day in the row would have needed clocks that agree; what it costs is that a server which has just
// started waits for a length before it takes up what another left.
//
// A holder may live and be late: its lease has run out, and its work is performed by two. So a lease alone decides
// nothing. Whoever takes work writes its own name into the work's row, and only the holder named there completes it.
//
// Thread-safety: for one thread at a time; holder() is safe.
// Lifetime: store and clock outlive it.
// Errors: the store's.
class WorkLeases {
 public:
  // `length`: for how long a lease holds after a renewal.
  WorkLeases(Store& store, const Clock& clock, absl::Duration length);

  // This run's name: 16 random bytes.
  [[nodiscard]] const std::string& holder() const { return holder_; }

  // Begins this run's lease, or lets it go on.
  [[nodiscard]] absl::Status Renew();
  // Ends this run's lease: what it holds is free at once.
  [[nodiscard]] absl::Status End();

  // Reads all leases.
  [[nodiscard]] absl::Status Look();
  // Whether work of that holder may be taken, as of the last Look: the name is empty, or there is no such lease, or it
  // has run out. Never this run's own.
  [[nodiscard]] bool IsFree(std::string_view holder) const;
  // Whether that is still so in a transaction that takes such work. Requires: IsFree.
  [[nodiscard]] absl::StatusOr<bool> IsStillFree(const ReadTransaction& txn, std::string_view holder) const;
  // Deletes the leases that had run out by the last Look; what they held is free without them, too.
  [[nodiscard]] absl::Status DeleteRunOut();

 private:
  struct Lease {
    std::string row;  // Its bytes. Damaged ones run out like others.
    absl::Duration length;
    absl::Duration unchanged_since;  // Monotonic time, as all within.
  };

  [[nodiscard]] bool HasRunOut(const Lease& lease) const { return looked_at_ - lease.unchanged_since >= lease.length; }

  Store& store_;
  const Clock& clock_;
  const absl::Duration length_;
  const std::string holder_;
  uint64_t renewals_ = 0;
  std::map<std::string, Lease, std::less<>> leases_;  // Of others, by holder.
  absl::Duration looked_at_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_LEASES_H_
