#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/placement/site.h"
#include "hapax/server/compute/rows.h"

namespace hapax::compute {
namespace {

// A reply must fit into a gRPC message of the usual limit, 4 MiB, or its client could not receive it.
constexpr int64_t kMaxReplyBytes = (int64_t{4} << 20) - (int64_t{64} << 10);
// The most that a repeated field adds to each element.
constexpr int64_t kElementOverhead = 6;

// The parameters of a launch, checked as far as possible without the store.
struct Launch {
  CountRange counts;
  const v1::CatalogInstanceType* type = nullptr;
};

absl::StatusOr<Launch> CheckLaunch(const Catalog& catalog, const v1::RunInstancesRequest& request) {
  Launch launch;
  HAPAX_ASSIGN_OR_RETURN(launch.counts, CheckCounts(request.min_count(), request.max_count()));
  if (request.image_id().empty()) return RefuseParameter("image_id", "is required");
  if (!request.key_name().empty()) HAPAX_RETURN_IF_ERROR(CheckKeyName(request.key_name()));
  HAPAX_RETURN_IF_ERROR(CheckTags(request.tags()));
  const std::string& type = request.instance_type().empty() ? catalog.default_instance_type() : request.instance_type();
  launch.type = catalog.FindInstanceType(type);
  if (launch.type == nullptr) return RefuseParameter("instance_type", "must be " + catalog.InstanceTypeNames());
  if (!catalog.HasImage(request.image_id())) {
    return RefuseValue(Reason::kImageNotFound, "image_id", request.image_id(), "must be an image of the catalog");
  }
  return launch;
}

// The public key of the pair that the launch names; empty for none, and for the image's own key.
absl::StatusOr<std::string> FindPublicKey(const CallContext& context, const Catalog& catalog,
                                          const ReadTransaction& txn, const std::string& key_name) {
  if (key_name.empty()) return "";
  HAPAX_ASSIGN_OR_RETURN(std::optional<v1::KeyPair> row,
                         GetRow<v1::KeyPair>(txn, kTable, KeyPairKey(context.tenant, context.place.region, key_name)));
  if (row.has_value()) return std::move(*row->mutable_public_key());
  if (catalog.IsImageKeyName(key_name)) return "";
  return RefuseValue(Reason::kKeypairNotFound, "key_name", key_name,
                     "must be a key pair of the tenant in " + context.place.region);
}

// The number of instances to launch: between min and max, as many as quota and room allow.
absl::StatusOr<int64_t> CountThatFits(const CountRange& counts, int64_t quota_left, int64_t quota, const Site& site) {
  if (quota_left < counts.min) {
    return RefuseField(Reason::kQuotaExceeded, "min_count",
                       absl::StrCat("must be at most ", std::max<int64_t>(quota_left, 0),
                                    " just now: the tenant may have ", quota, " instances at a time"));
  }
  if (site.room < counts.min) {
    return RefuseField(
        Reason::kInsufficientInstanceCapacity, "min_count",
        absl::StrCat("must be at most ", site.room, " just now for this type in ", site.zone.zone().name));
  }
  return std::min({int64_t{counts.max}, quota_left, site.room});
}

absl::Status CheckReplySize(const v1::Instance& first, int64_t count) {
  const int64_t bytes = count * (static_cast<int64_t>(first.ByteSizeLong()) + kElementOverhead);
  if (bytes <= kMaxReplyBytes) return absl::OkStatus();
  return RefuseParameter("max_count", absl::StrCat("must be at most ", kMaxReplyBytes * count / bytes,
                                                   " with these tags, so that the reply fits into 4 MiB"));
}

// The meaning of unset fields. A zone, subnet or host that the server picks by its room is not a default: a request
// that names it is another request.
v1::RunInstancesRequest DefaultsOf(const CallContext& context, const Catalog& catalog,
                                   const v1::RunInstancesRequest& request) {
  v1::RunInstancesRequest defaults;
  defaults.set_instance_type(catalog.default_instance_type());
  if (!request.subnet_id().empty()) defaults.mutable_placement()->set_availability_zone(context.place.zone);
  return defaults;
}

}  // namespace

absl::Status ComputeService::RunInstances(const CallContext& context, Transaction& txn,
                                          const v1::RunInstancesRequest& request,
                                          v1::RunInstancesResponse* response) const {
  HAPAX_ASSIGN_OR_RETURN(const Launch launch, CheckLaunch(catalog_, request));
  HAPAX_ASSIGN_OR_RETURN(Site site, ChooseSite(context, txn, catalog_, request, *launch.type));
  HAPAX_ASSIGN_OR_RETURN(const std::string public_key, FindPublicKey(context, catalog_, txn, request.key_name()));
  HAPAX_ASSIGN_OR_RETURN(const auto use, GetRowOrEmpty<store::v1::TenantRow>(txn, TenantUseKey(context.tenant)));
  const int64_t quota = catalog_.quota().instances();
  HAPAX_ASSIGN_OR_RETURN(const int64_t count, CountThatFits(launch.counts, quota - use.instances(), quota, site));

  context.RecordDefaults(DefaultsOf(context, catalog_, request));
  response->set_reservation_id(ids_.NewId("r"));
  response->set_owner_id(context.tenant);
  store::v1::InstanceRow row;
  v1::Instance& instance = *row.mutable_instance();
  instance.set_reservation_id(response->reservation_id());
  instance.set_image_id(request.image_id());
  instance.set_instance_type(launch.type->name());
  instance.set_state(v1::INSTANCE_STATE_PENDING);
  instance.set_region(context.place.region);
  instance.set_availability_zone(site.zone.zone().name);
  instance.set_subnet_id(site.subnet->id);
  instance.set_key_name(request.key_name());
  if (site.host.has_value()) instance.set_host_id(site.host->host_id());
  *instance.mutable_launch_time() = ToTimestamp(context.now);
  instance.set_client_token(context.client_token);
  *instance.mutable_tags() = request.tags();
  row.set_public_key(public_key);
  row.set_zone_vcpus(site.host.has_value() ? 0 : launch.type->vcpus());

  for (int64_t i = 0; i < count; ++i) {
    const auto key_of = [&](const std::string& id) { return InstanceKey(context.tenant, id); };
    HAPAX_ASSIGN_OR_RETURN(*instance.mutable_instance_id(), NewIdOf(ids_, "i", txn, kTable, key_of));
    HAPAX_ASSIGN_OR_RETURN(*instance.mutable_private_ip_address(), site.zone.TakeAddress(txn, *site.subnet));
    if (i == 0) HAPAX_RETURN_IF_ERROR(CheckReplySize(instance, count));
    std::string key = InstanceKey(context.tenant, instance.instance_id());
    HAPAX_RETURN_IF_ERROR(work_.Schedule(txn, kBootWork, key));
    PutRow(txn, kTable, std::move(key), row);
    *response->add_instances() = instance;
  }
  site.zone.TakeVcpus(count * row.zone_vcpus());
  site.zone.Save(txn);
  if (site.host.has_value()) {
    site.host->set_available_capacity(site.host->available_capacity() - static_cast<int32_t>(count));
    PutRow(txn, kTable, HostKey(context.tenant, site.host->host_id()), *site.host);
  }
  return ChangeTenantUse(txn, context.tenant, count, /*hosts=*/0);
}

}  // namespace hapax::compute
