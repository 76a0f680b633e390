#ifndef HAPAX_TESTS_FUZZ_MEANING_H_
#define HAPAX_TESTS_FUZZ_MEANING_H_

#include <map>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace hapax {

// How unknown fields are compared, since what they mean is unknown: by their bytes, which is the least that must be
// told apart from nothing, or by their values, which is the most that may be.
enum class Unknown {
  kByBytes,  // Two encodings of one value differ.
  kByValue,  // They do not.
};

// What a request of the compute service means, written for whoever reads it rather than for a digest: contract C22.
// One text for each top-level field that makes a difference, by number; by its negative for what is unknown there. Slow
// on purpose, and made without protobuf's parser or the server's code: a decoder of its own, the definition, and the
// defaults that the API's definition names.
//
// Requires: the bytes are a well-formed request.
[[nodiscard]] std::map<int, std::string> MeaningOf(std::string_view bytes, const google::protobuf::Descriptor& type,
                                                   Unknown unknown);

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_MEANING_H_
