#ifndef HAPAX_TESTING_SAME_ROW_H_
#define HAPAX_TESTING_SAME_ROW_H_

#include <string_view>

namespace hapax {

// Whether two values of a row are equal, except for the order of map entries, which protobuf leaves open. A repeated
// message with at most two fields, of numbers 1 and 2, counts as a map.
[[nodiscard]] bool IsSameRowValue(std::string_view first, std::string_view second);

}  // namespace hapax

#endif  // HAPAX_TESTING_SAME_ROW_H_
