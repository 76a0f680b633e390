#ifndef HAPAX_SERVER_COMPUTE_CANONICAL_REQUESTS_H_
#define HAPAX_SERVER_COMPUTE_CANONICAL_REQUESTS_H_

#include "hapax/compute/v1/compute.pb.h"

namespace hapax::compute {

// Give equal requests the same form (Method::canonicalize), so that a retry that spells out a default is the same
// request. The form of a recorded request must never change.
void CanonicalizeRunInstances(v1::RunInstancesRequest* request);
void CanonicalizeAllocateHosts(v1::AllocateHostsRequest* request);
void CanonicalizeCreateKeypair(v1::CreateKeypairRequest* request);
void CanonicalizeDeleteKeypair(v1::DeleteKeypairRequest* request);
void CanonicalizeStartInstance(v1::StartInstanceRequest* request);
void CanonicalizeStopInstance(v1::StopInstanceRequest* request);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_CANONICAL_REQUESTS_H_
