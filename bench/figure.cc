#include "hapax/bench/figure.h"

namespace hapax::bench {

std::optional<Figure> ParseFigure(std::string_view name) {
  if (name == "first_execution") return Figure::kFirstExecution;
  if (name == "replay") return Figure::kReplay;
  if (name == "unprotected") return Figure::kUnprotected;
  if (name == "read") return Figure::kRead;
  return std::nullopt;
}

std::optional<Mutation> ParseMutation(std::string_view name) {
  if (name == "launch") return Mutation::kLaunch;
  if (name == "post") return Mutation::kPost;
  return std::nullopt;
}

}  // namespace hapax::bench
