#include "hapax/interceptors/telemetry.h"

#include <optional>
#include <string>
#include <utility>

#include "hapax/base/clock.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr std::string_view kOk = "ok";
// Each reason makes a series of the metrics, so a handler that makes up reasons must be bounded.
constexpr size_t kMaxOwnReasons = 1000;

const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const prometheus::Histogram::BucketBoundaries kSeconds = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
  return kSeconds;
}

std::string_view CodeName(absl::StatusCode code) {
  // Static, like the codes.
  static const auto* const kNames = [] {
    auto* names = new absl::flat_hash_map<absl::StatusCode, std::string>();
    for (int i = 0; i <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++i) {
      (*names)[static_cast<absl::StatusCode>(i)] = absl::StatusCodeToString(static_cast<absl::StatusCode>(i));
    }
    return names;
  }();
  return kNames->at(code);
}

// The text without characters that a JSON string would have to escape.
std::string Quotable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = ' ';
    if (c == '"' || c == '\\') c = '\'';
  }
  return text;
}

bool IsServersOwn(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kDataLoss;
}

}  // namespace

Telemetry::Telemetry(prometheus::Registry& registry, spdlog::logger& logger)
    : calls_(prometheus::BuildCounter()
                 .Name("hapax_calls_total")
                 .Help("Calls that ended, by method and result.")
                 .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name("hapax_call_seconds")
                   .Help("Seconds from a call's arrival to its reply.")
                   .Register(registry)),
      logger_(logger) {}

void Telemetry::Intercept(UnaryCall& call, Next next) {
  call.OnFinish([this, arrival = MonotonicNow()](UnaryCall& ended, const absl::StatusOr<std::string>& reply) {
    Record(ended, reply.status(), MonotonicNow() - arrival);
  });
  next(call);
}

std::string_view Telemetry::ResultOf(const UnaryCall& call, const absl::Status& status) {
  if (status.ok()) return call.outcome.has_value() ? WireName(*call.outcome) : kOk;
  if (const auto reason = ReasonOf(status)) return InfoOf(*reason).name;
  if (std::optional<std::string> own = OwnReasonOf(status)) {
    const std::string name = Quotable(*std::move(own));
    absl::MutexLock lock(&mu_);
    const auto found = own_reasons_.find(name);
    if (found != own_reasons_.end()) return *found;
    if (own_reasons_.size() < kMaxOwnReasons) return *own_reasons_.insert(name).first;
  }
  return CodeName(status.code());
}

void Telemetry::Record(const UnaryCall& call, const absl::Status& status, absl::Duration duration) {
  const std::string_view result = ResultOf(call, status);
  const double seconds = absl::ToDoubleSeconds(duration);
  CounterOf(call.method(), result).Increment();
  HistogramOf(call.method()).Observe(seconds);
  const std::string cause = CauseOf(status);
  // The tenant consists of a-z A-Z 0-9 . _ -, and the method and result are Hapax's names, so only the cause needs
  // escaping.
  logger_.log(IsServersOwn(status.code()) ? spdlog::level::warn : spdlog::level::info,
              R"("method":"{}","tenant":"{}","result":"{}","seconds":{:.6f}{})", call.method().name,
              call.principal.tenant, result, seconds, cause.empty() ? "" : R"(,"cause":")" + Quotable(cause) + '"');
}

prometheus::Counter& Telemetry::CounterOf(const Method& method, std::string_view result) {
  absl::MutexLock lock(&mu_);
  prometheus::Counter*& counter = counters_[std::pair(&method, result)];
  if (counter == nullptr) counter = &calls_.Add({{"method", method.name}, {"result", std::string(result)}});
  return *counter;
}

prometheus::Histogram& Telemetry::HistogramOf(const Method& method) {
  absl::MutexLock lock(&mu_);
  prometheus::Histogram*& histogram = histograms_[&method];
  if (histogram == nullptr) histogram = &seconds_.Add({{"method", method.name}}, Buckets());
  return *histogram;
}

}  // namespace hapax
