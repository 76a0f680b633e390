#ifndef HAPAX_BENCH_FIGURE_H_
#define HAPAX_BENCH_FIGURE_H_

#include <optional>
#include <string_view>

namespace hapax::bench {

// The mutation that a run calls.
enum class Mutation {
  kLaunch,  // hapax.compute.v1.Compute/RunInstances
  kPost,    // bench.v1.Ledger/Post
};

// The kind of all calls of a run.
enum class Figure {
  kFirstExecution,  // Mutations under a new token.
  kReplay,          // Repeats a mutation that was made before the measurement.
  kUnprotected,     // Mutations without a token.
  kRead,            // Reads one instance.
};

// The figure of this name, as on the command line and in the report, such as `first_execution`.
[[nodiscard]] std::optional<Figure> ParseFigure(std::string_view name);

// The mutation of this name: `launch` or `post`.
[[nodiscard]] std::optional<Mutation> ParseMutation(std::string_view name);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_FIGURE_H_
