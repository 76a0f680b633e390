#ifndef HAPAX_SERVER_HOSTING_TOKEN_TIME_KEEPER_H_
#define HAPAX_SERVER_HOSTING_TOKEN_TIME_KEEPER_H_

#include <thread>

#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/storage/store.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// Stores the time by which tokens expire, periodically and at the end. It reports when the wall clock is ahead of that
// time or behind it (C29): a log line at the beginning and the end of such a period, and the metric
// `hapax_clock_ahead_seconds`.
//
// Thread-safety: safe.
// Lifetime: the constructor's arguments outlive it.
class TokenTimeKeeper {
 public:
  // Maximum difference of the two times that is not reported.
  static constexpr absl::Duration kTolerance = absl::Minutes(1);
  // How often the time is stored.
  static constexpr absl::Duration kInterval = absl::Minutes(1);

  TokenTimeKeeper(TokenTime& time, Store& store, spdlog::logger& logger, prometheus::Registry& registry,
                  absl::Duration interval = kInterval);
  ~TokenTimeKeeper();
  TokenTimeKeeper(const TokenTimeKeeper&) = delete;
  TokenTimeKeeper& operator=(const TokenTimeKeeper&) = delete;

 private:
  enum class Clock { kRight, kAhead, kBehind };

  void Run(absl::Duration interval);
  void Save();
  // Compares the two times, and reports a change.
  void Compare();

  TokenTime& time_;
  Store& store_;
  spdlog::logger& logger_;
  prometheus::Gauge& clock_ahead_;
  Clock told_ = Clock::kRight;
  bool save_failed_ = false;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_TOKEN_TIME_KEEPER_H_
