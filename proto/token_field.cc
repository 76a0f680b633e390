#include "hapax/proto/token_field.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/idempotency/v1/rule.pb.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

absl::Status Wrong(const MethodDescriptor& method, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("method ", method.service()->full_name(), "/", method.name(), ": ", what));
}

// What is wrong with the token field; empty when it is a good one.
std::string MistakeOf(const FieldDescriptor* field, const std::string& name, const std::string& request) {
  if (absl::StrContains(name, '.')) return "must be a top-level field";
  if (field == nullptr || field->is_repeated()) {
    return absl::StrCat("\"", name, "\" is not a singular field of ", request);
  }
  if (field->type() != FieldDescriptor::TYPE_STRING) {
    return absl::StrCat("\"", name, "\" is not a string field of ", request);
  }
  if (field->real_containing_oneof() != nullptr) {
    return absl::StrCat("\"", name, "\" is in a oneof; an optional field, or one without a label, is needed");
  }
  if (!field->default_value_string().empty()) {
    return absl::StrCat("\"", name, "\" has a default value; a field without one is needed");
  }
  return "";
}

}  // namespace

absl::StatusOr<const FieldDescriptor*> TokenFieldOf(const MethodDescriptor& method) {
  if (method.client_streaming() || method.server_streaming()) {
    return Wrong(method, "streams; only unary methods are allowed");
  }
  if (!method.options().HasExtension(idempotency::v1::rule)) return nullptr;
  const auto& rule = method.options().GetExtension(idempotency::v1::rule);
  const std::string& name = rule.token_field();
  const FieldDescriptor* const field = method.input_type()->FindFieldByName(name);
  if (const std::string mistake = MistakeOf(field, name, method.input_type()->full_name()); !mistake.empty()) {
    return Wrong(method, absl::StrCat("token_field: ", mistake));
  }
  constexpr absl::string_view kOther = " is the token field; another field is needed";
  if (rule.scope().region_field() == name) {
    return Wrong(method, absl::StrCat("scope.region_field: \"", name, "\"", kOther));
  }
  const auto& zone_fields = rule.scope().zone_fields();
  if (std::find(zone_fields.begin(), zone_fields.end(), name) != zone_fields.end()) {
    return Wrong(method, absl::StrCat("scope.zone_fields: \"", name, "\"", kOther));
  }
  return field;
}

}  // namespace hapax
