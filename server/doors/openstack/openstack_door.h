#ifndef HAPAX_SERVER_DOORS_OPENSTACK_OPENSTACK_DOOR_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_OPENSTACK_DOOR_H_

#include <utility>

#include "hapax/server/doors/openstack/exchange.h"
#include "hapax/server/http/door.h"

namespace hapax::openstack {

// OpenStack's Nova (servers, key pairs, flavors, zones), with as much of Keystone and Glance as its clients ask for
// first. docs/doors/openstack.md is its reference.
//
// Each region has an endpoint of its own, at /regions/REGION/v2.1; that of the default region is /v2.1, where a launch
// may name a zone of any region, and servers of all regions are seen.
//
// Thread-safety: immutable. Lifetime: the catalog outlives it.
class OpenStackDoor final : public Door {
 public:
  explicit OpenStackDoor(Options options) : options_(std::move(options)) {}

  [[nodiscard]] bool IsFor(const HttpRequest& request) const override;
  void Serve(const HttpRequest& request, DoorCalls& calls, Done done) const override;

 private:
  const Options options_;
};

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_OPENSTACK_DOOR_H_
