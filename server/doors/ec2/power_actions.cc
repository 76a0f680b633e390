#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/doors/ec2/actions.h"
#include "hapax/server/doors/ec2/common.h"
#include "hapax/server/doors/ec2/exchange.h"

namespace hapax::ec2 {
namespace {

using compute::v1::DescribeInstancesRequest;
using compute::v1::DescribeInstancesResponse;
using compute::v1::InstanceState;
using external::longrunning::Operation;

// How an action differs from the other.
struct Direction {
  std::string_view method;
  InstanceState from;  // Of an instance that it acts on,
  InstanceState to;    // and what it becomes at once.
};

constexpr Direction kStart = {"hapax.compute.v1.Compute/StartInstance", compute::v1::INSTANCE_STATE_STOPPED,
                              compute::v1::INSTANCE_STATE_PENDING};
constexpr Direction kStop = {"hapax.compute.v1.Compute/StopInstance", compute::v1::INSTANCE_STATE_RUNNING,
                             compute::v1::INSTANCE_STATE_STOPPING};

// One call for each instance, one after another. Those that were made before an error stay made, and a retry with the
// same token goes on behind them.
template <typename Request>
class PowerChange : public std::enable_shared_from_this<PowerChange<Request>> {
 public:
  PowerChange(const Direction& direction, std::string region, std::vector<std::string> ids)
      : direction_(direction), region_(std::move(region)), ids_(std::move(ids)) {}

  void Start(std::shared_ptr<Exchange> exchange) {
    exchange_ = std::move(exchange);
    if (ids_.size() == 1) return ChangeAll();
    // One unknown instance of several must leave the others as they are, as in EC2.
    DescribeInstancesRequest request;
    request.set_region(region_);
    request.mutable_instance_ids()->Assign(ids_.begin(), ids_.end());
    request.set_page_size(1);
    exchange_->Call<DescribeInstancesResponse>(
        "hapax.compute.v1.Compute/DescribeInstances", std::move(request),
        [self = this->shared_from_this()](const absl::StatusOr<DescribeInstancesResponse>& response) {
          if (!response.ok()) return self->exchange_->Fail(response.status());
          self->ChangeAll();
        });
  }

 private:
  void ChangeAll() {
    RunSteps([self = this->shared_from_this()](size_t index, absl::AnyInvocable<void()> next) {
      if (index == self->ids_.size()) return self->Reply();
      if (self->exchange_->IsGone()) return self->exchange_->Fail(absl::CancelledError("the client has gone"));
      self->ChangeOne(self->ids_[index], std::move(next));
    });
  }

  void ChangeOne(const std::string& id, absl::AnyInvocable<void()> next) {
    Request request;
    request.set_region(region_);
    request.set_instance_id(id);
    // As in EC2; and a retry of a call that found nothing to do does nothing, either.
    request.set_allow_unchanged(true);
    exchange_->Call<Operation>(
        direction_.method, std::move(request),
        [self = this->shared_from_this(), next = std::move(next)](const absl::StatusOr<Operation>& operation) mutable {
          if (!operation.ok()) return self->exchange_->Fail(operation.status());
          self->previous_.push_back(self->PreviousStateIn(*operation));
          next();
        },
        ids_.size() == 1 ? "" : std::string_view(id));
  }

  [[nodiscard]] InstanceState PreviousStateIn(const Operation& operation) const {
    compute::v1::InstanceOperationMetadata metadata;
    const bool is_told = metadata.ParseFromString(operation.metadata().value()) &&
                         metadata.previous_state() != compute::v1::INSTANCE_STATE_UNSPECIFIED;
    return is_told ? metadata.previous_state() : direction_.from;
  }

  // A function of what was recorded, so that a replay tells the same.
  void Reply() {
    exchange_->Reply([this](XmlWriter& xml) {
      xml.Open("instancesSet");
      for (size_t i = 0; i < ids_.size(); ++i) {
        RenderStateChange(xml, ids_[i], previous_[i], previous_[i] == direction_.from ? direction_.to : previous_[i]);
      }
      xml.Close();
    });
  }

  const Direction& direction_;
  const std::string region_;
  const std::vector<std::string> ids_;
  std::shared_ptr<Exchange> exchange_;
  std::vector<InstanceState> previous_;  // Of the first ids.
};

template <typename Request>
absl::StatusOr<Plan> PlanPowerChange(const Direction& direction, Parameters& parameters, const Setting& setting) {
  google::protobuf::RepeatedPtrField<std::string> ids;
  HAPAX_RETURN_IF_ERROR(TakeIds(parameters, "InstanceId", Ids::kRequired, &ids));
  auto change = std::make_shared<PowerChange<Request>>(direction, setting.region,
                                                       std::vector<std::string>(ids.begin(), ids.end()));
  return [change = std::move(change)](std::shared_ptr<Exchange> exchange) { change->Start(std::move(exchange)); };
}

}  // namespace

absl::StatusOr<Plan> PlanStartInstances(Parameters& parameters, const Setting& setting) {
  return PlanPowerChange<compute::v1::StartInstanceRequest>(kStart, parameters, setting);
}

absl::StatusOr<Plan> PlanStopInstances(Parameters& parameters, const Setting& setting) {
  for (const char* const name : {"Force", "Hibernate", "SkipOsShutdown"}) {
    HAPAX_RETURN_IF_ERROR(parameters.TakeFixed(name, "false"));
  }
  return PlanPowerChange<compute::v1::StopInstanceRequest>(kStop, parameters, setting);
}

}  // namespace hapax::ec2
