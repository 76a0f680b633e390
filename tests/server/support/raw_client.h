#ifndef HAPAX_TESTS_SERVER_SUPPORT_RAW_CLIENT_H_
#define HAPAX_TESTS_SERVER_SUPPORT_RAW_CLIENT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/external/rpc/status.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax {

using RawMetadata = std::multimap<std::string, std::string>;

// All that a client gets of a call.
struct RawReply {
  grpc::Status status;
  std::string bytes;
  RawMetadata initial;
  RawMetadata trailing;

  // The one value of the key; "none" when there is none, "several" when there are more.
  static std::string One(const RawMetadata& metadata, const std::string& key) {
    if (metadata.count(key) == 0) return "none";
    return metadata.count(key) == 1 ? metadata.find(key)->second : "several";
  }
  [[nodiscard]] std::string outcome() const { return One(initial, "hapax-outcome"); }
  [[nodiscard]] std::string retry() const { return One(trailing, "hapax-retry"); }
  // The reason of the google.rpc.ErrorInfo among the details.
  [[nodiscard]] std::string reason() const {
    external::rpc::ErrorInfo info;
    return Unpack(&info) ? info.domain() + "/" + info.reason() : "none";
  }
  // Finds the detail of the message's type.
  template <typename Detail>
  bool Unpack(Detail* detail) const {
    external::rpc::Status details;
    if (!details.ParseFromString(status.error_details())) return false;
    for (const auto& any : details.details()) {
      if (hapax::Unpack(any, *detail)) return true;
    }
    return false;
  }
};

// A call that is on its way. Lifetime: its end waits for the reply.
class PendingCall {
 public:
  PendingCall(std::shared_ptr<grpc::Channel> channel, std::string method, const std::string& request,
              const RawMetadata& metadata, absl::Duration timeout)
      : stub_(std::move(channel)), method_(std::move(method)) {
    for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
    if (timeout != absl::InfiniteDuration()) context_.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    grpc::Slice slice(request);
    request_ = grpc::ByteBuffer(&slice, 1);
    stub_.UnaryCall(&context_, method_, {}, &request_, &response_, [this](grpc::Status status) {
      reply_.status = std::move(status);
      ended_.Notify();
    });
  }
  ~PendingCall() { ended_.WaitForNotification(); }
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  void Cancel() { context_.TryCancel(); }

  [[nodiscard]] RawReply Wait() {
    ended_.WaitForNotification();
    RawReply reply = reply_;
    grpc::Slice slice;
    if (reply.status.ok() && response_.DumpToSingleSlice(&slice).ok()) {
      reply.bytes.assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    Copy(context_.GetServerInitialMetadata(), &reply.initial);
    Copy(context_.GetServerTrailingMetadata(), &reply.trailing);
    return reply;
  }

 private:
  static void Copy(const std::multimap<grpc::string_ref, grpc::string_ref>& from, RawMetadata* to) {
    for (const auto& [key, value] : from) {
      to->emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
    }
  }

  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub_;
  const std::string method_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  RawReply reply_;
  absl::Notification ended_;
};

// A client on a connection of its own, to a port of this machine. It sends and takes bytes.
class RawClient {
 public:
  explicit RawClient(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ =
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments);
  }

  // `method` is a path, such as `/hapax.test.v1.Ledger/Deposit`.
  [[nodiscard]] std::unique_ptr<PendingCall> Start(const std::string& method, const std::string& request,
                                                   const RawMetadata& metadata = {},
                                                   absl::Duration timeout = absl::InfiniteDuration()) const {
    return std::make_unique<PendingCall>(channel_, method, request, metadata, timeout);
  }
  [[nodiscard]] RawReply Call(const std::string& method, const std::string& request, const RawMetadata& metadata = {},
                              absl::Duration timeout = absl::InfiniteDuration()) const {
    return Start(method, request, metadata, timeout)->Wait();
  }
  [[nodiscard]] const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_RAW_CLIENT_H_
