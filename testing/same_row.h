#ifndef HAPAX_TESTING_SAME_ROW_H_
#define HAPAX_TESTING_SAME_ROW_H_

#include <string_view>

namespace hapax {

// Whether two values of a row are the same: byte by byte, or but for the order of a map's entries, which protobuf
// leaves open. A map is told by its looks: a repeated message of at most two fields, number 1 and 2.
[[nodiscard]] bool IsSameRowValue(std::string_view first, std::string_view second);

}  // namespace hapax

#endif  // HAPAX_TESTING_SAME_ROW_H_
