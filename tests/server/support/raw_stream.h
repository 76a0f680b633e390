#ifndef HAPAX_TESTS_SERVER_SUPPORT_RAW_STREAM_H_
#define HAPAX_TESTS_SERVER_SUPPORT_RAW_STREAM_H_

#include <memory>
#include <optional>
#include <string>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "hapax/tests/server/support/raw_client.h"

namespace hapax {

// The client's end of a call of whatever kind, message by message, each of them bytes.
//
//   RawStream stream(client, "/grpc.health.v1.Health/Watch");
//   stream.Write(request);
//   const std::optional<std::string> reply = stream.Read();
//
// Thread-safety: for one thread; every operation waits for its end.
// Lifetime: the destructor cancels what was not finished.
class RawStream {
 public:
  RawStream(const RawClient& client, const std::string& method) : stub_(client.channel()) {
    stream_ = stub_.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(nullptr);
    Await();
  }
  ~RawStream() {
    if (!finished_) {
      Cancel();
      static_cast<void>(Finish());
    }
    queue_.Shutdown();
  }
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  void Write(const std::string& message) {
    const grpc::Slice slice(message);
    stream_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    Await();
  }
  // Says that no message follows.
  void WritesDone() {
    stream_->WritesDone(nullptr);
    Await();
  }
  // The next message; nullopt when none follows.
  [[nodiscard]] std::optional<std::string> Read() {
    grpc::ByteBuffer message;
    grpc::Slice slice;
    stream_->Read(&message, nullptr);
    if (!Await() || !message.DumpToSingleSlice(&slice).ok()) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  void Cancel() { context_.TryCancel(); }
  // How the call ended.
  [[nodiscard]] grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Await();
    finished_ = true;
    return status;
  }

 private:
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool finished_ = false;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_RAW_STREAM_H_
