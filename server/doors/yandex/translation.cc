#include "hapax/server/doors/yandex/translation.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/doors/yandex/filter.h"
#include "hapax/server/doors/yandex/launch.h"
#include "hapax/server/doors/yandex/requests.h"
#include "hapax/server/doors/yandex/steps.h"
#include "hapax/server/doors/yandex/views.h"
#include "yandex/cloud/compute/v1/instance_service.pb.h"
#include "yandex/cloud/operation/operation_service.pb.h"

namespace hapax::yandex {
namespace {

namespace vm = ::yandex::cloud::compute::v1;
using compute::Catalog;
using compute::v1::Instance;
using LongRunning = external::longrunning::Operation;

constexpr std::string_view kRun = "hapax.compute.v1.Compute/RunInstances";
constexpr std::string_view kTerminate = "hapax.compute.v1.Compute/TerminateInstances";
constexpr std::string_view kStart = "hapax.compute.v1.Compute/StartInstance";
constexpr std::string_view kStop = "hapax.compute.v1.Compute/StopInstance";
constexpr std::string_view kGetOperation = "google.longrunning.Operations/GetOperation";

constexpr int64_t kMaxPageSize = 1000;

absl::Status InstanceAbsent() {
  return RefuseField(Reason::kInstanceNotFound, "instance_id", "must be the id of an instance of the tenant");
}
absl::Status OperationAbsent() {
  return RefuseField(Reason::kOperationNotFound, "operation_id", "must be the id of an operation of the tenant");
}

// The id that a request is only about.
template <typename Request>
absl::StatusOr<std::string> ReadInstanceId(std::string_view bytes) {
  HAPAX_ASSIGN_OR_RETURN(Request request, ReadRequest<Request>(bytes));
  HAPAX_ASSIGN_OR_RETURN(std::string id, RequiredId("instance_id", request.instance_id()));
  request.clear_instance_id();
  if constexpr (std::is_same_v<Request, vm::GetInstanceRequest>) {
    if (request.view() == vm::FULL) request.clear_view();
  }
  HAPAX_RETURN_IF_ERROR(RefuseRest(request));
  return id;
}

absl::StatusOr<std::string> ReadOperationId(std::string_view bytes) {
  using Request = ::yandex::cloud::operation::GetOperationRequest;
  HAPAX_ASSIGN_OR_RETURN(Request request, ReadRequest<Request>(bytes));
  HAPAX_ASSIGN_OR_RETURN(std::string id, RequiredId("operation_id", request.operation_id()));
  request.clear_operation_id();
  HAPAX_RETURN_IF_ERROR(RefuseRest(request));
  return id;
}

TranslationStep Get(const Catalog& catalog, std::string_view bytes) {
  const absl::StatusOr<std::string> id = ReadInstanceId<vm::GetInstanceRequest>(bytes);
  if (!id.ok()) return Fail(id.status());
  return FindInstance(*id, [&catalog](const absl::StatusOr<Instance>& instance) {
    if (!instance.ok()) return Fail(instance.status());
    if (instance->state() == compute::v1::INSTANCE_STATE_TERMINATED) return Fail(InstanceAbsent());
    return End(InstanceView(*instance, catalog));
  });
}

absl::StatusOr<compute::v1::DescribeInstancesRequest> ReadList(std::string_view bytes) {
  HAPAX_ASSIGN_OR_RETURN(vm::ListInstancesRequest request, ReadRequest<vm::ListInstancesRequest>(bytes));
  HAPAX_RETURN_IF_ERROR(CheckFolder(request.folder_id()));
  if (request.page_size() < 0 || request.page_size() > kMaxPageSize) {
    return RefuseParameter("page_size", absl::StrCat("must be 0 to ", kMaxPageSize));
  }
  const std::string& order = request.order_by();
  if (!order.empty() && order != "id" && order != "id asc") return RefuseParameter("order_by", "must be id, or empty");
  compute::v1::DescribeInstancesRequest list;
  list.set_page_size(static_cast<int32_t>(request.page_size()));
  list.set_page_token(request.page_token());
  HAPAX_RETURN_IF_ERROR(AddFilter(request.filter(), list));
  LeaveOutTerminated(list);
  request.clear_folder_id();
  request.clear_page_size();
  request.clear_order_by();
  request.clear_page_token();
  request.clear_filter();
  HAPAX_RETURN_IF_ERROR(RefuseRest(request));
  return list;
}

TranslationStep List(const Catalog& catalog, std::string_view bytes) {
  using Response = compute::v1::DescribeInstancesResponse;
  const auto request = ReadList(bytes);
  if (!request.ok()) return Fail(request.status());
  return Call<Response>(kDescribe, *request, [&catalog](const absl::StatusOr<Response>& response) {
    if (!response.ok()) return Fail(response.status());
    vm::ListInstancesResponse list;
    for (const Instance& instance : response->instances()) *list.add_instances() = InstanceView(instance, catalog);
    list.set_next_page_token(response->next_page_token());
    return End(list);
  });
}

TranslationStep Create(const Catalog& catalog, std::string_view bytes) {
  using Response = compute::v1::RunInstancesResponse;
  const auto launch = ReadLaunch(bytes, catalog);
  if (!launch.ok()) return Fail(launch.status());
  return Call<Response>(kRun, *launch, [&catalog](const absl::StatusOr<Response>& response) {
    if (!response.ok()) return Fail(response.status());
    // By another door, the token may have launched several, but not with the same parameters.
    if (response->instances().empty()) return Fail(Refuse(Reason::kInternal, "a launch has no instance"));
    const Instance& launched = response->instances(0);
    return FindInstance(launched.instance_id(), [&catalog, launched](const absl::StatusOr<Instance>& instance) {
      return End(CreateOperation(instance.ok() ? *instance : launched, catalog));
    });
  });
}

TranslationStep Delete(std::string_view bytes) {
  using Request = compute::v1::TerminateInstancesRequest;
  using Response = compute::v1::TerminateInstancesResponse;
  const auto id = ReadInstanceId<vm::DeleteInstanceRequest>(bytes);
  if (!id.ok()) return Fail(id.status());
  const auto request = [id = *id](const std::string& region) {
    Request terminate;
    terminate.set_region(region);
    terminate.add_instance_ids(id);
    return terminate;
  };
  return CallInItsRegion<Request, Response>(
      kTerminate, *id, request, [id = *id](const absl::StatusOr<Response>& response) {
        if (!response.ok()) return Fail(response.status());
        if (response->terminating_instances().empty()) {
          return Fail(Refuse(Reason::kInternal, "a termination has no instance"));
        }
        const auto state = response->terminating_instances(0).current_state();
        return FindInstance(id, [id, state](const absl::StatusOr<Instance>& instance) {
          return End(DeleteOperation(id, instance.ok() ? instance->state() : state));
        });
      });
}

// `Request` of Hapax, `TheirRequest` of Yandex Cloud.
template <typename Request, typename TheirRequest>
TranslationStep ChangePower(const Catalog& catalog, std::string_view method, std::string_view bytes) {
  const auto id = ReadInstanceId<TheirRequest>(bytes);
  if (!id.ok()) return Fail(id.status());
  const auto request = [id = *id](const std::string& region) {
    Request change;
    change.set_region(region);
    change.set_instance_id(id);
    return change;
  };
  return CallInItsRegion<Request, LongRunning>(method, *id, request,
                                               [&catalog](const absl::StatusOr<LongRunning>& operation) {
                                                 if (!operation.ok()) return Fail(operation.status());
                                                 const auto view = PowerOperation(*operation, catalog);
                                                 return view.ok() ? End(*view) : Fail(view.status());
                                               });
}

// The operation that the id says is made of an instance.
TranslationStep GetMadeOperation(const Catalog& catalog, const std::string& id) {
  const bool is_create = id.starts_with(kCreatePrefix);
  if (!is_create && !id.starts_with(kDeletePrefix)) return Fail(OperationAbsent());
  const std::string instance_id = id.substr(is_create ? kCreatePrefix.size() : kDeletePrefix.size());
  if (instance_id.empty()) return Fail(OperationAbsent());
  return FindInstance(instance_id, [&catalog, is_create](const absl::StatusOr<Instance>& instance) {
    if (ReasonOf(instance.status()) == Reason::kInstanceNotFound) return Fail(OperationAbsent());
    if (!instance.ok()) return Fail(instance.status());
    if (is_create) return End(CreateOperation(*instance, catalog));
    const bool is_deleted = instance->state() == compute::v1::INSTANCE_STATE_SHUTTING_DOWN ||
                            instance->state() == compute::v1::INSTANCE_STATE_TERMINATED;
    return is_deleted ? End(DeleteOperation(instance->instance_id(), instance->state())) : Fail(OperationAbsent());
  });
}

TranslationStep GetOperation(const Catalog& catalog, std::string_view bytes) {
  const absl::StatusOr<std::string> id = ReadOperationId(bytes);
  if (!id.ok()) return Fail(id.status());
  external::longrunning::GetOperationRequest get;
  get.set_name(absl::StrCat("operations/", *id));
  return Call<LongRunning>(kGetOperation, get, [&catalog, id = *id](const absl::StatusOr<LongRunning>& operation) {
    if (ReasonOf(operation.status()) == Reason::kOperationNotFound) return GetMadeOperation(catalog, id);
    if (!operation.ok()) return Fail(operation.status());
    const auto view = PowerOperation(*operation, catalog);
    return view.ok() ? End(*view) : Fail(view.status());
  });
}

TranslatedMethod Method(std::string_view name, std::string_view first_method,
                        std::function<TranslationStep(std::string_view)> begin) {
  return {.name = std::string(name), .first_method = first_method, .begin = std::move(begin)};
}

}  // namespace

std::vector<TranslatedMethod> TranslatedMethods(const Catalog& catalog) {
  return {
      Method("yandex.cloud.compute.v1.InstanceService/Get", kDescribe,
             [&catalog](std::string_view bytes) { return Get(catalog, bytes); }),
      Method("yandex.cloud.compute.v1.InstanceService/List", kDescribe,
             [&catalog](std::string_view bytes) { return List(catalog, bytes); }),
      Method("yandex.cloud.compute.v1.InstanceService/Create", kRun,
             [&catalog](std::string_view bytes) { return Create(catalog, bytes); }),
      Method("yandex.cloud.compute.v1.InstanceService/Delete", kTerminate, Delete),
      Method("yandex.cloud.compute.v1.InstanceService/Start", kStart,
             [&catalog](std::string_view bytes) {
               return ChangePower<compute::v1::StartInstanceRequest, vm::StartInstanceRequest>(catalog, kStart, bytes);
             }),
      Method("yandex.cloud.compute.v1.InstanceService/Stop", kStop,
             [&catalog](std::string_view bytes) {
               return ChangePower<compute::v1::StopInstanceRequest, vm::StopInstanceRequest>(catalog, kStop, bytes);
             }),
      Method("yandex.cloud.operation.OperationService/Get", kGetOperation,
             [&catalog](std::string_view bytes) { return GetOperation(catalog, bytes); }),
  };
}

}  // namespace hapax::yandex
