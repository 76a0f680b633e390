#ifndef HAPAX_TESTS_SERVER_SUPPORT_JSON_AT_H_
#define HAPAX_TESTS_SERVER_SUPPORT_JSON_AT_H_

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace hapax {

// A text, number or truth value in an object of JSON, at a path such as "servers.0.name"; "(none)" if there is none,
// and "(other)" for an object or a list.
[[nodiscard]] inline std::string JsonAt(const std::string& json, std::string_view path) {
  google::protobuf::Value value;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, value.mutable_struct_value()).ok()) << json;
  while (!path.empty()) {
    const std::string part(path.substr(0, path.find('.')));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    int index = 0;
    google::protobuf::Value next;
    if (value.has_list_value() && absl::SimpleAtoi(part, &index) && index < value.list_value().values_size()) {
      next = value.list_value().values(index);
    } else if (value.has_struct_value() && value.struct_value().fields().contains(part)) {
      next = value.struct_value().fields().at(part);
    } else {
      return "(none)";
    }
    value = next;
  }
  if (value.kind_case() == google::protobuf::Value::kStringValue) return value.string_value();
  if (value.kind_case() == google::protobuf::Value::kNumberValue) return absl::StrCat(value.number_value());
  if (value.kind_case() == google::protobuf::Value::kBoolValue) return value.bool_value() ? "true" : "false";
  return value.kind_case() == google::protobuf::Value::kNullValue ? "null" : "(other)";
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_JSON_AT_H_
