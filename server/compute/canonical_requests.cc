#include "hapax/server/compute/canonical_requests.h"

namespace hapax::compute {

void CanonicalizeRunInstances(v1::RunInstancesRequest* request) {
  // An unset count equals the other, and both unset mean 1.
  if (request->min_count() == 0) request->set_min_count(request->max_count());
  if (request->max_count() == 0) request->set_max_count(request->min_count());
  if (request->min_count() == 1 && request->max_count() == 1) {
    request->clear_min_count();
    request->clear_max_count();
  }
  if (!request->has_placement()) return;
  v1::Placement& placement = *request->mutable_placement();
  // A named host implies its tenancy.
  if (placement.tenancy() == (placement.host_id().empty() ? "default" : "host")) placement.clear_tenancy();
  if (placement.ByteSizeLong() == 0) request->clear_placement();
}

void CanonicalizeAllocateHosts(v1::AllocateHostsRequest* request) {
  if (request->quantity() == 1) request->clear_quantity();
  if (request->auto_placement() == "off") request->clear_auto_placement();
}

void CanonicalizeCreateKeypair(v1::CreateKeypairRequest* request) {
  if (request->key_type() == v1::KEY_TYPE_ED25519) request->clear_key_type();
}

// In these, what is allowed is no part of the effect that the token names.
void CanonicalizeDeleteKeypair(v1::DeleteKeypairRequest* request) { request->clear_allow_missing(); }
void CanonicalizeStartInstance(v1::StartInstanceRequest* request) { request->clear_allow_unchanged(); }
void CanonicalizeStopInstance(v1::StopInstanceRequest* request) { request->clear_allow_unchanged(); }

}  // namespace hapax::compute
