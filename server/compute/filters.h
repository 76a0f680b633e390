#ifndef HAPAX_SERVER_COMPUTE_FILTERS_H_
#define HAPAX_SERVER_COMPUTE_FILTERS_H_

#include <functional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::compute {

// The filters of a list request (compute.proto, Filter), for resources of one kind: v1::Instance, v1::Host or
// v1::KeyPair.
//
//   HAPAX_ASSIGN_OR_RETURN(const auto filters, Filters<v1::Host>::Of(request.filters()));
//   if (filters.Match(host)) *response->add_hosts() = host;
//
// Thread-safety: immutable.
template <typename Resource>
class Filters {
 public:
  // Errors: INVALID_PARAMETER for more than 50 filters, an unknown name, fewer than 1 or more than 200 values, more
  // than 1024 characters in values with wildcards, a wildcard in a tag's key, or a backslash before a character that
  // needs none.
  [[nodiscard]] static absl::StatusOr<Filters> Of(const google::protobuf::RepeatedPtrField<v1::Filter>& filters);

  // Whether the resource matches every filter; true without filters.
  [[nodiscard]] bool Match(const Resource& resource) const;

 private:
  using Test = std::function<bool(const Resource&)>;

  [[nodiscard]] static absl::StatusOr<Test> TestOf(const v1::Filter& filter, size_t& room);

  std::vector<Test> tests_;
};

extern template class Filters<v1::Instance>;
extern template class Filters<v1::Host>;
extern template class Filters<v1::KeyPair>;

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_FILTERS_H_
