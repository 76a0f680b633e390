#ifndef HAPAX_INTERCEPTORS_TELEMETRY_H_
#define HAPAX_INTERCEPTORS_TELEMETRY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/interceptors/interceptor.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// Counts every call and writes one structured log line for it.
//
// Metrics: `hapax_calls_total{method, result}` and `hapax_call_seconds{method}`. The result of a mutating call that
// succeeded is its outcome, that of a read is `ok`. The result of a failed call is its reason, also a service's own, or
// its code when it has none.
//
// Log line: a JSON object with method, tenant, result and seconds. For an error of the server it has the cause as well,
// and level warning instead of info. It holds no request field, token, credential or reply.
//
// Thread-safety: safe.
// Lifetime: registry and logger outlive it.
class Telemetry final : public UnaryInterceptor {
 public:
  Telemetry(prometheus::Registry& registry, spdlog::logger& logger);
  void Intercept(UnaryCall& call, Next next) override;

 private:
  // The call's result: a name with static storage, or a string in own_reasons_.
  [[nodiscard]] std::string_view ResultOf(const UnaryCall& call, const absl::Status& status);
  void Record(const UnaryCall& call, const absl::Status& status, absl::Duration duration);
  [[nodiscard]] prometheus::Counter& CounterOf(const Method& method, std::string_view result);
  [[nodiscard]] prometheus::Histogram& HistogramOf(const Method& method);

  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  spdlog::logger& logger_;

  // The reasons of hosted services, at most kMaxOwnReasons. Its strings do not move.
  absl::node_hash_set<std::string> own_reasons_ ABSL_GUARDED_BY(mu_);
  // Looking up a metric by its labels is slow, so each is looked up once. The key's string has static storage.
  absl::Mutex mu_;
  absl::flat_hash_map<std::pair<const Method*, std::string_view>, prometheus::Counter*> counters_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<const Method*, prometheus::Histogram*> histograms_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_TELEMETRY_H_
