#ifndef HAPAX_SERVER_DOORS_EC2_COMMON_H_
#define HAPAX_SERVER_DOORS_EC2_COMMON_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/map.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/doors/ec2/parameters.h"
#include "hapax/server/doors/ec2/xml.h"

namespace hapax::ec2 {

// What the parameters of several actions have in common, and the XML of several replies.

// The most items of a list of ids.
inline constexpr size_t kMaxIds = 1'000;
// The size of a page for a client that asks for none.
inline constexpr int kPageSize = 1'000;

using Tags = google::protobuf::Map<std::string, std::string>;
using FilterFields = google::protobuf::RepeatedPtrField<compute::v1::Filter>;

// Reads TagSpecification.N, of which all are of this type, such as "instance".
// Errors: UnsupportedOperation for another type; InvalidParameterValue for a key that occurs twice or is missing.
[[nodiscard]] absl::Status TakeTags(Parameters& parameters, std::string_view resource_type, Tags* tags);
void RenderTags(XmlWriter& xml, const Tags& tags);

// Reads Filter.N.Name and Filter.N.Value.M.
[[nodiscard]] absl::Status TakeFilters(Parameters& parameters, FilterFields* filters);

// Reads MaxResults and NextToken into fields `page_size` and `page_token`.
template <typename Request>
[[nodiscard]] absl::Status TakePage(Parameters& parameters, Request* request) {
  HAPAX_ASSIGN_OR_RETURN(const auto size, parameters.TakeNumber("MaxResults", 1, kPageSize));
  request->set_page_size(size.value_or(kPageSize));
  request->set_page_token(parameters.Take("NextToken").value_or(""));
  return absl::OkStatus();
}

// Reads a list of ids into a repeated field.
// Errors: MissingParameter if it is required and empty.
enum class Ids { kRequired, kOptional };
[[nodiscard]] absl::Status TakeIds(Parameters& parameters, std::string_view name, Ids need,
                                   google::protobuf::RepeatedPtrField<std::string>* ids);

// <NAME><code>16</code><name>running</name></NAME>
void RenderState(XmlWriter& xml, std::string_view name, compute::v1::InstanceState state);
// The item of an InstanceStateChange in an <instancesSet>.
void RenderStateChange(XmlWriter& xml, std::string_view instance_id, compute::v1::InstanceState previous,
                       compute::v1::InstanceState current);

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_COMMON_H_
