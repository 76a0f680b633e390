#ifndef HAPAX_SERVER_DOORS_YANDEX_VIEWS_H_
#define HAPAX_SERVER_DOORS_YANDEX_VIEWS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/resources.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "yandex/cloud/compute/v1/instance.pb.h"
#include "yandex/cloud/operation/operation.pb.h"

namespace hapax::yandex {

using Operation = ::yandex::cloud::operation::Operation;

// The tag that is shown as `name`; the others are labels.
inline constexpr char kNameTag[] = "Name";

// The ids of operations that are made of an instance: this and the instance's id.
inline constexpr std::string_view kCreatePrefix = "create-";
inline constexpr std::string_view kDeletePrefix = "delete-";

// What Yandex Cloud's clients are shown. Equal arguments give equal messages, of which equal bytes can be made
// (sorted_bytes.h).
[[nodiscard]] ::yandex::cloud::compute::v1::Instance InstanceView(const compute::v1::Instance& instance,
                                                                  const compute::Catalog& catalog);

// The operation of a start or a stop; its id is without `operations/`.
// Errors: INTERNAL, it is of another kind.
[[nodiscard]] absl::StatusOr<Operation> PowerOperation(const external::longrunning::Operation& operation,
                                                       const compute::Catalog& catalog);

// The operation of a launch, which is done once the instance has been up or has failed.
[[nodiscard]] Operation CreateOperation(const compute::v1::Instance& instance, const compute::Catalog& catalog);

// The operation of a termination, which is done once the instance is down.
[[nodiscard]] Operation DeleteOperation(const std::string& instance_id, compute::v1::InstanceState state);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_VIEWS_H_
