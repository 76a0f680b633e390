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

// A filter's value, read as EC2 reads it: `*` is any characters or none, `?` is exactly one, and a backslash takes its
// meaning from either of them and from a backslash.
class Pattern {
 public:
  // Nothing when a backslash stands before anything else, or at the end.
  [[nodiscard]] static std::optional<Pattern> Of(std::string_view value);

  // Whether it has no wildcard, and so matches one text alone.
  [[nodiscard]] bool IsText() const { return is_text_; }
  // That text, without backslashes.
  [[nodiscard]] std::string Text() const;
  // How many characters it has, `?` among them and `*` not.
  [[nodiscard]] size_t size() const { return characters_.size(); }

 private:
  friend class Wildcards;

  std::u32string characters_;  // A `?` is kAny.
  std::vector<bool> stars_;    // By position: whether a `*` stands before that character, or at the end.
  bool is_text_ = true;
};

// Finds out whether any of several patterns matches a text.
//
// It follows all patterns at once, a bit for each position in each, and never goes back: a character of the text costs
// a step for each 64 characters of the patterns, however many stars they have.
//
// Thread-safety: immutable.
class Wildcards {
 public:
  explicit Wildcards(absl::Span<const Pattern> patterns);

  // `text` is UTF-8.
  [[nodiscard]] bool Match(std::string_view text) const;

 private:
  using Bits = std::vector<uint64_t>;

  // The positions that may be passed by this character.
  [[nodiscard]] const uint64_t* PassedBy(char32_t character) const;

  Bits starts_;  // Before the first character of a pattern.
  Bits stars_;   // Where any character may be passed over.
  Bits ends_;    // Behind the last character.
  Bits any_;     // Of a `?`.
  Bits ascii_;   // Positions passed by each ASCII character, one after the other.
  absl::flat_hash_map<char32_t, Bits> others_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_WILDCARDS_H_
