#include "hapax/proto/public_json.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "hapax/proto/public_name.h"
#include "hapax/proto/sorted_bytes.h"

namespace hapax {
namespace {

constexpr char kTypes[] = "type.googleapis.com";

// Resolves types by their public names.
class LinkedTypes final : public google::protobuf::util::TypeResolver {
 public:
  google::protobuf::util::Status ResolveMessageType(const std::string& url, google::protobuf::Type* type) override {
    const size_t name = url.rfind('/') + 1;
    return linked_->ResolveMessageType(url.substr(0, name) + OwnName(url.substr(name)), type);
  }
  google::protobuf::util::Status ResolveEnumType(const std::string& url, google::protobuf::Enum* type) override {
    return linked_->ResolveEnumType(url, type);
  }

 private:
  const std::unique_ptr<google::protobuf::util::TypeResolver> linked_{
      google::protobuf::util::NewTypeResolverForDescriptorPool(kTypes,
                                                               google::protobuf::DescriptorPool::generated_pool())};
};

}  // namespace

absl::StatusOr<std::string> ToPublicJson(const google::protobuf::Message& message, JsonForm form) {
  static auto* const resolver = new LinkedTypes();
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = form == JsonForm::kIndented;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(resolver, TypeUrlOf(*message.GetDescriptor()),
                                                                 SortedBytes(message), &json, options);
  if (!status.ok()) return absl::InternalError(absl::StrCat("no JSON for the reply: ", status.ToString()));
  return std::string(absl::StripSuffix(json, "\n"));
}

}  // namespace hapax
