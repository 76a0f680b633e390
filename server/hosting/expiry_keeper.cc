#include "hapax/server/hosting/expiry_keeper.h"

#include <cstdint>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/server.pb.h"

namespace hapax {
namespace {

std::string MetaKey() { return KeyBuilder().String("expiry_sweep").Build(); }

}  // namespace

ExpiryKeeper::ExpiryKeeper(const TimeSource& time, Store& store, spdlog::logger& logger, absl::Duration interval)
    : store_(store), logger_(logger), time_(time), thread_([this, interval] { Run(interval); }) {}

ExpiryKeeper::~ExpiryKeeper() {
  stop_.Give();
  thread_.join();
}

void ExpiryKeeper::Run(absl::Duration interval) {
  while (!stop_.AwaitFor(interval)) {
    const absl::Status status = Tend().status();
    if (!status.ok() && !failed_) logger_.warn("expired tokens are not deleted: {}", status.ToString());
    failed_ = !status.ok();
  }
}

absl::StatusOr<bool> ExpiryKeeper::Tend() {
  HAPAX_ASSIGN_OR_RETURN(const bool is_my_turn, TakeTurn());
  if (!is_my_turn) return false;
  int64_t changed = 0;
  for (bool at_end = false; !at_end && !stop_.AwaitFor(absl::ZeroDuration());) {
    HAPAX_ASSIGN_OR_RETURN(const ExpirySweep::Page page, sweep_.Next());
    changed += page.changed;
    at_end = page.at_end;
  }
  if (changed > 0) logger_.info("{} expired tokens were deleted, or reduced to what keeps them refused", changed);
  return true;
}

absl::StatusOr<bool> ExpiryKeeper::TakeTurn() {
  store::v1::ExpirySweepRow row;
  bool is_my_turn = false;
  HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store_, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(auto found, GetRow<store::v1::ExpirySweepRow>(txn, Table::kMeta, MetaKey()));
    row = std::move(found).value_or(store::v1::ExpirySweepRow());
    is_my_turn = row.sweeps() == seen_;
    if (!is_my_turn) return absl::OkStatus();
    row.set_sweeps(row.sweeps() + 1);
    PutRow(txn, Table::kMeta, MetaKey(), row);
    return absl::OkStatus();
  }));
  seen_ = row.sweeps();
  return is_my_turn;
}

}  // namespace hapax
