#ifndef HAPAX_SERVER_DOORS_OPENSTACK_SERVERS_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_SERVERS_H_

#include <string>

#include "hapax/server/doors/openstack/exchange.h"

namespace hapax::openstack {

// Nova's servers, which are instances. A terminated instance is not there.

// POST /v2.1/servers: RunInstances. 202 with the first of the new servers.
void CreateServers(ExchangePtr exchange);
// GET /v2.1/servers, /v2.1/servers/detail: ordered by id.
void ListServers(ExchangePtr exchange, bool with_details);
// GET /v2.1/servers/ID.
void ShowServer(ExchangePtr exchange, const std::string& id);
// DELETE /v2.1/servers/ID: TerminateInstances. 204.
void DeleteServer(ExchangePtr exchange, const std::string& id);
// POST /v2.1/servers/ID/action, with os-start or os-stop: StartInstance or StopInstance. 202.
void ActOnServer(ExchangePtr exchange, const std::string& id);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_SERVERS_H_
