#ifndef HAPAX_SERVER_GRPC_STREAM_H_
#define HAPAX_SERVER_GRPC_STREAM_H_

#include <atomic>
#include <memory>

#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "hapax/server/event_loop.h"

namespace hapax {

// A call of whatever method, as gRPC's generic service has it: messages in and messages out, as bytes.
//
// Thread-safety: all on the loop's thread, but for IsCancelled and loop.
// Lifetime: it owns itself, and its handler, until gRPC is done with the call, which is after Finish.
class GrpcStream {
 public:
  // What answers a call; told what happens on the loop's thread.
  class Handler {
   public:
    virtual ~Handler() = default;
    // The answer to Read: a message, or null when the client sends no more.
    virtual void OnRead(const grpc::ByteBuffer* message) = 0;
    // The answer to Write; `ok` is false when it cannot be sent any more.
    virtual void OnWritten(bool /*ok*/) {}
    // The call is over, by Finish or because the client is gone. Finish is still to be called if it was not.
    virtual void OnDone() {}
  };
  class Router {
   public:
    virtual ~Router() = default;
    // What answers the call of `stream.context().method()`, or null when nobody does.
    virtual std::unique_ptr<Handler> Route(GrpcStream& stream) = 0;
  };

  // Takes one call after another. Service, router and loop outlive all calls.
  static void Accept(grpc::AsyncGenericService& service, Router& router, EventLoop& loop);

  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  [[nodiscard]] grpc::GenericServerContext& context() { return context_; }
  [[nodiscard]] const grpc::GenericServerContext& context() const { return context_; }
  [[nodiscard]] EventLoop& loop() const { return loop_; }
  // Whether the client cancelled, or went away.
  [[nodiscard]] bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // One of each at a time.
  void Read() { stream_.Read(&message_, &read_); }
  void Write(const grpc::ByteBuffer& message) { stream_.Write(message, &written_); }
  // Once, as the last: nothing else is under way.
  void WriteAndFinish(const grpc::ByteBuffer& message);
  void Finish(const grpc::Status& status) { stream_.Finish(status, &finished_); }

 private:
  GrpcStream(grpc::AsyncGenericService& service, Router& router, EventLoop& loop);
  ~GrpcStream() = default;

  void OnArrived(bool ok);
  void OnDone();
  void Release();

  grpc::AsyncGenericService& service_;
  Router& router_;
  EventLoop& loop_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::ByteBuffer message_;
  std::unique_ptr<Handler> handler_;
  std::atomic<bool> cancelled_ = false;
  int holders_ = 2;  // That gRPC is done with the call, and that Finish has happened, is still to come.

  EventLoop::Event arrived_{[this](bool ok) { OnArrived(ok); }};
  EventLoop::Event done_{[this](bool) { OnDone(); }};
  EventLoop::Event read_{[this](bool ok) { handler_->OnRead(ok ? &message_ : nullptr); }};
  EventLoop::Event written_{[this](bool ok) { handler_->OnWritten(ok); }};
  EventLoop::Event finished_{[this](bool) { Release(); }};
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_STREAM_H_
