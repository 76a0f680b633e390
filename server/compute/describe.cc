#include <optional>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/filters.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/rows.h"
#include "hapax/server/hosting/listing.h"

namespace hapax::compute {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

std::set<std::string> Sorted(const Names& names) { return {names.begin(), names.end()}; }

// The rows of a list, and what to do with each.
template <typename Row>
struct RowList {
  // The key of the row of this id.
  absl::FunctionRef<std::string(const std::string& id)> key;
  // Whether the request may name the row: it is one of its region.
  absl::FunctionRef<bool(const Row&)> exists;
  // The refusal for an id without such a row.
  absl::FunctionRef<absl::Status(const std::string& id)> not_found;
  // Adds the row to the reply, if it belongs to the list.
  absl::FunctionRef<bool(const Row&)> take;
};

// Fills a page from the rows that the request names, each once, in the order of their ids. Only the first page checks
// that they exist: one deleted later must not cost the caller the rest of the list.
template <typename Row>
absl::StatusOr<std::string> ListNamedRows(const ReadTransaction& txn, const std::set<std::string>& ids,
                                          const Page& page, const RowList<Row>& list) {
  const auto find = [&](const std::string& id) -> absl::StatusOr<std::optional<Row>> {
    HAPAX_ASSIGN_OR_RETURN(std::optional<Row> row, GetRow<Row>(txn, kTable, list.key(id)));
    if (row.has_value() && !list.exists(*row)) row.reset();
    return row;
  };
  if (page.after().empty()) {
    for (const std::string& id : ids) {
      HAPAX_ASSIGN_OR_RETURN(const std::optional<Row> row, find(id));
      if (!row.has_value()) return list.not_found(id);
    }
  }
  return ListNames(ids, page, [&](const std::string& id) -> absl::StatusOr<size_t> {
    HAPAX_ASSIGN_OR_RETURN(const std::optional<Row> row, find(id));
    return row.has_value() && list.take(*row) ? row->ByteSizeLong() : 0;
  });
}

}  // namespace

absl::Status ComputeService::DescribeInstances(const CallContext& context, const ReadTransaction& txn,
                                               const v1::DescribeInstancesRequest& request,
                                               v1::DescribeInstancesResponse* response) const {
  using Row = store::v1::InstanceRow;
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_RETURN_IF_ERROR(CheckIds("instance_ids", request.instance_ids()));
  HAPAX_ASSIGN_OR_RETURN(const auto filters, Filters<v1::Instance>::Of(request.filters()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key, context.tenant));
  const auto key = [&](const std::string& id) { return InstanceKey(context.tenant, id); };
  const auto in_region = [&](const Row& row) {
    return request.region().empty() || row.instance().region() == request.region();
  };
  const auto not_found = [](const std::string& id) {
    return RefuseValue(Reason::kInstanceNotFound, "instance_ids", id, "must be instances of the tenant");
  };
  const auto take = [&](const Row& row) {
    const v1::Instance& instance = row.instance();
    const bool listed = in_region(row) && filters.Match(instance) &&
                        (request.client_token().empty() || instance.client_token() == request.client_token());
    if (listed) *response->add_instances() = instance;
    return listed;
  };
  // A damaged instance still exists, with unknown content: an unfiltered list has its id.
  const auto take_damaged = [&](const std::string& id) {
    if (!request.filters().empty() || !request.client_token().empty()) return false;
    response->add_instances()->set_instance_id(id);
    return true;
  };
  HAPAX_ASSIGN_OR_RETURN(
      *response->mutable_next_page_token(),
      request.instance_ids().empty()
          ? ListRows<Row>(txn, kTable, InstancePrefix(context.tenant), page, take, take_damaged)
          : ListNamedRows<Row>(txn, Sorted(request.instance_ids()), page, {key, in_region, not_found, take}));
  return absl::OkStatus();
}

absl::Status ComputeService::DescribeHosts(const CallContext& context, const ReadTransaction& txn,
                                           const v1::DescribeHostsRequest& request,
                                           v1::DescribeHostsResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_RETURN_IF_ERROR(CheckIds("host_ids", request.host_ids()));
  HAPAX_ASSIGN_OR_RETURN(const auto filters, Filters<v1::Host>::Of(request.filters()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key, context.tenant));
  const auto key = [&](const std::string& id) { return HostKey(context.tenant, id); };
  const auto in_region = [&](const v1::Host& host) {
    return request.region().empty() || host.region() == request.region();
  };
  const auto not_found = [](const std::string& id) {
    return RefuseValue(Reason::kHostNotFound, "host_ids", id, "must be hosts of the tenant");
  };
  const auto take = [&](const v1::Host& host) {
    const bool listed = in_region(host) && filters.Match(host);
    if (listed) *response->add_hosts() = host;
    return listed;
  };
  const auto take_damaged = [&](const std::string& id) {
    if (!request.filters().empty()) return false;
    response->add_hosts()->set_host_id(id);
    return true;
  };
  HAPAX_ASSIGN_OR_RETURN(
      *response->mutable_next_page_token(),
      request.host_ids().empty()
          ? ListRows<v1::Host>(txn, kTable, HostPrefix(context.tenant), page, take, take_damaged)
          : ListNamedRows<v1::Host>(txn, Sorted(request.host_ids()), page, {key, in_region, not_found, take}));
  return absl::OkStatus();
}

absl::Status ComputeService::DescribeKeypairs(const CallContext& context, const ReadTransaction& txn,
                                              const v1::DescribeKeypairsRequest& request,
                                              v1::DescribeKeypairsResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_RETURN_IF_ERROR(CheckIds("key_names", request.key_names()));
  HAPAX_ASSIGN_OR_RETURN(const auto filters, Filters<v1::KeyPair>::Of(request.filters()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key, context.tenant));

  const std::set<std::string> wanted = Sorted(request.key_names());
  // A name may exist in several regions. As in ListNamedRows, only the first page requires all names.
  std::set<std::string> missing = page.after().empty() ? wanted : std::set<std::string>();
  for (const std::string& name : std::set(missing)) {
    for (const std::string& region : places_.regions()) {
      if (!request.region().empty() && region != request.region()) continue;
      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, KeyPairKey(context.tenant, region, name)));
      if (value.has_value()) missing.erase(name);
    }
  }
  if (!missing.empty()) {
    return RefuseValue(Reason::kKeypairNotFound, "key_names", *missing.begin(), "must be key pairs of the tenant");
  }
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                         ListRows<v1::KeyPair>(
                             txn, kTable, KeyPairPrefix(context.tenant), page,
                             [&](const v1::KeyPair& pair) {
                               const bool listed = (request.region().empty() || pair.region() == request.region()) &&
                                                   (wanted.empty() || wanted.contains(pair.key_name())) &&
                                                   filters.Match(pair);
                               if (listed) *response->add_key_pairs() = pair;
                               return listed;
                             },
                             [&](const std::string& name) {
                               if (!request.filters().empty() || !(wanted.empty() || wanted.contains(name)))
                                 return false;
                               response->add_key_pairs()->set_key_name(name);
                               return true;
                             }));
  return absl::OkStatus();
}

}  // namespace hapax::compute
