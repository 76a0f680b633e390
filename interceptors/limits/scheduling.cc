#include "hapax/interceptors/limits/scheduling.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>

namespace hapax {
namespace {

// Maximum number of reads that wait (call_reads.h); one tenant may have half of them.
constexpr size_t kMaxWaiting = 1000;

}  // namespace

int Scheduling::DefaultThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2); }

Scheduling::Scheduling(const MessageBudget::Options& replies, int threads)
    : reply_budget_(replies), workers_(threads, kMaxWaiting) {}

void Scheduling::Intercept(UnaryCall& call, Next next) {
  call.reply_budget = &reply_budget_;
  const auto bytes = static_cast<int64_t>(call.request_bytes().size());
  const std::string& tenant = call.principal.tenant;
  if (bytes <= MessageBudget::kSmallBytes) {
    return call.turns == nullptr ? next(call) : call.turns->InTurn(tenant, [&call, next] { next(call); });
  }
  call.OnFinish([this](UnaryCall& ended, const absl::StatusOr<std::string>&) {
    workers_.Schedule([request = std::move(ended.request)] {}, ended.principal.tenant);
  });
  workers_.Schedule([&call, next] { next(call); }, tenant, bytes);
}

}  // namespace hapax
