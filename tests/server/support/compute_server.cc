#include "hapax/tests/server/support/compute_server.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gtest/gtest.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax::compute {
namespace {

constexpr size_t kMaxWaiting = 4096;  // Transactions.

template <typename Value>
Value Must(absl::StatusOr<Value> result) {
  HAPAX_CHECK(result.ok(), result.status().ToString().c_str());
  return *std::move(result);
}

void Must(const absl::Status& status) { HAPAX_CHECK(status.ok(), status.ToString().c_str()); }

}  // namespace

absl::StatusOr<ComputeServer::Opened> ComputeServer::OpenParts(const Options& options, const Clock& clock) {
  Opened opened{.catalog = std::make_unique<const Catalog>(Must(Catalog::Parse(options.catalog.DebugString()))),
                .expiry = std::make_unique<const TokenExpiry>(clock)};
  HAPAX_ASSIGN_OR_RETURN(auto engine,
                         RocksDbEngine::Open({.path = options.data_dir,
                                              .log = options.log,
                                              .expiry = opened.expiry.get(),
                                              .probe_interval = std::min(options.retry_delay, absl::Milliseconds(250)),
                                              .env = options.env == nullptr ? rocksdb::Env::Default() : options.env}));
  opened.store = MakeRocksDbStore(std::move(engine), kMaxWaiting);
  HAPAX_ASSIGN_OR_RETURN(opened.places, Places::Load(*opened.store, *opened.catalog));
  return opened;
}

ComputeServer::ComputeServer(const Options& options, Hypervisor& hypervisor, const Clock& clock, Opened opened)
    : logger_(NullLogger()),
      catalog_(std::move(opened.catalog)),
      expiry_(std::move(opened.expiry)),
      store_(std::move(opened.store)),
      places_(std::move(opened.places)),
      waiters_(std::make_unique<OperationWaiters>(/*max_waiting=*/100)),
      operations_(ids_, *waiters_),
      work_(*store_, clock, *logger_,
            {.sole_server = true, .retry_delay = options.retry_delay, .first_backoff = options.retry_delay}),
      compute_service_(*catalog_, *places_, ids_, work_, operations_),
      hosted_compute_(compute_service_.Host()),
      operations_service_(*store_, *waiters_, /*check_interval=*/absl::InfiniteDuration()),
      hosted_operations_(operations_service_.Host()),
      seal_keys_(options.seal_keys.value_or(ChainClient::NewSealKeys())),
      resolver_([this](const PlaceHints& hints) { return places_->Resolve(hints); }),
      token_time_(clock),
      tokens_service_({.default_region = "us-east-1",
                       .time = &token_time_,
                       .resolver = &resolver_,
                       .services = {hosted_compute_.get()}},
                      seal_keys_),
      hosted_tokens_(tokens_service_.Host()) {
  const auto add = [&]<typename Driver, typename... Arguments>(std::string_view kind, std::in_place_type_t<Driver>,
                                                               Arguments&&... arguments) {
    drivers_.push_back(std::make_unique<SteppedDriver<Driver>>(kind, options.on_step, completions_,
                                                               std::forward<Arguments>(arguments)...));
    work_.AddDriver(std::string(kind), kServiceName, *drivers_.back());
  };
  add(kBootWork, std::in_place_type<BootDriver>, hypervisor, *store_, work_);
  add(kShutDownWork, std::in_place_type<ShutDownDriver>, hypervisor);
  add(kStopWork, std::in_place_type<PowerDriver>, PowerDriver::Kind::kStop, hypervisor, operations_);
  add(kStartWork, std::in_place_type<PowerDriver>, PowerDriver::Kind::kStart, hypervisor, operations_);
  Must(hosted_compute_->Compile());
  Must(hosted_operations_->Compile());
  Must(hosted_tokens_->Compile());
}

absl::Status ComputeServer::StartServing(const Clock& clock) {
  HAPAX_ASSIGN_OR_RETURN(resumed_, work_.Resume());
  client_ = std::make_unique<ChainClient>(
      *store_, clock,
      std::vector<const HostedService*>{hosted_compute_.get(), hosted_operations_.get(), hosted_tokens_.get()},
      seal_keys_);
  return absl::OkStatus();
}

ComputeServer::ComputeServer(const Options& options, Hypervisor& hypervisor, const Clock& clock)
    : ComputeServer(options, hypervisor, clock, Must(OpenParts(options, clock))) {
  Must(StartServing(clock));
}

absl::StatusOr<std::unique_ptr<ComputeServer>> ComputeServer::Open(const Options& options, Hypervisor& hypervisor,
                                                                   const Clock& clock) {
  HAPAX_ASSIGN_OR_RETURN(Opened opened, OpenParts(options, clock));
  std::unique_ptr<ComputeServer> server(new ComputeServer(options, hypervisor, clock, std::move(opened)));
  HAPAX_RETURN_IF_ERROR(server->StartServing(clock));
  return server;
}

ComputeServer::~ComputeServer() {
  client_.reset();
  work_.Stop();
  waiters_.reset();
  store_.reset();
}

std::vector<v1::Instance> ComputeServer::Instances() const {
  v1::DescribeInstancesRequest request;
  request.set_page_size(1'000);
  const absl::Duration end = MonotonicNow() + absl::Minutes(1);
  ChainReply answer = Call("DescribeInstances", request);
  while (absl::IsUnavailable(answer.status) && MonotonicNow() < end) answer = Call("DescribeInstances", request);
  const auto reply = answer.As<v1::DescribeInstancesResponse>();
  return {reply.instances().begin(), reply.instances().end()};
}

std::vector<external::longrunning::Operation> ComputeServer::AllOperations() const {
  const auto reply = Call("ListOperations", external::longrunning::ListOperationsRequest())
                         .As<external::longrunning::ListOperationsResponse>();
  return {reply.operations().begin(), reply.operations().end()};
}

int ComputeServer::OpenWork() const {
  int count = 0;
  const auto count_rows = [&](const ReadTransaction& txn) {
    count = 0;
    return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view, std::string_view) {
      ++count;
      return true;
    });
  };
  // The store may be opened afresh just now.
  const absl::Duration end = MonotonicNow() + absl::Minutes(1);
  absl::Status counted = Query(*store_, count_rows);
  while (absl::IsUnavailable(counted) && MonotonicNow() < end) counted = Query(*store_, count_rows);
  EXPECT_THAT(counted, IsOk());
  return count;
}

}  // namespace hapax::compute
