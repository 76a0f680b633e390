#include <optional>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/rows.h"

namespace hapax::compute {

absl::Status ComputeService::DeleteKeypair(const CallContext& context, Transaction& txn,
                                           const v1::DeleteKeypairRequest& request,
                                           v1::DeleteKeypairResponse* response) const {
  HAPAX_RETURN_IF_ERROR(CheckKeyName(request.key_name()));
  std::string key = KeyPairKey(context.tenant, context.place.region, request.key_name());
  HAPAX_ASSIGN_OR_RETURN(const std::optional<v1::KeyPair> pair, GetRow<v1::KeyPair>(txn, kTable, key));
  if (!pair.has_value()) {
    if (request.allow_missing()) return absl::OkStatus();
    return RefuseValue(Reason::kKeypairNotFound, "key_name", request.key_name(),
                       "must be a key pair of the tenant in " + context.place.region);
  }
  txn.Delete(kTable, std::move(key));
  response->set_key_pair_id(pair->key_pair_id());
  return absl::OkStatus();
}

}  // namespace hapax::compute
