#ifndef HAPAX_SERVER_COMPUTE_WILDCARDS_H_
#define HAPAX_SERVER_COMPUTE_WILDCARDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

namespace hapax::compute {

// A filter's value in EC2's syntax: `*` matches any number of characters, `?` exactly one, and a backslash escapes
// these two and itself.
class Pattern {
 public:
  // Returns nullopt when a backslash stands before another character, or at the end.
  [[nodiscard]] static std::optional<Pattern> Of(std::string_view value);

  // Whether it has no wildcard, so that it matches one text only.
  [[nodiscard]] bool IsText() const { return is_text_; }
  // That text, unescaped.
  [[nodiscard]] std::string Text() const;
  // The number of characters, including `?` but not `*`.
  [[nodiscard]] size_t size() const { return characters_.size(); }

 private:
  friend class Wildcards;

  std::u32string characters_;  // kAny for a `?`.
  std::vector<bool> stars_;    // By position: whether a `*` stands before it.
  bool is_text_ = true;
};

// Finds out whether any of several patterns matches a text.
//
// It follows all patterns at once, with a bit for each position in each, and never backtracks. Each character of the
// text costs a step per 64 characters of the patterns, however many stars they have.
//
// Thread-safety: immutable.
class Wildcards {
 public:
  explicit Wildcards(absl::Span<const Pattern> patterns);

  // `text` is UTF-8.
  [[nodiscard]] bool Match(std::string_view text) const;

 private:
  using Bits = std::vector<uint64_t>;

  // The positions that this character passes.
  [[nodiscard]] const uint64_t* PassedBy(char32_t character) const;

  Bits starts_;  // Before the first character of a pattern.
  Bits stars_;   // Where any character may be skipped.
  Bits ends_;    // Behind the last character.
  Bits any_;     // Positions of `?`.
  Bits ascii_;   // The positions that each ASCII character passes.
  absl::flat_hash_map<char32_t, Bits> others_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_WILDCARDS_H_
