#ifndef HAPAX_SERVER_DOORS_OPENSTACK_IDENTITY_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_IDENTITY_H_

#include "hapax/server/doors/openstack/exchange.h"

namespace hapax::openstack {

// Keystone's smallest facade: a client logs in, and learns the endpoints. It stores nothing. The token that it gives is
// the project's name or the API key (Identity).

// GET /v3.
void ShowIdentityVersion(ExchangePtr exchange);
// POST /v3/auth/tokens, by the methods password (whose password is an API key), application_credential (whose secret is
// one) and token. A caller whom the chain refuses gets the chain's error.
void LogIn(ExchangePtr exchange);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_IDENTITY_H_
