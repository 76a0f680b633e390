#include "hapax/server/doors/yandex/field_names.h"

#include <string>

#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"

namespace hapax::yandex {
namespace {

std::string FieldsOf(const absl::Status& status) {
  external::rpc::BadRequest bad_request;
  const auto payload = status.GetPayload(TypeUrlOf(*bad_request.GetDescriptor()));
  if (!payload.has_value() || !bad_request.ParseFromString(std::string(*payload))) return "(none)";
  std::string fields;
  for (const auto& violation : bad_request.field_violations()) fields += violation.field() + ";";
  return fields;
}

TEST(FieldNames, AMessageAndItsDetailsHaveTheirNames) {
  const absl::Status error =
      WithTheirFieldNames(RefuseField(Reason::kUnknownAvailabilityZone, "placement.availability_zone", "must be one"));
  EXPECT_EQ(error.message(), "zone_id: must be one");
  EXPECT_EQ(FieldsOf(error), "zone_id;");
  EXPECT_EQ(ReasonOf(error), Reason::kUnknownAvailabilityZone);
  EXPECT_EQ(FieldsOf(WithTheirFieldNames(RefuseParameter("tags[\"a\"]", "must be short"))), "labels[\"a\"];");
  EXPECT_EQ(WithTheirFieldNames(RefuseParameter("instance_ids[0]", "x")).message(), "instance_id[0]: x");
}

TEST(FieldNames, AMismatchNamesAllThatDiffer) {
  const absl::Status error =
      WithTheirFieldNames(Refuse(Reason::kIdempotentParameterMismatch, "these differ: image_id, subnet_id, tags",
                                 {{.field = "image_id", .description = ""}, {.field = "tags", .description = ""}}));
  EXPECT_EQ(error.message(),
            "these differ: boot_disk_spec.disk_spec.image_id, network_interface_specs.subnet_id, labels");
  EXPECT_EQ(FieldsOf(error), "boot_disk_spec.disk_spec.image_id;labels;");
}

TEST(FieldNames, OtherTextsStay) {
  EXPECT_EQ(WithTheirFieldNames(RefuseParameter("page_token", "tags")).message(), "page_token: tags");
  EXPECT_EQ(WithTheirFieldNames(absl::InternalError("tagsless")).message(), "tagsless");
  EXPECT_EQ(WithTheirFieldNames(RefuseParameter("instance_types", "x")).message(), "instance_types: x");
}

}  // namespace
}  // namespace hapax::yandex
