#ifndef HAPAX_TESTS_SERVER_SUPPORT_PROTO_TEXT_H_
#define HAPAX_TESTS_SERVER_SUPPORT_PROTO_TEXT_H_

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "hapax/base/check.h"

namespace hapax {

// The message that `text` is in protobuf's text format.
//
//   const auto request = FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 2");
template <typename Message>
[[nodiscard]] Message FromText(const std::string& text) {
  Message message;
  HAPAX_CHECK(google::protobuf::TextFormat::ParseFromString(text, &message), text.c_str());
  return message;
}

// Equal field by field, unknown fields included.
MATCHER_P(EqualsProto, expected, (negation ? "is not " : "is ") + expected.ShortDebugString()) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  const bool equal = differencer.Compare(expected, arg);
  *result_listener << difference;
  return equal;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_PROTO_TEXT_H_
