#ifndef HAPAX_SERVER_DOORS_OPENSTACK_KEY_PAIRS_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_KEY_PAIRS_H_

#include <string>

#include "hapax/server/doors/openstack/exchange.h"

namespace hapax::openstack {

// Nova's key pairs, of the endpoint's region. New ones are RSA, as Nova's.

// POST /v2.1/os-keypairs: CreateKeypair. 200 with the private key.
void CreateKeyPair(ExchangePtr exchange);
// GET /v2.1/os-keypairs: ordered by name.
void ListKeyPairs(ExchangePtr exchange);
// GET /v2.1/os-keypairs/NAME.
void ShowKeyPair(ExchangePtr exchange, const std::string& name);
// DELETE /v2.1/os-keypairs/NAME: DeleteKeypair. 202.
void DeleteKeyPair(ExchangePtr exchange, const std::string& name);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_KEY_PAIRS_H_
