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

// Writes the time down by which tokens expire, every now and then and at the end, and says when the wall clock is ahead
// of it or behind (C29): a log line when that begins and when it ends, and the metric `hapax_clock_ahead_seconds`.
//
// Thread-safety: safe. Lifetime: what it is made of outlives it.
class TokenTimeKeeper {
 public:
  // What the two may differ by before anything is said of it.
  static constexpr absl::Duration kTolerance = absl::Minutes(1);

  TokenTimeKeeper(TokenTime& time, Store& store, spdlog::logger& logger, prometheus::Registry& registry,
                  absl::Duration interval = absl::Minutes(1));
  ~TokenTimeKeeper();
  TokenTimeKeeper(const TokenTimeKeeper&) = delete;
  TokenTimeKeeper& operator=(const TokenTimeKeeper&) = delete;

 private:
  enum class Clock { kRight, kAhead, kBehind };

  void Run(absl::Duration interval);
  void Save();
  // Compares the two, and says what is new about it.
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
