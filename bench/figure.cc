#include "hapax/bench/figure.h"

namespace hapax::bench {

std::optional<Figure> ParseFigure(std::string_view name) {
  if (name == "first_execution") return Figure::kFirstExecution;
  if (name == "replay") return Figure::kReplay;
  if (name == "unprotected") return Figure::kUnprotected;
  if (name == "read") return Figure::kRead;
  return std::nullopt;
}

}  // namespace hapax::bench
