#ifndef HAPAX_SERVER_OPERATIONS_WORK_LEASES_H_
#define HAPAX_SERVER_OPERATIONS_WORK_LEASES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/server/operations/clock_skew.h"
#include "hapax/storage/store.h"

namespace hapax {

// Tells which work is held by a running server, among servers that share a store. Each run of a server has one lease
// for all its work, so a renewal writes one row. A work row names the run that holds it (WorkRecord.holder).
//
//   table meta   key ("work_lease", holder)   value hapax.store.v1.WorkLeaseRow
//
// A server considers a lease run out if it saw the row unchanged for the length of the lease, by its own monotonic
// clock. A time of day in the row would require clocks that agree. The cost: a server that has just started waits for
// that length before it takes up another's work.
//
// The leases also tell how far the clocks of the servers differ (clock_skew.h). A lease has the wall clock of its
// holder, read before the row was written. So that clock is ahead of the reader's by at least the difference at the end
// of the read, however long the row took. How far it is behind, the other server finds in the same way, and tells in
// its own lease.
//
// A slow holder may be alive when its lease runs out. Then two servers perform its work, so a lease alone decides
// nothing. A server that takes work writes its name into the work's row, and only the holder named there completes the
// work.
//
// Thread-safety: for one thread at a time; holder() is safe.
// Lifetime: store and clock outlive it.
// Errors: those of the store.
class WorkLeases {
 public:
  // `length`: the validity of a lease after a renewal. `server_id`: the server's own name.
  WorkLeases(Store& store, const Clock& clock, absl::Duration length, std::string server_id = "");

  // Returns the name of this run: 16 random bytes.
  [[nodiscard]] const std::string& holder() const { return holder_; }

  // Begins or renews the lease of this run. Tells other servers what the last Look saw of their clocks.
  [[nodiscard]] absl::Status Renew();
  // Ends the lease of this run, so that its work is free at once.
  [[nodiscard]] absl::Status End();

  // Reads all leases.
  [[nodiscard]] absl::Status Look();
  // Whether work of this holder may be taken, as of the last Look. That is so if the name is empty, or its lease does
  // not exist or has run out. Always false for this run.
  [[nodiscard]] bool IsFree(std::string_view holder) const;
  // Whether that still holds in a transaction that takes the work. Requires: IsFree.
  [[nodiscard]] absl::StatusOr<bool> IsStillFree(const ReadTransaction& txn, std::string_view holder) const;
  // Deletes the leases that had run out at the last Look. Their work stays free.
  [[nodiscard]] absl::Status DeleteRunOut();

  // Returns what is known of the clocks of other servers, as of the last Look. Leaves out servers of an older version,
  // which do not tell theirs, and earlier runs of this server.
  [[nodiscard]] std::vector<OtherClock> Clocks() const;

  // What the leases say of other servers.
  enum class Others {
    kNone,     // No other server had a lease at the last look, or it had run out and is deleted.
    kUnknown,  // There are leases that have not been renewed, and may run out.
    kRun,      // A lease was renewed since the first look.
  };
  // Looks, and deletes leases that have run out.
  [[nodiscard]] absl::StatusOr<Others> LookForOthers();
  // Whether no other run has a lease, be it run out.
  [[nodiscard]] absl::StatusOr<bool> IsAlone(const ReadTransaction& txn) const;

 private:
  struct Lease {
    std::string row;  // The bytes of the row. Damaged rows run out, too.
    absl::Duration length;
    absl::Duration unchanged_since;  // Monotonic time, as everywhere in this class.
    absl::Duration first_seen;
    bool renewed = false;  // Since the first look at it.
    std::string server_id;
    std::optional<absl::Time> wall_time;   // The wall clock of its holder, read before the row was written.
    std::optional<absl::Duration> ahead;   // At the look that saw the row change: OtherClock::ahead.
    std::optional<absl::Duration> behind;  // OtherClock::behind.
  };

  [[nodiscard]] Lease LeaseOf(std::string_view key, std::string_view value) const;
  [[nodiscard]] bool HasRunOut(const Lease& lease) const { return looked_at_ - lease.unchanged_since >= lease.length; }

  Store& store_;
  const Clock& clock_;
  const absl::Duration length_;
  const std::string server_id_;
  const std::string holder_;
  uint64_t renewals_ = 0;
  std::map<std::string, Lease, std::less<>> leases_;  // The leases of other runs, by holder.
  absl::Duration looked_at_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_LEASES_H_
