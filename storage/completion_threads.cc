#include "hapax/storage/completion_threads.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hapax {
namespace {

// Up to so many are told by the thread that delivers them.
constexpr size_t kInlineCount = 2;
// So many are told by one thread before another may help.
constexpr size_t kShareCount = 16;

void Tell(std::vector<Completion> completions) {
  for (Completion& completion : completions) {
    if (completion.status.ok()) {
      for (auto& hook : completion.hooks) hook();
    }
    std::move(completion.done)(std::move(completion.status));
  }
}

}  // namespace

CompletionThreads::CompletionThreads(int count) {
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { Run(); });
}

CompletionThreads::~CompletionThreads() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void CompletionThreads::Deliver(std::vector<Completion> completions) {
  if (completions.size() <= kInlineCount) {
    Tell(std::move(completions));
    return;
  }
  absl::MutexLock lock(&mu_);
  auto begin = std::make_move_iterator(completions.begin());
  const auto end = std::make_move_iterator(completions.end());
  while (begin != end) {
    const auto share_end = begin + std::min<ptrdiff_t>(kShareCount, end - begin);
    waiting_.emplace_back(begin, share_end);
    begin = share_end;
  }
}

void CompletionThreads::Run() {
  const auto something_to_do = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closing_ || !waiting_.empty(); };
  while (true) {
    std::vector<Completion> share;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(&something_to_do));
      if (waiting_.empty()) return;
      share = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Tell(std::move(share));
  }
}

}  // namespace hapax
