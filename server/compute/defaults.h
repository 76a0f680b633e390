#ifndef HAPAX_SERVER_COMPUTE_DEFAULTS_H_
#define HAPAX_SERVER_COMPUTE_DEFAULTS_H_

#include "hapax/compute/v1/compute.pb.h"

namespace hapax::compute {

// Clear what says no more than leaving it out (Method::clear_defaults): a retry that spells a default out
// is the same request. They must never change their mind about a request that is on record.
void ClearRunInstancesDefaults(v1::RunInstancesRequest* request);
void ClearAllocateHostsDefaults(v1::AllocateHostsRequest* request);
void ClearCreateKeypairDefaults(v1::CreateKeypairRequest* request);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_DEFAULTS_H_
