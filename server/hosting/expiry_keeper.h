#ifndef HAPAX_SERVER_HOSTING_EXPIRY_KEEPER_H_
#define HAPAX_SERVER_HOSTING_EXPIRY_KEEPER_H_

#include <cstdint>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/base/monitor.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/storage/expiry_sweep.h"
#include "hapax/storage/store.h"
#include "spdlog/logger.h"

namespace hapax {

// Sweeps expired tokens periodically, among servers that share a store whose engine does not expire rows itself. One of
// them sweeps at a time.
//
//   table meta   key ("expiry_sweep")   value hapax.store.v1.ExpirySweepRow
//
// Whoever finds the row as at its last look sweeps, and counts that in the row. So the turn passes on when a server
// dies, and no clocks need to agree.
//
// A record is swept kLag after its time. By then each server has learnt of that time (TokenTime::Save), so none of them
// still judges by an earlier one that the record was to be there.
//
// Thread-safety: safe. Lifetime: the constructor's arguments outlive it.
class ExpiryKeeper {
 public:
  static constexpr absl::Duration kLag = absl::Minutes(5);

  // `time`: the durable time by which tokens expire. Infinite `interval`: only Tend sweeps.
  ExpiryKeeper(const TimeSource& time, Store& store, spdlog::logger& logger,
               absl::Duration interval = absl::Minutes(1));
  ~ExpiryKeeper();
  ExpiryKeeper(const ExpiryKeeper&) = delete;
  ExpiryKeeper& operator=(const ExpiryKeeper&) = delete;

  // Sweeps the whole table if it is this server's turn. Its own thread calls it every `interval`. Returns whether it
  // was. Errors: those of the store.
  [[nodiscard]] absl::StatusOr<bool> Tend();

 private:
  // The time of kLag ago.
  class LateTime final : public TimeSource {
   public:
    explicit LateTime(const TimeSource& time) : time_(time) {}
    [[nodiscard]] absl::Time Now() const override { return time_.Now() - kLag; }

   private:
    const TimeSource& time_;
  };

  void Run(absl::Duration interval);
  [[nodiscard]] absl::StatusOr<bool> TakeTurn();

  Store& store_;
  spdlog::logger& logger_;
  const LateTime time_;
  const TokenExpiry rule_{time_};
  ExpirySweep sweep_{store_, rule_};
  int64_t seen_ = -1;    // The row's number at the last look.
  bool failed_ = false;  // The last sweep.
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_EXPIRY_KEEPER_H_
