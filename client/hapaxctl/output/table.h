#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_TABLE_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_TABLE_H_

#include <string>

#include "google/protobuf/message.h"

namespace hapax::ctl {

// Any message as text for people. Its list, when it has one, gives the rows: a column a field, those of messages within
// it too; columns that are empty in every row are left out. Its other fields stand above, a line each. Of several lists
// each of messages has rows of its own, under its name. Times are UTC; what would move a terminal's cursor is escaped,
// but for the lines of a text of several lines.
[[nodiscard]] std::string ToTable(const google::protobuf::Message& message);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_TABLE_H_
