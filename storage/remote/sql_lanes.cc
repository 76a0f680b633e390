#include "hapax/storage/remote/sql_lanes.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hapax {

// Of a thread, for the state of a slot.
struct SqlLanes::Wait {
  Monitor mu;
  bool is_known ABSL_GUARDED_BY(mu) = false;
  absl::Status status ABSL_GUARDED_BY(mu);
  std::unique_ptr<SqlLane> left ABSL_GUARDED_BY(mu);  // By the thread, which waits no more.
};

SqlLanes::SqlLanes(std::shared_ptr<RemoteContext> context) : context_(std::move(context)) {
  for (int i = 0; i < context_->options().sql_lanes; ++i) {
    auto lane = std::make_unique<SqlLane>();
    lane->slot = std::make_shared<SlotKeeper>(context_, absl::StrCat(context_->options().slot, "/sql/", i));
    lane->session = context_->backend().NewSqlSession();
    free_.push_back(std::move(lane));
  }
}

std::unique_ptr<SqlLane> SqlLanes::Take(absl::Duration deadline) {
  std::unique_ptr<SqlLane> lane;
  {
    MonitorLock lock(&mu_);
    const auto may_go_on = [this]()
                               ABSL_NO_THREAD_SAFETY_ANALYSIS { return !free_.empty() || !context_->status().ok(); };
    if (!mu_.AwaitUntil(may_go_on, deadline) || free_.empty()) return nullptr;
    lane = std::move(free_.back());
    free_.pop_back();
  }
  if (lane->is_taken) return lane;
  const absl::StatusOr<bool> taken = AwaitSlot(lane, deadline);
  return taken.ok() && *taken ? std::move(lane) : nullptr;
}

void SqlLanes::Return(std::unique_ptr<SqlLane> lane) {
  MonitorLock lock(&mu_);
  free_.push_back(std::move(lane));
  mu_.WakeAll();
}

void SqlLanes::Stop(const absl::Status& reason) {
  context_->Stop(reason);
  MonitorLock lock(&mu_);
  mu_.WakeAll();
}

absl::StatusOr<bool> SqlLanes::Resolve(std::unique_ptr<SqlLane>& lane, absl::Duration deadline) {
  return AwaitSlot(lane, deadline);
}

absl::StatusOr<bool> SqlLanes::AwaitSlot(std::unique_ptr<SqlLane>& lane, absl::Duration deadline) {
  const auto wait = std::make_shared<Wait>();
  auto known = [self = shared_from_this(), wait](absl::Status status) {
    if (!status.ok()) self->Stop(status);
    std::unique_ptr<SqlLane> left;
    {
      MonitorLock lock(&wait->mu);
      wait->is_known = true;
      wait->status = status;
      left = std::move(wait->left);
      wait->mu.WakeAll();
    }
    if (left == nullptr || !status.ok()) return;
    left->is_taken = true;
    self->Return(std::move(left));
  };
  if (lane->is_taken) {
    lane->slot->Resolve(std::move(known));
  } else {
    lane->slot->Start(std::move(known));
  }
  MonitorLock lock(&wait->mu);
  const bool is_known = wait->mu.AwaitUntil([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return wait->is_known; }, deadline);
  if (!is_known) {
    wait->left = std::move(lane);
    return false;
  }
  if (!wait->status.ok()) return wait->status;
  lane->is_taken = true;
  return true;
}

}  // namespace hapax
