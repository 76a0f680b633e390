#include "hapax/storage/remote/context.h"

#include <algorithm>
#include <utility>

namespace hapax {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(2);
constexpr int kDoublings = 7;  // To a quarter of a second.

}  // namespace

void RemoteContext::RunLater(int attempt, RemoteExecutor::Work step) {
  absl::Duration pause = kFirstPause * (1 << std::clamp(attempt, 0, kDoublings));
  {
    absl::MutexLock lock(&mu_);
    pause *= std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  }
  executor_.RunAfter(pause, std::move(step));
}

void RemoteContext::Stop(absl::Status reason) {
  absl::MutexLock lock(&mu_);
  if (status_.ok()) status_ = std::move(reason);
}

absl::Status RemoteContext::status() const {
  absl::MutexLock lock(&mu_);
  return status_;
}

void RemoteContext::Close() {
  absl::MutexLock lock(&mu_);
  closed_ = true;
}

bool RemoteContext::closed() const {
  absl::MutexLock lock(&mu_);
  return closed_;
}

}  // namespace hapax
