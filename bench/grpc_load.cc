#include "hapax/bench/grpc_load.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace hapax::bench {
namespace {

constexpr std::chrono::seconds kConnectTimeout(10);
// Only some outcomes are checked, since a look-up takes time from the server.
constexpr uint64_t kCallsAnOutcome = 64;
// Calls due within this time are sent together, since waking up for each would cost as much as calling.
constexpr std::chrono::microseconds kLeastSleep(100);

// A channel with its own connection.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  // A call is one attempt. Everything else that the channel does takes time from the server.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::string_view OutcomeOf(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerInitialMetadata();
  const auto found = metadata.find("hapax-outcome");
  return found == metadata.end() ? "none" : std::string_view(found->second.data(), found->second.size());
}

bool IsRefusal(grpc::StatusCode code) {
  return code == grpc::StatusCode::RESOURCE_EXHAUSTED || code == grpc::StatusCode::INVALID_ARGUMENT;
}

}  // namespace

struct GrpcLoad::Call {
  std::unique_ptr<grpc::GenericStub> stub;
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer reply;
  grpc::Status status;
  Instant due;
  Instant sent;
};

// One run. In a closed loop one thread does everything. In an open loop it only sends, and another thread receives, so
// that neither a stalled server nor other replies delay a due call.
class GrpcLoad::Loop {
 public:
  Loop(const GrpcLoad& load, const LoadPlan& plan, Requests& requests)
      : method_(load.method_), plan_(plan), requests_(requests), recorder_(plan.window), calls_(plan.in_flight) {
    for (size_t i = 0; i < calls_.size(); ++i) {
      calls_[i].stub = std::make_unique<grpc::GenericStub>(load.channels_[i % load.channels_.size()]);
    }
  }

  Recorder Closed() {
    size_t open = 0;
    for (Call& call : calls_) open += StartNow(call) ? 1 : 0;
    while (open > 0) {
      if (!StartNow(AwaitOne())) --open;
    }
    return std::move(recorder_);
  }

  Recorder Open() {
    for (Call& call : calls_) Free(call);
    std::thread replies([this] {
      while (Call* const call = TakeEnded()) Free(*call);
    });
    const Schedule schedule(plan_.start, plan_.rate);
    // The time is not read again after waiting for a free call, since that delay is the server's.
    Instant now = plan_.start;
    for (uint64_t i = 0;; ++i) {
      const Instant due = schedule.Due(i);
      if (due >= plan_.window.to || !requests_.Next()) break;
      if (due > now) {
        SleepUntil(std::max(due, now + kLeastSleep));
        now = std::chrono::steady_clock::now();
      }
      Start(TakeFree(), due, now);
    }
    AwaitAllFree();
    queue_.Shutdown();
    replies.join();
    return std::move(recorder_);
  }

 private:
  // Returns false when no more calls may start.
  bool StartNow(Call& call) {
    const Instant now = std::chrono::steady_clock::now();
    if (now >= plan_.window.to || !requests_.Next()) return false;
    Start(call, now, now);
    return true;
  }

  void Start(Call& call, Instant due, Instant sent) {
    call.due = due;
    call.sent = sent;
    const grpc::Slice slice = NextRequest();
    call.context.emplace();
    if (!plan_.tenant.empty()) call.context->AddMetadata("x-tenant-id", plan_.tenant);
    call.reader = call.stub->PrepareUnaryCall(&*call.context, method_, grpc::ByteBuffer(&slice, 1), &queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.reply, &call.status, &call);
  }

  // Identical requests share their bytes, since many large ones may be in flight.
  grpc::Slice NextRequest() {
    if (same_request_.has_value()) return *same_request_;
    grpc_slice bytes = grpc_slice_malloc(requests_.size());
    requests_.Write(reinterpret_cast<char*>(GRPC_SLICE_START_PTR(bytes)));
    grpc::Slice slice(bytes, grpc::Slice::STEAL_REF);
    if (!requests_.has_token()) same_request_ = slice;
    return slice;
  }

  // Records and returns the next ended call; nullptr when the queue is shut down.
  Call* TakeEnded() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) return nullptr;
    Call& call = *static_cast<Call*>(tag);
    Record(call);
    return &call;
  }

  Call& AwaitOne() { return *TakeEnded(); }

  void Record(const Call& call) {
    if (plan_.may_be_refused && IsRefusal(call.status.error_code())) {
      recorder_.Refused(std::chrono::steady_clock::now());
      return;
    }
    if (!call.status.ok()) {
      recorder_.Failed(absl::StrCat("gRPC status ", call.status.error_code(), ": ", call.status.error_message()));
      return;
    }
    if (!plan_.expected_outcome.empty() && ++ended_ % kCallsAnOutcome == 1) {
      const std::string_view outcome = OutcomeOf(*call.context);
      if (outcome != plan_.expected_outcome) recorder_.Failed(absl::StrCat("outcome ", std::string(outcome)));
    }
    recorder_.Succeeded(call.due, call.sent, std::chrono::steady_clock::now(), call.reply.Length());
  }

  void Free(Call& call) {
    const absl::MutexLock lock(&mutex_);
    free_.push_back(&call);
  }

  Call& TakeFree() {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::vector<Call*>* free) { return !free->empty(); }, &free_));
    Call* const call = free_.back();
    free_.pop_back();
    return *call;
  }

  void AwaitAllFree() {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Loop::AllFree));
  }

  bool AllFree() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return free_.size() == calls_.size(); }

  const std::string& method_;
  const LoadPlan& plan_;
  Requests& requests_;
  std::optional<grpc::Slice> same_request_;
  // Used by the receiving thread.
  Recorder recorder_;
  uint64_t ended_ = 0;

  grpc::CompletionQueue queue_;
  std::deque<Call> calls_;
  absl::Mutex mutex_;
  std::vector<Call*> free_ ABSL_GUARDED_BY(mutex_);
};

GrpcLoad::GrpcLoad(const std::string& target, int connections, std::string method) : method_(std::move(method)) {
  for (int i = 0; i < connections; ++i) channels_.push_back(NewChannel(target));
}

absl::Status GrpcLoad::Connect() {
  const auto deadline = std::chrono::system_clock::now() + kConnectTimeout;
  for (const auto& channel : channels_) channel->GetState(/*try_to_connect=*/true);
  for (const auto& channel : channels_) {
    if (!channel->WaitForConnected(deadline)) return absl::UnavailableError("the target does not take connections");
  }
  return absl::OkStatus();
}

Recorder GrpcLoad::Run(const LoadPlan& plan, Requests& requests) {
  Loop loop(*this, plan, requests);
  return plan.rate > 0 ? loop.Open() : loop.Closed();
}

absl::StatusOr<std::string> CallOnce(const std::string& target, const std::string& method, const std::string& request) {
  grpc::GenericStub stub(NewChannel(target));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kConnectTimeout);
  const grpc::Slice sent(request);
  const auto reader = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&sent, 1), &queue);
  grpc::ByteBuffer reply;
  grpc::Status status;
  reader->StartCall();
  reader->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  grpc::Slice received;
  if (!reply.DumpToSingleSlice(&received).ok()) return absl::InternalError("a reply without bytes");
  return std::string(reinterpret_cast<const char*>(received.begin()), received.size());
}

}  // namespace hapax::bench
