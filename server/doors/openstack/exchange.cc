#include "hapax/server/doors/openstack/exchange.h"

#include "hapax/compute/v1/compute.pb.h"

namespace hapax::openstack {

void Exchange::Send(ExchangePtr exchange, HttpReply reply) {
  if (exchange->outcome.has_value()) {
    reply.headers.emplace_back("hapax-outcome", WireName(*exchange->outcome));
    if (*exchange->outcome == Outcome::kReplayed) reply.headers.emplace_back("idempotent-replayed", "true");
  }
  std::move(exchange->done)(std::move(reply));
}

std::string Exchange::BaseUrl() const { return request.BaseUrl() + (region.empty() ? "" : "/regions/" + region); }

std::string Exchange::CallerName() const {
  switch (options.identity) {
    case Identity::kProject:
      return has_token ? token : "default";
    case Identity::kApiKey: {
      // hapax_ID_SECRET: the id is no secret.
      const std::string_view key = token;
      const size_t begin = key.find('_');
      const size_t end = begin == std::string_view::npos ? begin : key.find('_', begin + 1);
      return end == std::string_view::npos ? "unknown" : std::string(key.substr(begin + 1, end - begin - 1));
    }
    case Identity::kCertificate:
      return request.certificate_common_name.empty() ? "certificate" : request.certificate_common_name;
  }
  return "unknown";
}

HttpHeaders Exchange::Metadata(bool mutates) const {
  HttpHeaders metadata;
  if (has_token && options.identity == Identity::kProject) metadata.emplace_back("x-tenant-id", token);
  if (has_token && options.identity == Identity::kApiKey) metadata.emplace_back("authorization", "Bearer " + token);
  if (!mutates) return metadata;
  // The chain refuses two that differ.
  for (const auto& [name, value] : request.headers) {
    if (name == "x-client-token" || name == "idempotency-key") metadata.emplace_back(name, value);
  }
  if (!request.prefix_token.empty()) metadata.emplace_back("x-client-token", request.prefix_token);
  return metadata;
}

void Exchange::RunBytes(ExchangePtr exchange, DoorCall call,
                        absl::AnyInvocable<void(ExchangePtr, std::string) &&> next) {
  const HttpRequest& origin = exchange->request;
  DoorCalls& calls = exchange->calls;
  calls.Run(origin, std::move(call), [exchange = std::move(exchange), next = std::move(next)](DoorReply reply) mutable {
    if (!reply.reply.ok()) {
      const absl::Status error = reply.reply.status();
      if (exchange->path_names_it && error.code() == absl::StatusCode::kNotFound) {
        return Send(std::move(exchange), ErrorReply(404, std::string(error.message())));
      }
      return Send(std::move(exchange), error);
    }
    if (reply.outcome.has_value()) exchange->outcome = reply.outcome;
    std::move(next)(std::move(exchange), *std::move(reply.reply));
  });
}

void Exchange::Authenticate(ExchangePtr exchange, absl::AnyInvocable<void(ExchangePtr) &&> next) {
  compute::v1::DescribeSubnetsRequest cheapest;
  cheapest.set_page_size(1);
  Read<compute::v1::DescribeSubnetsResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/DescribeSubnets", cheapest,
      [next = std::move(next)](ExchangePtr self, const compute::v1::DescribeSubnetsResponse& /*response*/) mutable {
        std::move(next)(std::move(self));
      });
}

}  // namespace hapax::openstack
