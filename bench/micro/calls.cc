// bench_calls: runs launches through the chain of one process, without a network, for bench/callgrind to count.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/synchronization/mutex.h"
#include "hapax/bench/filled_token.h"
#include "hapax/bench/micro/compute_in_process.h"
#include "hapax/bench/micro/scratch.h"

ABSL_FLAG(std::string, figure, "replay", "replay: of one launch; first_execution: each under a new token");
ABSL_FLAG(int, calls, 1000, "How many, one after the other");

namespace hapax::bench {
namespace {

// Makes the call; returns whether it had this outcome.
bool Call(ComputeInProcess& compute, const std::string& bytes, Outcome outcome) {
  LaunchCall call(compute.run_instances(), bytes);
  compute.chain().Run(call);
  return call.reply().ok() && call.outcome == outcome;
}

// Returns the exit code.
int Run(bool replay, int calls) {
  const Scratch scratch;
  ComputeInProcess compute(scratch.Path("data"));
  const std::string bytes = LaunchBytes(FilledToken::At(1, 0).ToString());
  if (!Call(compute, bytes, Outcome::kExecuted)) return 1;
  for (int i = 1; i <= calls; ++i) {
    const bool ok = replay ? Call(compute, bytes, Outcome::kReplayed)
                           : Call(compute, LaunchBytes(FilledToken::At(1, i).ToString()), Outcome::kExecuted);
    if (!ok) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::string figure = absl::GetFlag(FLAGS_figure);
  if (figure == "replay" || figure == "first_execution") {
    return hapax::bench::Run(figure == "replay", absl::GetFlag(FLAGS_calls));
  }
  std::fprintf(stderr, "bench_calls: --figure=%s is none\n", figure.c_str());
  return 2;
}
