#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_INSPECTED_ROW_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_INSPECTED_ROW_H_

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "hapax/hapaxctl/v1/output.pb.h"
#include "hapax/storage/store.h"

namespace hapax::ctl {

// Describes a row of a data directory for people: the elements of its key, and whether its value is undamaged. Parts of
// the value are included only if they are not secret: no reply, no seal, no digest.
[[nodiscard]] hapaxctl::v1::InspectedRow InspectRow(Table table, std::string_view key, std::string_view value);

// Says what dropping the row means.
[[nodiscard]] std::string MeaningOfDropping(const hapaxctl::v1::InspectedRow& row);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_INSPECTED_ROW_H_
