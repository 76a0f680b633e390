#ifndef HAPAX_BENCH_FIGURE_H_
#define HAPAX_BENCH_FIGURE_H_

#include <optional>
#include <string_view>

namespace hapax::bench {

// What every call of a run does.
enum class Figure {
  kFirstExecution,  // Launches instances under a token that was never used.
  kReplay,          // Repeats one of the launches that were made before the measurement.
  kUnprotected,     // Launches instances without a token.
  kRead,            // Reads one instance.
};

// By its name on the command line and in the report, such as `first_execution`.
[[nodiscard]] std::optional<Figure> ParseFigure(std::string_view name);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_FIGURE_H_
