// A closed-loop load of RunInstances: keeps so many calls in flight for so long, and prints one JSON object.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "hapax/client/client_token.h"
#include "hapax/compute/v1/compute.pb.h"

ABSL_FLAG(std::string, target, "", "HOST:PORT to call");
ABSL_FLAG(int, in_flight, 64, "Calls in flight");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(3), "How long to measure, after a fifth of that to warm up");
ABSL_FLAG(bool, new_tokens, true, "A new token for every call; else one for each call in flight, again and again");

namespace {

constexpr char kMethod[] = "/hapax.compute.v1.Compute/RunInstances";

grpc::ByteBuffer Serialize(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

struct Call {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer reply;
  grpc::Status status;
  absl::Time start;
  std::string token;
};

class Load {
 public:
  Load() : stub_(grpc::CreateChannel(absl::GetFlag(FLAGS_target), grpc::InsecureChannelCredentials())) {
    request_.set_image_id("ami-b232d0db");
    request_.mutable_placement()->set_availability_zone("us-east-1a");
  }

  // Returns the exit code.
  int Run() {
    const absl::Duration duration = absl::GetFlag(FLAGS_duration);
    measure_from_ = absl::Now() + duration / 5;
    end_ = measure_from_ + duration;
    std::vector<Call> calls(static_cast<size_t>(absl::GetFlag(FLAGS_in_flight)));
    for (Call& call : calls) Start(call);
    size_t open = calls.size();
    while (open > 0) {
      void* tag = nullptr;
      bool ok = false;
      if (!queue_.Next(&tag, &ok)) break;
      Call& call = *static_cast<Call*>(tag);
      Record(call);
      if (absl::Now() < end_) {
        Start(call);
      } else {
        --open;
      }
    }
    Print();
    return errors_ == 0 ? 0 : 1;
  }

 private:
  void Start(Call& call) {
    if (absl::GetFlag(FLAGS_new_tokens) || call.token.empty()) {
      call.token = hapax::client::NewClientToken(absl::Now(), random_);
    }
    request_.set_client_token(call.token);
    call.context = std::make_unique<grpc::ClientContext>();
    call.start = absl::Now();
    call.reader = stub_.PrepareUnaryCall(call.context.get(), kMethod, Serialize(request_), &queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.reply, &call.status, &call);
  }

  void Record(const Call& call) {
    if (!call.status.ok()) {
      if (errors_++ == 0) std::fprintf(stderr, "bench_load: %s\n", call.status.error_message().c_str());
      return;
    }
    if (call.start >= measure_from_) latencies_.push_back(absl::Now() - call.start);
  }

  void Print() {
    std::sort(latencies_.begin(), latencies_.end());
    const auto percentile_us = [&](double fraction) {
      if (latencies_.empty()) return 0.0;
      return absl::ToDoubleMicroseconds(
          latencies_[static_cast<size_t>(fraction * static_cast<double>(latencies_.size() - 1))]);
    };
    std::printf("{\"calls\": %zu, \"rps\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"errors\": %lld}\n",
                latencies_.size(),
                static_cast<double>(latencies_.size()) / absl::ToDoubleSeconds(absl::GetFlag(FLAGS_duration)),
                percentile_us(0.5), percentile_us(0.99), static_cast<long long>(errors_));
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  hapax::compute::v1::RunInstancesRequest request_;
  absl::BitGen random_;
  int64_t errors_ = 0;
  absl::Time measure_from_;
  absl::Time end_;
  std::vector<absl::Duration> latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return Load().Run();
}
