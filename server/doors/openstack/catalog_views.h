#ifndef HAPAX_SERVER_DOORS_OPENSTACK_CATALOG_VIEWS_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_CATALOG_VIEWS_H_

#include <string>

#include "hapax/server/doors/openstack/exchange.h"

namespace hapax::openstack {

// What the catalog offers, to a caller who is known. A flavor is an instance type, an image one of the catalog's; the
// id of each is its name.

// GET /v2.1.
void ShowComputeVersion(ExchangePtr exchange);
// GET /image.
void ShowImageVersions(ExchangePtr exchange);
// GET /v2.1/flavors, /v2.1/flavors/detail.
void ListFlavors(ExchangePtr exchange, bool with_details);
// GET /v2.1/flavors/ID, /v2.1/flavors/ID/os-extra_specs.
void ShowFlavor(ExchangePtr exchange, const std::string& id);
void ShowExtraSpecs(ExchangePtr exchange, const std::string& id);
// GET /image/v2/images[?name=NAME], /image/v2/images/ID.
void ListImages(ExchangePtr exchange);
void ShowImage(ExchangePtr exchange, const std::string& id);
// GET /v2.1/os-availability-zone[/detail]: the zones of the endpoint's region; of all regions by the default endpoint.
void ListZones(ExchangePtr exchange);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_CATALOG_VIEWS_H_
