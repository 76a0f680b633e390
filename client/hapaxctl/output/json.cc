#include "hapax/client/hapaxctl/output/json.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"

namespace hapax::ctl {
namespace {

constexpr char kTypes[] = "type.googleapis.com";

// Serializes with map entries in order.
std::string SortedBytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  static google::protobuf::util::TypeResolver* const resolver =
      google::protobuf::util::NewTypeResolverForDescriptorPool(kTypes,
                                                               google::protobuf::DescriptorPool::generated_pool());
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const std::string type = absl::StrCat(kTypes, "/", message.GetDescriptor()->full_name());
  const auto status = google::protobuf::util::BinaryToJsonString(resolver, type, SortedBytes(message), &json, options);
  if (!status.ok()) return absl::InternalError(absl::StrCat("no JSON for the reply: ", status.ToString()));
  return std::string(absl::StripSuffix(json, "\n"));
}

}  // namespace hapax::ctl
