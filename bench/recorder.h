#ifndef HAPAX_BENCH_RECORDER_H_
#define HAPAX_BENCH_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hapax/bench/histogram.h"
#include "hapax/bench/pacing.h"

namespace hapax::bench {

// What became of the calls of a run.
//
// Thread-safety: none. Each thread has one of its own; Merge() brings them together.
class Recorder {
 public:
  explicit Recorder(Window window) : window_(window) {}

  // A call that was to start at `due`, was sent at `sent`, and ended with a reply of so many bytes.
  void Succeeded(Instant due, Instant sent, Instant ended, size_t reply_bytes);

  // A call that ended with an error, or with a reply that it must not have: whenever that was, the run is spoilt.
  void Failed(std::string_view why);

  // A call that the server had no room for, in a run that has more calls than it takes.
  void Refused(Instant ended);

  // Adds what `other` recorded, over the same window.
  void Merge(const Recorder& other);

  [[nodiscard]] uint64_t errors() const { return errors_; }
  // Why the first call that failed did.
  [[nodiscard]] const std::string& first_error() const { return first_error_; }

  // One line: a JSON object with
  //   completed, rps            calls that ended in the window, and a second
  //   calls, p50_us .. max_us   calls that were due in it, and their latencies from that moment on, microseconds
  //   late_p99_us               how late the load generator itself sent a call
  //   reply_bytes               the mean size of a reply
  //   refused                   calls that were refused in the window
  //   errors                    of the whole run
  [[nodiscard]] std::string Json() const;

 private:
  Window window_;
  uint64_t completed_ = 0;
  uint64_t reply_bytes_ = 0;
  uint64_t refused_ = 0;
  uint64_t errors_ = 0;
  std::string first_error_;
  Histogram latencies_;
  Histogram lateness_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_RECORDER_H_
