#ifndef HAPAX_SERVER_DOORS_YANDEX_FIELD_NAMES_H_
#define HAPAX_SERVER_DOORS_YANDEX_FIELD_NAMES_H_

#include "absl/status/status.h"

namespace hapax::yandex {

// An error of a hosted method with the names that its fields have in Yandex Cloud's requests, in its message and in its
// google.rpc.BadRequest: `zone_id` in place of `placement.availability_zone`. All else stays as it is.
[[nodiscard]] absl::Status WithTheirFieldNames(const absl::Status& error);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_FIELD_NAMES_H_
