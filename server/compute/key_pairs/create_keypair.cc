#include <optional>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/rows.h"

namespace hapax::compute {

absl::StatusOr<KeyMaterial> ComputeService::PrepareKeypair(const CallContext& /*context*/,
                                                           const v1::CreateKeypairRequest& request) {
  HAPAX_RETURN_IF_ERROR(CheckKeyName(request.key_name()));
  HAPAX_RETURN_IF_ERROR(CheckTags(request.tags()));
  if (!v1::KeyType_IsValid(request.key_type())) {
    return RefuseParameter("key_type", "must be KEY_TYPE_ED25519 (1), KEY_TYPE_RSA (2), or 0 for ED25519");
  }
  return GenerateKey(request.key_type());
}

absl::Status ComputeService::CreateKeypair(const CallContext& context, Transaction& txn,
                                           const v1::CreateKeypairRequest& request, const KeyMaterial& material,
                                           v1::CreateKeypairResponse* response) const {
  std::string key = KeyPairKey(context.tenant, context.place.region, request.key_name());
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> existing, txn.Get(kTable, key));
  if (existing.has_value()) {
    return RefuseValue(Reason::kKeypairAlreadyExists, "key_name", request.key_name(),
                       "must not be the name of an existing key pair in " + context.place.region);
  }

  v1::KeyPair pair;
  pair.set_key_pair_id(ids_.NewId("key"));
  pair.set_key_name(request.key_name());
  pair.set_key_fingerprint(material.fingerprint);
  pair.set_key_type(request.key_type() == v1::KEY_TYPE_UNSPECIFIED ? v1::KEY_TYPE_ED25519 : request.key_type());
  pair.set_region(context.place.region);
  *pair.mutable_create_time() = ToTimestamp(context.now);
  pair.set_public_key(material.public_key);
  *pair.mutable_tags() = request.tags();
  PutRow(txn, kTable, std::move(key), pair);

  response->set_key_pair_id(pair.key_pair_id());
  response->set_key_name(pair.key_name());
  response->set_key_fingerprint(pair.key_fingerprint());
  response->set_key_material(material.private_key);
  return absl::OkStatus();
}

}  // namespace hapax::compute
