#ifndef HAPAX_STORAGE_REMOTE_SLOT_KEEPER_H_
#define HAPAX_STORAGE_REMOTE_SLOT_KEEPER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/context.h"

namespace hapax {

// A slot of a server: finds out whether a group whose answer was lost was applied.
//
//   this server                                   the database: (owner, epoch, seq)
//   group 8 on (us, 3, 7), the answer is lost     (us, 3, 7), or by then (us, 3, 8)
//   reads the slot, raises its epoch if as read   (us, 4, 7): group 8 compares epoch 3, so it is never applied
//                                                 (us, 4, 8): group 8 was applied
//
// Reading alone would not do: the group may still be on its way. Once the epoch is raised, `seq` tells the truth.
//
// Thread-safety: for one thread at a time. Callbacks run on the executor.
class SlotKeeper : public std::enable_shared_from_this<SlotKeeper> {
 public:
  using OnTaken = absl::AnyInvocable<void(absl::Status) &&>;

  SlotKeeper(std::shared_ptr<RemoteContext> context, std::string name)
      : context_(std::move(context)), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  // The value as known. Requires: the slot was taken.
  [[nodiscard]] const RemoteSlot& value() const { return value_; }
  // The group on value() was applied.
  void NoteApplied() { ++value_.seq; }

  // Start (S): takes the slot whoever owns it, and raises its epoch, so that no group of a former process is applied
  // from now on. Tries again until it succeeds, or the engine is closed: then `done` is dropped.
  // Errors: FAILED_PRECONDITION, the database is not the one that it was.
  void Start(OnTaken done) { Read(/*starts=*/true, /*attempt=*/0, std::move(done)); }

  // Resolve (V): like Start, but the slot must be ours.
  // Errors: FAILED_PRECONDITION also if another process owns the slot or the slot went back.
  void Resolve(OnTaken done) { Read(/*starts=*/false, /*attempt=*/0, std::move(done)); }

 private:
  struct Taking {
    bool starts = false;
    int attempt = 0;
    OnTaken done;
  };

  void Read(bool starts, int attempt, OnTaken done);
  void OnRead(Taking taking, absl::StatusOr<RemoteSlotState> seen);
  void OnRaised(Taking taking, RemoteSlot next, absl::StatusOr<bool> raised);
  void Retry(Taking taking);
  // Whether the slot can be the one that this process left.
  [[nodiscard]] absl::Status CheckOurs(const RemoteSlot& seen) const;

  const std::shared_ptr<RemoteContext> context_;
  const std::string name_;
  RemoteSlot value_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_SLOT_KEEPER_H_
