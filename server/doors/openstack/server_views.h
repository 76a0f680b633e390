#ifndef HAPAX_SERVER_DOORS_OPENSTACK_SERVER_VIEWS_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_SERVER_VIEWS_H_

#include <string>
#include <string_view>

#include "hapax/compute/v1/resources.pb.h"
#include "hapax/server/doors/openstack/exchange.h"
#include "hapax/server/doors/openstack/json_text.h"

namespace hapax::openstack {

// The tag that holds a server's name, as in EC2's console. The other tags are the server's metadata.
inline constexpr std::string_view kNameTag = "Name";

// What POST /v2.1/servers returns of the first of the new servers: of the stored reply and the request alone.
[[nodiscard]] JsonObject NewServerView(const Exchange& exchange, const std::string& id);
// Id, name and links.
[[nodiscard]] JsonObject ServerSummary(const Exchange& exchange, const compute::v1::Instance& instance);
// All that Nova's API of version 2.1 has, as far as it is known.
[[nodiscard]] JsonObject ServerView(const Exchange& exchange, const compute::v1::Instance& instance);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_SERVER_VIEWS_H_
