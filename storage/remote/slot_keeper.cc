#include "hapax/storage/remote/slot_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hapax {

void SlotKeeper::Read(bool starts, int attempt, OnTaken done) {
  if (context_->closed()) return;
  context_->backend().ReadSlot(name_, [self = shared_from_this(),
                                       taking = Taking{.starts = starts, .attempt = attempt, .done = std::move(done)}](
                                          absl::StatusOr<RemoteSlotState> seen) mutable {
    self->context_->executor().Run([self, taking = std::move(taking), seen = std::move(seen)]() mutable {
      self->OnRead(std::move(taking), std::move(seen));
    });
  });
}

void SlotKeeper::OnRead(Taking taking, absl::StatusOr<RemoteSlotState> seen) {
  context_->NoteRead(seen.status());
  if (absl::IsFailedPrecondition(seen.status())) return std::move(taking.done)(std::move(seen).status());
  if (!seen.ok()) return Retry(std::move(taking));
  if (!taking.starts) {
    if (absl::Status ours = CheckOurs(seen->value); !ours.ok()) return std::move(taking.done)(std::move(ours));
  }
  const RemoteSlot next{.owner = context_->options().owner, .epoch = seen->value.epoch + 1, .seq = seen->value.seq};
  context_->backend().RaiseSlot(
      name_, *seen, next,
      [self = shared_from_this(), taking = std::move(taking), next](absl::StatusOr<bool> raised) mutable {
        self->context_->executor().Run([self, taking = std::move(taking), next, raised = std::move(raised)]() mutable {
          self->OnRaised(std::move(taking), next, std::move(raised));
        });
      });
}

void SlotKeeper::OnRaised(Taking taking, RemoteSlot next, absl::StatusOr<bool> raised) {
  context_->NoteWrite(raised.status());
  if (absl::IsFailedPrecondition(raised.status())) return std::move(taking.done)(std::move(raised).status());
  // Not raised, or nobody knows: the next read tells.
  if (!raised.ok() || !*raised) return Retry(std::move(taking));
  value_ = std::move(next);
  std::move(taking.done)(absl::OkStatus());
}

void SlotKeeper::Retry(Taking taking) {
  const int attempt = taking.attempt;
  context_->RunLater(attempt, [self = shared_from_this(), taking = std::move(taking)]() mutable {
    self->Read(taking.starts, taking.attempt + 1, std::move(taking.done));
  });
}

absl::Status SlotKeeper::CheckOurs(const RemoteSlot& seen) const {
  if (seen.owner != value_.owner) {
    return absl::FailedPreconditionError(
        absl::StrCat("another process took the slot ", name_, ": two servers have the same id"));
  }
  if (seen.epoch < value_.epoch || seen.seq < value_.seq) {
    return absl::FailedPreconditionError(absl::StrCat("the slot ", name_, " went back to number ", seen.seq, " from ",
                                                      value_.seq,
                                                      ": the database lost commits that it had acknowledged"));
  }
  return absl::OkStatus();
}

}  // namespace hapax
