#ifndef HAPAX_TESTS_STORAGE_REMOTE_CLUSTER_BACKEND_H_
#define HAPAX_TESTS_STORAGE_REMOTE_CLUSTER_BACKEND_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/worker_pool.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/tests/storage/remote/sim_cluster.h"

namespace hapax {

// A cluster for several threads. Thread-safety: safe.
class SharedCluster {
 public:
  template <typename F>
  auto With(F f) {
    absl::MutexLock lock(&mu_);
    return f(cluster_);
  }

 private:
  absl::Mutex mu_;
  SimCluster cluster_ ABSL_GUARDED_BY(mu_);
};

// A backend with a thread of its own. It loses `lost_percent` of the answers to commits and raises; half of these took
// effect.
class ClusterBackend final : public RemoteBackend {
 public:
  explicit ClusterBackend(std::shared_ptr<SharedCluster> cluster, int lost_percent = 0, uint64_t seed = 0)
      : cluster_(std::move(cluster)), lost_percent_(lost_percent), random_(seed) {}

  [[nodiscard]] RemoteLimits limits() const override {
    return {.max_reads = 8'192, .max_writes = 8'192, .max_bytes = int64_t{1} << 24};
  }
  void Fetch(RemoteFetch fetch, OnFetched done) override {
    Answer(std::move(done),
           [this, fetch = std::move(fetch)] { return cluster_->With([&](SimCluster& c) { return c.Fetch(fetch); }); });
  }
  void Compare(std::vector<RemoteRead> reads, OnCompared done) override {
    Answer(std::move(done), [this, reads = std::move(reads)] {
      return cluster_->With([&](SimCluster& c) { return c.AreUnchanged(reads); });
    });
  }
  void Commit(RemoteGroup group, OnCommitted done) override {
    Answer(std::move(done), [this, group = std::move(group)]() -> RemoteCommitted {
      const RemoteCommitted unknown{.status = absl::UnavailableError("lost")};
      const bool loses = Loses();
      if (loses && random_() % 2 == 0) return unknown;
      RemoteCommitted committed = cluster_->With([&](SimCluster& c) { return c.Commit(group); });
      return loses ? unknown : committed;
    });
  }
  void ReadSlot(const std::string& slot, OnSlotRead done) override {
    Answer(std::move(done), [this, slot] { return cluster_->With([&](SimCluster& c) { return c.ReadSlot(slot); }); });
  }
  void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                 OnSlotRaised done) override {
    Answer(std::move(done), [this, slot, seen, next]() -> absl::StatusOr<bool> {
      absl::StatusOr<bool> raised = cluster_->With([&](SimCluster& c) { return c.RaiseSlot(slot, seen, next); });
      if (Loses()) return absl::UnavailableError("lost");
      return raised;
    });
  }

 private:
  template <typename Done, typename F>
  void Answer(Done done, F make) {
    thread_.Schedule([done = std::move(done), make = std::move(make)]() mutable { std::move(done)(make()); },
                     /*party=*/"");
  }
  // On the thread.
  bool Loses() { return static_cast<int>(random_() % 100) < lost_percent_; }

  const std::shared_ptr<SharedCluster> cluster_;
  const int lost_percent_;
  std::mt19937_64 random_;  // Of the thread.
  WorkerPool thread_{/*threads=*/1, std::numeric_limits<size_t>::max()};
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_CLUSTER_BACKEND_H_
