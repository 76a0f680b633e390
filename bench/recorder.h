#ifndef HAPAX_BENCH_RECORDER_H_
#define HAPAX_BENCH_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hapax/bench/histogram.h"
#include "hapax/bench/pacing.h"

namespace hapax::bench {

// Records the calls of a run.
//
// Thread-safety: none. Each thread has its own; Merge() combines them.
class Recorder {
 public:
  explicit Recorder(Window window) : window_(window) {}

  // Records a call that was due at `due`, was sent at `sent`, and ended with a reply of this size.
  void Succeeded(Instant due, Instant sent, Instant ended, size_t reply_bytes);

  // Records an error or a wrong reply. Even outside the window it spoils the run.
  void Failed(std::string_view why);

  // Records a call that the server refused for lack of room, in a run that expects this.
  void Refused(Instant ended);

  // Adds the records of `other`, for the same window.
  void Merge(const Recorder& other);

  [[nodiscard]] uint64_t errors() const { return errors_; }
  // The error of the first failed call.
  [[nodiscard]] const std::string& first_error() const { return first_error_; }

  // One line: a JSON object with
  //   completed, rps            calls that ended in the window, and their rate a second
  //   calls, p50_us .. max_us   calls that were due in it, and their latencies from then on, in microseconds
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
