#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_INSPECTED_ROW_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_INSPECTED_ROW_H_

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "hapax/hapaxctl/v1/output.pb.h"
#include "hapax/storage/store.h"

namespace hapax::ctl {

// A row of a data directory, for people: its key taken apart, and whether its value is what was written. Of the value
// it has what tells nobody's secrets: no reply, no seal, no digest.
[[nodiscard]] hapaxctl::v1::InspectedRow InspectRow(Table table, std::string_view key, std::string_view value);

// What it means that the row is dropped.
[[nodiscard]] std::string MeaningOfDropping(const hapaxctl::v1::InspectedRow& row);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_INSPECTED_ROW_H_
