#ifndef HAPAX_TESTS_SERVER_SUPPORT_OPERATIONS_CLIENT_H_
#define HAPAX_TESTS_SERVER_SUPPORT_OPERATIONS_CLIENT_H_

#include <algorithm>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/check.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax {

// Calls the handlers of google.longrunning.Operations as the chain calls them, without a chain.
class OperationsClient {
 public:
  // `check_interval` as that of OperationsService.
  OperationsClient(Store& store, OperationWaiters& waiters, absl::Duration check_interval = absl::InfiniteDuration())
      : store_(store), service_(store, waiters, check_interval), hosted_(service_.Host()) {
    const absl::Status compiled = hosted_->Compile();
    HAPAX_CHECK(compiled.ok(), compiled.ToString().c_str());
  }

  [[nodiscard]] absl::StatusOr<external::longrunning::Operation> Get(const std::string& name,
                                                                     const std::string& tenant) const {
    external::longrunning::GetOperationRequest request;
    request.set_name(name);
    return Read<external::longrunning::Operation>("GetOperation", request, tenant);
  }
  [[nodiscard]] absl::StatusOr<external::longrunning::ListOperationsResponse> List(
      const external::longrunning::ListOperationsRequest& request, const std::string& tenant) const {
    return Read<external::longrunning::ListOperationsResponse>("ListOperations", request, tenant);
  }

  // A WaitOperation; set its deadline, and Wait.
  [[nodiscard]] std::unique_ptr<FakeCall> NewWait(const external::longrunning::WaitOperationRequest& request,
                                                  const std::string& tenant) const {
    auto call = std::make_unique<FakeCall>(MethodNamed("WaitOperation"), request);
    call->context.tenant = tenant;
    call->Decode();
    return call;
  }
  // Starts it.
  void Wait(FakeCall& call) const { call.method().serve(call); }

 private:
  [[nodiscard]] const Method& MethodNamed(const std::string& name) const {
    const auto& methods = hosted_->methods();
    const auto found = std::find_if(methods.begin(), methods.end(), [&](const Method& method) {
      return method.name == "google.longrunning.Operations/" + name;
    });
    HAPAX_CHECK(found != methods.end(), name.c_str());
    return *found;
  }
  template <typename Reply>
  absl::StatusOr<Reply> Read(const std::string& name, const google::protobuf::Message& request,
                             const std::string& tenant) const {
    Reply reply;
    const absl::Status status = Query(store_, [&](const ReadTransaction& txn) {
      reply.Clear();
      return MethodNamed(name).read({.tenant = tenant}, txn, request, &reply);
    });
    if (!status.ok()) return status;
    return reply;
  }

  Store& store_;
  const OperationsService service_;
  const std::unique_ptr<HostedService> hosted_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_OPERATIONS_CLIENT_H_
