#include "hapax/tests/server/support/compute_server.h"

#include <utility>

#include "gtest/gtest.h"
#include "hapax/server/compute/lifecycle.h"
#include "hapax/server/compute/power.h"
#include "hapax/storage/check.h"
#include "hapax/storage/rocksdb_store.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax::compute {
namespace {

template <typename Value>
Value Must(absl::StatusOr<Value> result) {
  HAPAX_CHECK(result.ok(), result.status().ToString().c_str());
  return *std::move(result);
}

void Must(const absl::Status& status) { HAPAX_CHECK(status.ok(), status.ToString().c_str()); }

}  // namespace

ComputeServer::ComputeServer(const Options& options, Hypervisor& hypervisor, const Clock& clock)
    : logger_(NullLogger()),
      catalog_(std::make_unique<const Catalog>(Must(Catalog::Parse(options.catalog.DebugString())))),
      store_(Must(OpenRocksDbStore({.path = options.data_dir, .clock = &clock}))),
      places_(Must(Places::Load(*store_, *catalog_))),
      waiters_(std::make_unique<OperationWaiters>(/*max_waiting=*/100)),
      operations_(ids_, *waiters_),
      work_(*store_, clock, *logger_),
      compute_service_(*catalog_, *places_, ids_, work_, operations_),
      hosted_compute_(compute_service_.Host()),
      operations_service_(*store_, *waiters_),
      hosted_operations_(operations_service_.Host()) {
  const auto add = [&]<typename Driver, typename... Arguments>(std::string_view kind, std::in_place_type_t<Driver>,
                                                               Arguments&&... arguments) {
    drivers_.push_back(std::make_unique<SteppedDriver<Driver>>(kind, options.on_step, completions_,
                                                               std::forward<Arguments>(arguments)...));
    work_.AddDriver(std::string(kind), *drivers_.back());
  };
  add(kBootWork, std::in_place_type<BootDriver>, hypervisor);
  add(kShutDownWork, std::in_place_type<ShutDownDriver>, hypervisor);
  add(kStopWork, std::in_place_type<PowerDriver>, PowerDriver::Kind::kStop, hypervisor, operations_);
  add(kStartWork, std::in_place_type<PowerDriver>, PowerDriver::Kind::kStart, hypervisor, operations_);
  resumed_ = Must(work_.Resume());
  Must(hosted_compute_->Compile());
  Must(hosted_operations_->Compile());
  client_ = std::make_unique<ChainClient>(
      *store_, clock, std::vector<const HostedService*>{hosted_compute_.get(), hosted_operations_.get()});
}

ComputeServer::~ComputeServer() {
  client_.reset();
  work_.Stop();
  waiters_.reset();
  store_.reset();
}

std::vector<v1::Instance> ComputeServer::Instances() const {
  const auto reply = Call("DescribeInstances", v1::DescribeInstancesRequest()).As<v1::DescribeInstancesResponse>();
  return {reply.instances().begin(), reply.instances().end()};
}

std::vector<google::longrunning::Operation> ComputeServer::AllOperations() const {
  const auto reply = Call("ListOperations", google::longrunning::ListOperationsRequest())
                         .As<google::longrunning::ListOperationsResponse>();
  return {reply.operations().begin(), reply.operations().end()};
}

int ComputeServer::OpenWork() const {
  int count = 0;
  EXPECT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) {
                      count = 0;
                      return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view, std::string_view) {
                        ++count;
                        return true;
                      });
                    }),
              IsOk());
  return count;
}

}  // namespace hapax::compute
