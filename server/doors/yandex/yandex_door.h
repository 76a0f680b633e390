#ifndef HAPAX_SERVER_DOORS_YANDEX_YANDEX_DOOR_H_
#define HAPAX_SERVER_DOORS_YANDEX_YANDEX_DOOR_H_

#include <map>
#include <string>
#include <string_view>

#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/hosting/translated_method.h"
#include "hapax/server/http/door.h"

namespace hapax::yandex {

// Yandex Cloud's compute service and operations over HTTP: the methods that gRPC serves (translation.h), with JSON in
// place of protobuf, at the paths of Yandex Cloud's API. Errors are google.rpc.Status in JSON, with details.
//
// The token is header `Idempotency-Key` or `X-Client-Token`, or that of the prefix. Headers `Authorization`,
// `X-Api-Key` and `X-Tenant-Id` are what metadata of these names is.
//
// Lifetime: the catalog outlives it.
class YandexDoor final : public Door {
 public:
  explicit YandexDoor(const compute::Catalog& catalog);

  // `/compute/v1`, `/operations`, and all below them.
  [[nodiscard]] bool IsFor(const HttpRequest& request) const override;
  void Serve(const HttpRequest& request, DoorCalls& calls, Done done) const override;

 private:
  std::map<std::string, TranslatedMethod, std::less<>> methods_;
};

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_YANDEX_DOOR_H_
