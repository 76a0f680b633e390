#include <optional>
#include <set>
#include <string>
#include <utility>

#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/rows.h"
#include "hapax/server/listing.h"
#include "hapax/storage/status_macros.h"

namespace hapax::compute {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

std::set<std::string> Sorted(const Names& names) { return {names.begin(), names.end()}; }

}  // namespace

absl::Status ComputeService::DescribeInstances(const CallContext& context, const ReadTransaction& txn,
                                               const v1::DescribeInstancesRequest& request,
                                               v1::DescribeInstancesResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_RETURN_IF_ERROR(CheckIds("instance_ids", request.instance_ids()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  const auto in_region = [&](const v1::Instance& instance) {
    return request.region().empty() || instance.region() == request.region();
  };
  const auto has_token = [&](const v1::Instance& instance) {
    return request.client_token().empty() || instance.client_token() == request.client_token();
  };

  if (request.instance_ids().empty()) {
    HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                           ListRows<store::v1::InstanceRow>(txn, kTable, InstancePrefix(context.tenant), page,
                                                            [&](const store::v1::InstanceRow& row) {
                                                              const bool listed = in_region(row.instance()) &&
                                                                                  has_token(row.instance());
                                                              if (listed) *response->add_instances() = row.instance();
                                                              return listed;
                                                            }));
    return absl::OkStatus();
  }
  HAPAX_ASSIGN_OR_RETURN(
      *response->mutable_next_page_token(),
      ListNames(Sorted(request.instance_ids()), page, [&](const std::string& instance_id) -> absl::StatusOr<size_t> {
        HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::InstanceRow> row,
                               GetRow<store::v1::InstanceRow>(txn, kTable, InstanceKey(context.tenant, instance_id)));
        if (!row.has_value() || !in_region(row->instance())) {
          return RefuseValue(Reason::kInstanceNotFound, "instance_ids", instance_id, "must be instances of the tenant");
        }
        if (has_token(row->instance())) *response->add_instances() = row->instance();
        return row->instance().ByteSizeLong();
      }));
  return absl::OkStatus();
}

absl::Status ComputeService::DescribeHosts(const CallContext& context, const ReadTransaction& txn,
                                           const v1::DescribeHostsRequest& request,
                                           v1::DescribeHostsResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_RETURN_IF_ERROR(CheckIds("host_ids", request.host_ids()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request));
  const auto in_region = [&](const v1::Host& host) {
    return request.region().empty() || host.region() == request.region();
  };

  if (request.host_ids().empty()) {
    HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                           ListRows<v1::Host>(txn, kTable, HostPrefix(context.tenant), page, [&](const v1::Host& host) {
                             if (in_region(host)) *response->add_hosts() = host;
                             return in_region(host);
                           }));
    return absl::OkStatus();
  }
  HAPAX_ASSIGN_OR_RETURN(
      *response->mutable_next_page_token(),
      ListNames(Sorted(request.host_ids()), page, [&](const std::string& host_id) -> absl::StatusOr<size_t> {
        HAPAX_ASSIGN_OR_RETURN(std::optional<v1::Host> host,
                               GetRow<v1::Host>(txn, kTable, HostKey(context.tenant, host_id)));
        if (!host.has_value() || !in_region(*host)) {
          return RefuseValue(Reason::kHostNotFound, "host_ids", host_id, "must be hosts of the tenant");
        }
        *response->add_hosts() = *host;
        return host->ByteSizeLong();
      }));
  return absl::OkStatus();
}

absl::Status ComputeService::DescribeKeypairs(const CallContext& context, const ReadTransaction& txn,
                                              const v1::DescribeKeypairsRequest& request,
                                              v1::DescribeKeypairsResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_RETURN_IF_ERROR(CheckIds("key_names", request.key_names()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request));

  std::set<std::string> missing = Sorted(request.key_names());
  const bool by_name = !missing.empty();
  for (const std::string& name : request.key_names()) {
    for (const std::string& region : places_.regions()) {
      if (!request.region().empty() && region != request.region()) continue;
      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, KeyPairKey(context.tenant, region, name)));
      if (value.has_value()) missing.erase(name);
    }
  }
  if (!missing.empty()) {
    return RefuseValue(Reason::kKeypairNotFound, "key_names", *missing.begin(), "must be key pairs of the tenant");
  }
  const std::set<std::string> wanted = Sorted(request.key_names());
  HAPAX_ASSIGN_OR_RETURN(
      *response->mutable_next_page_token(),
      ListRows<v1::KeyPair>(txn, kTable, KeyPairPrefix(context.tenant), page, [&](const v1::KeyPair& pair) {
        const bool listed = (request.region().empty() || pair.region() == request.region()) &&
                            (!by_name || wanted.contains(pair.key_name()));
        if (listed) *response->add_key_pairs() = pair;
        return listed;
      }));
  return absl::OkStatus();
}

}  // namespace hapax::compute
