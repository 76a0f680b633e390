#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_TABLE_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_TABLE_H_

#include <string>

#include "google/protobuf/message.h"

namespace hapax::ctl {

// Any message as text for people. Its list, if any, gives the rows, with a column for each field, including those of
// nested messages. Columns that are empty in every row are omitted. The other fields come before, a line each. Times
// are UTC. Control characters are escaped, except the newlines of a text of several lines.
[[nodiscard]] std::string ToTable(const google::protobuf::Message& message);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_TABLE_H_
