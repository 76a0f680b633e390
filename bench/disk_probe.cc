// Measures the disk: repeatedly appends a block to a file, syncs it with fdatasync, and prints the latencies as one
// line of JSON. Any server must wait that long before a call is durable.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/time/time.h"
#include "hapax/bench/histogram.h"

ABSL_FLAG(std::string, file, "", "File to make, on the disk to measure; it is left there");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(1), "How long to measure");
ABSL_FLAG(int, bytes, 1024, "Bytes of each block");

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const int file = open(absl::GetFlag(FLAGS_file).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string block(static_cast<size_t>(absl::GetFlag(FLAGS_bytes)), 'x');
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_duration));
  hapax::bench::Histogram latencies;
  for (auto start = std::chrono::steady_clock::now(); start < end;) {
    if (write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size()) || fdatasync(file) != 0) {
      std::perror("bench_disk");
      return 1;
    }
    const auto now = std::chrono::steady_clock::now();
    latencies.Record(now - start);
    start = now;
  }
  const auto us = [&](double fraction) {
    return std::chrono::duration<double, std::micro>(latencies.Percentile(fraction)).count();
  };
  std::printf("{\"syncs\": %llu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}\n",
              static_cast<unsigned long long>(latencies.count()), us(0.5), us(0.99), us(0.999));
  return 0;
}
