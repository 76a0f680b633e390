// The cost of a call before it reaches the store: decoding, place, fingerprint; and of a whole replay.
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "hapax/bench/micro/compute_in_process.h"
#include "hapax/bench/micro/scratch.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/idempotency/fingerprint.h"

namespace hapax::bench {
namespace {

constexpr char kToken[] = "550e8400-e29b-41d4-a716-446655440000";

// Shared by the benchmarks of this file; the first one makes it.
ComputeInProcess& Compute() {
  static const Scratch kScratch;
  static ComputeInProcess compute(kScratch.Path("data"));
  return compute;
}

compute::v1::RunInstancesRequest Launch() {
  compute::v1::RunInstancesRequest request;
  request.ParseFromString(LaunchBytes(kToken));
  return request;
}

void DecodeRequest(benchmark::State& state) {
  const std::string bytes = LaunchBytes(kToken);
  const Method& method = Compute().run_instances();
  while (state.KeepRunning()) {
    const std::unique_ptr<google::protobuf::Message> request(method.request->New());
    benchmark::DoNotOptimize(request->ParseFromString(bytes));
  }
}
BENCHMARK(DecodeRequest);

void ResolvePlace(benchmark::State& state) {
  const auto request = Launch();
  const Method& method = Compute().run_instances();
  while (state.KeepRunning()) benchmark::DoNotOptimize(method.rule->ResolvePlace(request, "us-east-1"));
}
BENCHMARK(ResolvePlace);

// The fingerprint that a first execution records.
void MakeFullFingerprint(benchmark::State& state) {
  const std::string bytes = LaunchBytes(kToken);
  const auto request = Launch();
  const Method& method = Compute().run_instances();
  while (state.KeepRunning()) benchmark::DoNotOptimize(MakeFingerprint(method, request, bytes));
}
BENCHMARK(MakeFullFingerprint);

// A retry with identical bytes.
void CompareEqualBytes(benchmark::State& state) {
  const std::string bytes = LaunchBytes(kToken);
  const auto request = Launch();
  const Method& method = Compute().run_instances();
  const auto recorded = MakeFingerprint(method, request, bytes);
  while (state.KeepRunning()) benchmark::DoNotOptimize(DifferingFields(recorded, method, request, bytes));
}
BENCHMARK(CompareEqualBytes);

// A retry with the same meaning in other bytes.
void CompareEqualMeaning(benchmark::State& state) {
  const Method& method = Compute().run_instances();
  const auto recorded = MakeFingerprint(method, Launch(), LaunchBytes(kToken));
  auto request = Launch();
  request.set_min_count(1);
  const std::string bytes = request.SerializeAsString();
  while (state.KeepRunning()) benchmark::DoNotOptimize(DifferingFields(recorded, method, request, bytes));
}
BENCHMARK(CompareEqualMeaning);

// The whole chain, from the bytes of a retry to its reply.
void ReplayThroughChain(benchmark::State& state) {
  ComputeInProcess& compute = Compute();
  const std::string bytes = LaunchBytes(kToken);
  LaunchCall first(compute.run_instances(), bytes);
  compute.chain().Run(first);
  if (!first.reply().ok()) return state.SkipWithError("the launch failed");
  while (state.KeepRunning()) {
    LaunchCall call(compute.run_instances(), bytes);
    compute.chain().Run(call);
    if (call.outcome != Outcome::kReplayed) return state.SkipWithError("the retry was not replayed");
  }
}
BENCHMARK(ReplayThroughChain);

// The executor's work for a launch, without the token: the handler, its reads, and the writes that it stages. The
// transaction is dropped at the end.
void HandlerOfLaunch(benchmark::State& state) {
  ComputeInProcess& compute = Compute();
  const Method& method = compute.run_instances();
  const auto request = Launch();
  const CallContext context{.tenant = "default",
                            .client_token = kToken,
                            .place = {.region = "us-east-1", .zone = "us-east-1a"},
                            .now = absl::Now()};
  absl::Notification done;
  compute.store().Execute(
      [&](Transaction& txn) {
        while (state.KeepRunning()) {
          compute::v1::RunInstancesResponse reply;
          if (!method.mutate(context, txn, request, {}, &reply).ok()) state.SkipWithError("the launch failed");
          benchmark::DoNotOptimize(reply);
        }
        return absl::CancelledError();
      },
      [&](const absl::Status&) { done.Notify(); });
  done.WaitForNotification();
}
// Few iterations, so that the transaction stays small: its writes are in an ordered map.
BENCHMARK(HandlerOfLaunch)->Iterations(1000)->Repetitions(5)->ReportAggregatesOnly(true);

}  // namespace
}  // namespace hapax::bench
