#include "hapax/bench/recorder.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace hapax::bench {
namespace {

double Microseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

void Recorder::Succeeded(Instant due, Instant sent, Instant ended, size_t reply_bytes) {
  if (window_.Has(ended)) {
    ++completed_;
    reply_bytes_ += reply_bytes;
  }
  if (window_.Has(due)) {
    latencies_.Record(ended - due);
    lateness_.Record(sent - due);
  }
}

void Recorder::Refused(Instant ended) {
  if (window_.Has(ended)) ++refused_;
}

void Recorder::Failed(std::string_view why) {
  if (errors_++ == 0) first_error_ = why;
}

void Recorder::Merge(const Recorder& other) {
  completed_ += other.completed_;
  reply_bytes_ += other.reply_bytes_;
  refused_ += other.refused_;
  if (errors_ == 0) first_error_ = other.first_error_;
  errors_ += other.errors_;
  latencies_.Merge(other.latencies_);
  lateness_.Merge(other.lateness_);
}

std::string Recorder::Json() const {
  const double seconds = std::chrono::duration<double>(window_.to - window_.from).count();
  const auto latency = [&](double fraction) { return Microseconds(latencies_.Percentile(fraction)); };
  return absl::StrFormat(
      "{\"completed\": %d, \"rps\": %.1f, \"calls\": %d, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
      "\"max_us\": %.1f, \"late_p99_us\": %.1f, \"reply_bytes\": %.1f, \"refused\": %d, \"errors\": %d}",
      completed_, static_cast<double>(completed_) / seconds, latencies_.count(), latency(0.5), latency(0.99),
      latency(0.999), Microseconds(latencies_.max()), Microseconds(lateness_.Percentile(0.99)),
      static_cast<double>(reply_bytes_) / static_cast<double>(std::max<uint64_t>(completed_, 1)), refused_, errors_);
}

}  // namespace hapax::bench
