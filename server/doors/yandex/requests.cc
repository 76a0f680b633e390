#include "hapax/server/doors/yandex/requests.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "hapax/interceptors/refusal.h"

namespace hapax::yandex {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::UnknownField;

constexpr size_t kMaxIdBytes = 50;
constexpr char kNotSupported[] = "is not supported by this server, so it must be left out";

// Whether the field says no more than one that is left out.
bool IsDefault(const UnknownField& field) {
  switch (field.type()) {
    case UnknownField::TYPE_VARINT:
      return field.varint() == 0;
    case UnknownField::TYPE_FIXED32:
      return field.fixed32() == 0;
    case UnknownField::TYPE_FIXED64:
      return field.fixed64() == 0;
    case UnknownField::TYPE_LENGTH_DELIMITED:
      return field.length_delimited().empty();
    case UnknownField::TYPE_GROUP:
      return false;
  }
  return false;
}

absl::Status RefuseUnknown(const Message& message, const std::string& prefix) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (IsDefault(unknown.field(i))) continue;
    return RefuseParameter(absl::StrCat(prefix, "field ", unknown.field(i).number()), kNotSupported);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RefuseRest(const Message& request, const std::string& prefix) {
  std::vector<const FieldDescriptor*> fields;
  request.GetReflection()->ListFields(request, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = prefix + field->name();
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return RefuseParameter(path, kNotSupported);
    }
    HAPAX_RETURN_IF_ERROR(RefuseRest(request.GetReflection()->GetMessage(request, field), path + "."));
  }
  return RefuseUnknown(request, prefix);
}

absl::Status ParseRequest(std::string_view bytes, Message& request) {
  if (bytes.size() > kMaxRequestBytes) {
    return RefuseParameter("request", absl::StrCat("must have at most ", kMaxRequestBytes, " bytes"));
  }
  if (request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return absl::OkStatus();
  return RefuseParameter("request",
                         absl::StrCat("must be a serialized ", request.GetTypeName(), " with strings in UTF-8"));
}

absl::Status CheckFolder(std::string_view folder_id) {
  if (folder_id.empty() || folder_id == kFolder) return absl::OkStatus();
  return RefuseParameter("folder_id", "must be default, or be left out: a tenant has one folder");
}

absl::StatusOr<std::string> RequiredId(std::string_view field, const std::string& id) {
  if (id.empty()) return RefuseParameter(field, "is required");
  if (id.size() > kMaxIdBytes) return RefuseParameter(field, absl::StrCat("must have at most ", kMaxIdBytes, " bytes"));
  return id;
}

}  // namespace hapax::yandex
