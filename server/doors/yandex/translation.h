#ifndef HAPAX_SERVER_DOORS_YANDEX_TRANSLATION_H_
#define HAPAX_SERVER_DOORS_YANDEX_TRANSLATION_H_

#include <vector>

#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/hosting/translated_method.h"

namespace hapax::yandex {

// The methods of yandex.cloud.compute.v1.InstanceService and yandex.cloud.operation.OperationService, as calls of
// hapax.compute.v1.Compute and google.longrunning.Operations. gRPC serves them as they are, and YandexDoor over HTTP.
//
// A request has no region. Start, Stop and Delete look for the instance in the default region first, and if it is not
// there, in all. A launch or termination is followed by a look at the instance, so that a retry gets the operation as
// it stands; if that look fails, the operation is as it was at first.
//
// Lifetime: the catalog outlives them.
[[nodiscard]] std::vector<TranslatedMethod> TranslatedMethods(const compute::Catalog& catalog);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_TRANSLATION_H_
