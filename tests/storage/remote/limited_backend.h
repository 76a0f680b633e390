#ifndef HAPAX_TESTS_STORAGE_REMOTE_LIMITED_BACKEND_H_
#define HAPAX_TESTS_STORAGE_REMOTE_LIMITED_BACKEND_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hapax/storage/remote/backend.h"

namespace hapax {

// A backend with limits of its own; what exceeds them is refused by the engine, not here.
class LimitedBackend final : public RemoteBackend {
 public:
  LimitedBackend(std::unique_ptr<RemoteBackend> base, const RemoteLimits& limits)
      : base_(std::move(base)), limits_(limits) {}

  [[nodiscard]] RemoteLimits limits() const override { return limits_; }
  void Fetch(RemoteFetch fetch, OnFetched done) override { base_->Fetch(std::move(fetch), std::move(done)); }
  void Compare(std::vector<RemoteRead> reads, OnCompared done) override {
    base_->Compare(std::move(reads), std::move(done));
  }
  void Commit(RemoteGroup group, OnCommitted done) override { base_->Commit(std::move(group), std::move(done)); }
  void ReadSlot(const std::string& slot, OnSlotRead done) override { base_->ReadSlot(slot, std::move(done)); }
  void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                 OnSlotRaised done) override {
    base_->RaiseSlot(slot, seen, next, std::move(done));
  }

 private:
  const std::unique_ptr<RemoteBackend> base_;
  const RemoteLimits limits_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_LIMITED_BACKEND_H_
