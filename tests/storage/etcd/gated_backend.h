#ifndef HAPAX_TESTS_STORAGE_ETCD_GATED_BACKEND_H_
#define HAPAX_TESTS_STORAGE_ETCD_GATED_BACKEND_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// When commits of a GatedBackend go on, and what they compare. Thread-safety: safe.
class Gate {
 public:
  // Has a backend not compare what groups read of this kind: it must be found out.
  void Ignore(RemoteKey::Kind kind) {
    absl::MutexLock lock(&mu_);
    ignored_ = kind;
  }
  // The next commit waits until Open.
  void Close() {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }
  void AwaitCommit() {
    absl::MutexLock lock(&mu_);
    const auto one_waits = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !waiting_.empty(); };
    mu_.Await(absl::Condition(&one_waits));
  }
  void Open() {
    std::vector<absl::AnyInvocable<void() &&>> released;
    {
      absl::MutexLock lock(&mu_);
      closed_ = false;
      released.swap(waiting_);
    }
    for (auto& commit : released) std::move(commit)();
  }

  // Of the backend.
  void Pass(RemoteGroup& group) {
    absl::MutexLock lock(&mu_);
    if (!ignored_.has_value()) return;
    std::erase_if(group.reads,
                  [&](const RemoteRead& read) ABSL_NO_THREAD_SAFETY_ANALYSIS { return read.key.kind == *ignored_; });
  }
  void Enter(absl::AnyInvocable<void() &&> commit) {
    {
      absl::MutexLock lock(&mu_);
      if (closed_) {
        waiting_.push_back(std::move(commit));
        return;
      }
    }
    std::move(commit)();
  }

 private:
  absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<RemoteKey::Kind> ignored_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::AnyInvocable<void() &&>> waiting_ ABSL_GUARDED_BY(mu_);
};

// A backend whose commits pass a gate, which outlives it.
class GatedBackend final : public RemoteBackend {
 public:
  GatedBackend(std::unique_ptr<RemoteBackend> base, Gate& gate) : base_(std::move(base)), gate_(gate) {}

  [[nodiscard]] RemoteLimits limits() const override { return base_->limits(); }
  void Fetch(RemoteFetch fetch, OnFetched done) override { base_->Fetch(std::move(fetch), std::move(done)); }
  void Compare(std::vector<RemoteRead> reads, OnCompared done) override {
    base_->Compare(std::move(reads), std::move(done));
  }
  void Commit(RemoteGroup group, OnCommitted done) override {
    gate_.Pass(group);
    gate_.Enter([this, group = std::move(group), done = std::move(done)]() mutable {
      base_->Commit(std::move(group), std::move(done));
    });
  }
  void ReadSlot(const std::string& slot, OnSlotRead done) override { base_->ReadSlot(slot, std::move(done)); }
  void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                 OnSlotRaised done) override {
    base_->RaiseSlot(slot, seen, next, std::move(done));
  }

 private:
  const std::unique_ptr<RemoteBackend> base_;
  Gate& gate_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_GATED_BACKEND_H_
