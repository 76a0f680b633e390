#include "hapax/server/doors/yandex/views.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/empty.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/proto/sorted_bytes.h"
#include "hapax/server/doors/yandex/requests.h"
#include "yandex/cloud/compute/v1/instance_service.pb.h"

namespace hapax::yandex {
namespace {

namespace vm = ::yandex::cloud::compute::v1;
using compute::v1::InstanceState;

void SetAny(const google::protobuf::Message& message, google::protobuf::Any* any) {
  any->set_type_url(TypeUrlOf(*message.GetDescriptor()));
  any->set_value(SortedBytes(message));
}

template <typename Metadata>
void SetMetadata(const std::string& instance_id, Operation& view) {
  Metadata metadata;
  metadata.set_instance_id(instance_id);
  SetAny(metadata, view.mutable_metadata());
}

vm::Instance::Status StatusOf(const compute::v1::Instance& instance) {
  switch (instance.state()) {
    case InstanceState::INSTANCE_STATE_PENDING:
      return vm::Instance::PROVISIONING;
    case InstanceState::INSTANCE_STATE_RUNNING:
      return vm::Instance::RUNNING;
    case InstanceState::INSTANCE_STATE_STOPPING:
      return vm::Instance::STOPPING;
    case InstanceState::INSTANCE_STATE_STOPPED:
      return vm::Instance::STOPPED;
    case InstanceState::INSTANCE_STATE_SHUTTING_DOWN:
    case InstanceState::INSTANCE_STATE_TERMINATED:
      // With a reason, it is a launch that failed.
      return instance.has_state_reason() ? vm::Instance::ERROR : vm::Instance::DELETING;
    default:
      return vm::Instance::STATUS_UNSPECIFIED;
  }
}

}  // namespace

vm::Instance InstanceView(const compute::v1::Instance& instance, const compute::Catalog& catalog) {
  vm::Instance view;
  view.set_id(instance.instance_id());
  view.set_folder_id(std::string(kFolder));
  if (instance.has_launch_time()) *view.mutable_created_at() = instance.launch_time();
  for (const auto& [key, value] : instance.tags()) {
    if (key == kNameTag) {
      view.set_name(value);
    } else {
      (*view.mutable_labels())[key] = value;
    }
  }
  view.set_zone_id(instance.availability_zone());
  view.set_platform_id(instance.instance_type());
  if (const auto* type = catalog.FindInstanceType(instance.instance_type())) {
    view.mutable_resources()->set_cores(type->vcpus());
    view.mutable_resources()->set_core_fraction(100);
  }
  view.set_status(StatusOf(instance));
  if (!instance.subnet_id().empty()) {
    vm::NetworkInterface& network = *view.add_network_interfaces();
    network.set_index("0");
    network.set_subnet_id(instance.subnet_id());
    network.mutable_primary_v4_address()->set_address(instance.private_ip_address());
  }
  view.set_host_id(instance.host_id());
  return view;
}

absl::StatusOr<Operation> PowerOperation(const external::longrunning::Operation& operation,
                                         const compute::Catalog& catalog) {
  compute::v1::InstanceOperationMetadata metadata;
  if (!Unpack(operation.metadata(), metadata)) {
    return Refuse(Reason::kInternal, "an operation is neither a start nor a stop of an instance");
  }
  const bool is_start = metadata.method() == "StartInstance";
  Operation view;
  view.set_id(std::string(absl::StripPrefix(operation.name(), "operations/")));
  view.set_description(is_start ? "Start instance" : "Stop instance");
  if (metadata.has_create_time()) *view.mutable_created_at() = metadata.create_time();
  view.set_done(operation.done());
  if (is_start) {
    SetMetadata<vm::StartInstanceMetadata>(metadata.instance_id(), view);
  } else {
    SetMetadata<vm::StopInstanceMetadata>(metadata.instance_id(), view);
  }
  if (operation.has_error()) {
    *view.mutable_error() = operation.error();
  } else if (operation.done() && is_start) {
    compute::v1::Instance instance;
    if (!Unpack(operation.response(), instance)) {
      return Refuse(Reason::kInternal, "the response of an operation is no instance");
    }
    SetAny(InstanceView(instance, catalog), view.mutable_response());
  } else if (operation.done()) {
    SetAny(google::protobuf::Empty(), view.mutable_response());
  }
  return view;
}

Operation CreateOperation(const compute::v1::Instance& instance, const compute::Catalog& catalog) {
  Operation view;
  view.set_id(absl::StrCat(std::string(kCreatePrefix), instance.instance_id()));
  view.set_description("Create instance");
  if (instance.has_launch_time()) *view.mutable_created_at() = instance.launch_time();
  SetMetadata<vm::CreateInstanceMetadata>(instance.instance_id(), view);
  view.set_done(instance.state() != InstanceState::INSTANCE_STATE_PENDING);
  if (!view.done()) return view;
  if (StatusOf(instance) == vm::Instance::ERROR) {
    view.mutable_error()->set_code(static_cast<int>(absl::StatusCode::kInternal));
    view.mutable_error()->set_message(instance.state_reason().message());
  } else {
    SetAny(InstanceView(instance, catalog), view.mutable_response());
  }
  return view;
}

Operation DeleteOperation(const std::string& instance_id, InstanceState state) {
  Operation view;
  view.set_id(absl::StrCat(std::string(kDeletePrefix), instance_id));
  view.set_description("Delete instance");
  SetMetadata<vm::DeleteInstanceMetadata>(instance_id, view);
  view.set_done(state == InstanceState::INSTANCE_STATE_TERMINATED);
  if (view.done()) SetAny(google::protobuf::Empty(), view.mutable_response());
  return view;
}

}  // namespace hapax::yandex
