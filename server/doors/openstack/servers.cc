#include "hapax/server/doors/openstack/servers.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/doors/openstack/json_fields.h"
#include "hapax/server/doors/openstack/launch_request.h"
#include "hapax/server/doors/openstack/server_views.h"

namespace hapax::openstack {
namespace {

using compute::v1::DescribeInstancesRequest;
using compute::v1::DescribeInstancesResponse;
using compute::v1::Instance;
using compute::v1::RunInstancesResponse;
using compute::v1::StartInstanceRequest;
using compute::v1::StopInstanceRequest;
using compute::v1::TerminateInstancesRequest;
using compute::v1::TerminateInstancesResponse;
using external::longrunning::Operation;

void SendAbsent(ExchangePtr exchange, const std::string& id) {
  Exchange::Send(std::move(exchange), ErrorReply(404, "Instance " + id + " could not be found."));
}

bool MayBeInstance(const std::string& id) { return id.starts_with("i-"); }

// Finds the instance first: its region, which the path does not name, is needed. `next` also gets a terminated one.
void FindInstance(ExchangePtr exchange, const std::string& id,
                  absl::AnyInvocable<void(ExchangePtr, Instance) &&> next) {
  if (!MayBeInstance(id)) {
    // A name, which clients try as an id first.
    return Exchange::Authenticate(std::move(exchange), [id](ExchangePtr self) { SendAbsent(std::move(self), id); });
  }
  DescribeInstancesRequest request;
  request.set_region(exchange->region);
  request.add_instance_ids(id);
  exchange->path_names_it = true;
  Exchange::Read<DescribeInstancesResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/DescribeInstances", request,
      [id, next = std::move(next)](ExchangePtr self, DescribeInstancesResponse response) mutable {
        if (response.instances().empty()) return SendAbsent(std::move(self), id);
        std::move(next)(std::move(self), std::move(*response.mutable_instances(0)));
      });
}

// Whether the request names no token, so that it cannot be a retry of one that was executed.
bool HasNoToken(const Exchange& exchange) {
  return exchange.request.prefix_token.empty() && !exchange.request.Header("x-client-token").has_value() &&
         !exchange.request.Header("idempotency-key").has_value();
}

bool IsPowerAction(const std::string& action) { return action == "os-start" || action == "os-stop"; }

// The name of an action, which is the only field of the body. Errors: INVALID_PARAMETER, the body is none of an action.
absl::StatusOr<std::string> ReadAction(std::string_view text) {
  HAPAX_ASSIGN_OR_RETURN(JsonFields body, JsonFields::Parse(text));
  const std::vector<std::string> names = body.Names();
  if (names.size() != 1) return RefuseParameter("body", "must have one field, which names the action");
  if (IsPowerAction(names[0]) && !body.TakeIfEmpty(names[0])) {
    return RefuseParameter(names[0], "must be null");
  }
  return names[0];
}

template <typename Request>
void ChangePower(ExchangePtr exchange, std::string_view method, const Instance& instance) {
  Request request;
  request.set_region(instance.region());
  request.set_instance_id(instance.instance_id());
  Exchange::Mutate<Operation>(std::move(exchange), method, request, [](ExchangePtr self, const Operation& /*started*/) {
    Exchange::Send(std::move(self), EmptyReply(202));
  });
}

}  // namespace

void CreateServers(ExchangePtr exchange) {
  absl::StatusOr<LaunchRequest> launch = ReadLaunchRequest(exchange->request.body);
  if (!launch.ok()) return Exchange::Send(std::move(exchange), launch.status());
  launch->request.set_region(exchange->region);
  Exchange::Mutate<RunInstancesResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/RunInstances", launch->request,
      [wants_reservation_id = launch->wants_reservation_id](ExchangePtr self, const RunInstancesResponse& response) {
        if (wants_reservation_id) {
          const JsonObject body = JsonObject().Text("reservation_id", response.reservation_id());
          return Exchange::Send(std::move(self), JsonReply(202, body));
        }
        if (response.instances().empty()) {
          return Exchange::Send(std::move(self), Refuse(Reason::kInternal, "a launch has no instance"));
        }
        const std::string& id = response.instances(0).instance_id();
        HttpReply reply = JsonReply(202, JsonObject().Object("server", NewServerView(*self, id)));
        reply.headers.emplace_back("Location", self->BaseUrl() + "/v2.1/servers/" + id);
        Exchange::Send(std::move(self), std::move(reply));
      });
}

void ShowServer(ExchangePtr exchange, const std::string& id) {
  FindInstance(std::move(exchange), id, [](ExchangePtr self, const Instance& instance) {
    if (instance.state() == compute::v1::INSTANCE_STATE_TERMINATED) {
      return SendAbsent(std::move(self), instance.instance_id());
    }
    HttpReply reply = JsonReply(200, JsonObject().Object("server", ServerView(*self, instance)));
    Exchange::Send(std::move(self), std::move(reply));
  });
}

void DeleteServer(ExchangePtr exchange, const std::string& id) {
  FindInstance(std::move(exchange), id, [](ExchangePtr self, const Instance& instance) {
    if (instance.state() == compute::v1::INSTANCE_STATE_TERMINATED && HasNoToken(*self)) {
      return SendAbsent(std::move(self), instance.instance_id());
    }
    TerminateInstancesRequest request;
    request.set_region(instance.region());
    request.add_instance_ids(instance.instance_id());
    Exchange::Mutate<TerminateInstancesResponse>(std::move(self), "hapax.compute.v1.Compute/TerminateInstances",
                                                 request,
                                                 [](ExchangePtr done, const TerminateInstancesResponse& /*response*/) {
                                                   Exchange::Send(std::move(done), EmptyReply(204));
                                                 });
  });
}

void ActOnServer(ExchangePtr exchange, const std::string& id) {
  absl::StatusOr<std::string> action = ReadAction(exchange->request.body);
  if (!action.ok()) return Exchange::Send(std::move(exchange), action.status());
  FindInstance(std::move(exchange), id, [action = *std::move(action)](ExchangePtr self, const Instance& instance) {
    if (instance.state() == compute::v1::INSTANCE_STATE_TERMINATED && HasNoToken(*self)) {
      return SendAbsent(std::move(self), instance.instance_id());
    }
    if (!IsPowerAction(action)) {
      return Exchange::Send(std::move(self), RefuseParameter(action, "is no action of this server: os-start, os-stop"));
    }
    if (action == "os-start") {
      ChangePower<StartInstanceRequest>(std::move(self), "hapax.compute.v1.Compute/StartInstance", instance);
    } else {
      ChangePower<StopInstanceRequest>(std::move(self), "hapax.compute.v1.Compute/StopInstance", instance);
    }
  });
}

}  // namespace hapax::openstack
