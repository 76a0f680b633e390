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
// Metrics: `hapax_calls_total{method, result}` and `hapax_call_seconds{method}`, where result is the outcome
// of a mutating call that succeeded, `ok` for a read, else the reason, a service's own one included, or the code of an
// error that has none.
// Log line: method, tenant, result and seconds, as members of a JSON object, and of an error of the server's own its
// cause; level info, or warning for such an error. It holds no request field, token, credential or reply.
//
// Thread-safety: safe.
// Lifetime: registry and logger outlive it.
class Telemetry final : public UnaryInterceptor {
 public:
  Telemetry(prometheus::Registry& registry, spdlog::logger& logger);
  void Intercept(UnaryCall& call, Next next) override;

 private:
  // How the call ended: a name with static storage, or one of own_reasons_.
  [[nodiscard]] std::string_view ResultOf(const UnaryCall& call, const absl::Status& status);
  void Record(const UnaryCall& call, const absl::Status& status, absl::Duration duration);
  [[nodiscard]] prometheus::Counter& CounterOf(const Method& method, std::string_view result);
  [[nodiscard]] prometheus::Histogram& HistogramOf(const Method& method);

  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  spdlog::logger& logger_;

  // Reasons of hosted services, at most kMaxOwnReasons. Its strings stay where they are.
  absl::node_hash_set<std::string> own_reasons_ ABSL_GUARDED_BY(mu_);
  // Finding a metric by its labels is slow, so each is found once. The key's string has static storage.
  absl::Mutex mu_;
  absl::flat_hash_map<std::pair<const Method*, std::string_view>, prometheus::Counter*> counters_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<const Method*, prometheus::Histogram*> histograms_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_TELEMETRY_H_
