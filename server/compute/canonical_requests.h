#ifndef HAPAX_SERVER_COMPUTE_CANONICAL_REQUESTS_H_
#define HAPAX_SERVER_COMPUTE_CANONICAL_REQUESTS_H_

#include "hapax/compute/v1/compute.pb.h"

namespace hapax::compute {

// Give requests that mean the same the same form (Method::canonicalize): a retry that spells a default out is
// the same request. They must never change their mind about a request that is on record.
void CanonicalizeRunInstances(v1::RunInstancesRequest* request);
void CanonicalizeAllocateHosts(v1::AllocateHostsRequest* request);
void CanonicalizeCreateKeypair(v1::CreateKeypairRequest* request);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_CANONICAL_REQUESTS_H_
