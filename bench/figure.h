#ifndef HAPAX_BENCH_FIGURE_H_
#define HAPAX_BENCH_FIGURE_H_

#include <optional>
#include <string_view>

namespace hapax::bench {

// The kind of all calls of a run.
enum class Figure {
  kFirstExecution,  // Launches instances under a new token.
  kReplay,          // Repeats a launch that was made before the measurement.
  kUnprotected,     // Launches instances without a token.
  kRead,            // Reads one instance.
};

// The figure of this name, as on the command line and in the report, such as `first_execution`.
[[nodiscard]] std::optional<Figure> ParseFigure(std::string_view name);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_FIGURE_H_
