#ifndef HAPAX_TESTS_SUPPORT_LATER_FIELD_H_
#define HAPAX_TESTS_SUPPORT_LATER_FIELD_H_

#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

// A field that a later release has added to a row. Servers of both releases share a store during an upgrade, so a
// server that does not know the field must keep it when it changes the row.
namespace hapax {

inline constexpr int kLaterField = 1000;

inline void AddLaterField(google::protobuf::Message& row) {
  row.GetReflection()->MutableUnknownFields(&row)->AddVarint(kLaterField, 7);
}

[[nodiscard]] inline bool HasLaterField(const google::protobuf::Message& row) {
  const google::protobuf::UnknownFieldSet& unknown = row.GetReflection()->GetUnknownFields(row);
  return unknown.field_count() == 1 && unknown.field(0).number() == kLaterField && unknown.field(0).varint() == 7;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_LATER_FIELD_H_
