#include "hapax/server/grpc_stream.h"

namespace hapax {

void GrpcStream::Accept(grpc::AsyncGenericService& service, Router& router, EventLoop& loop) {
  new GrpcStream(service, router, loop);
}

GrpcStream::GrpcStream(grpc::AsyncGenericService& service, Router& router, EventLoop& loop)
    : service_(service), router_(router), loop_(loop) {
  context_.AsyncNotifyWhenDone(&done_);
  service_.RequestCall(&context_, &stream_, &loop_.queue(), &loop_.queue(), &arrived_);
}

void GrpcStream::OnArrived(bool ok) {
  if (!ok) {  // The server shuts down.
    delete this;
    return;
  }
  loop_.Hold();
  Accept(service_, router_, loop_);
  handler_ = router_.Route(*this);
  if (handler_ == nullptr) {
    Finish({grpc::StatusCode::UNIMPLEMENTED, "there is no method " + context_.method()});
  }
}

void GrpcStream::WriteAndFinish(const grpc::ByteBuffer& message) {
  stream_.WriteAndFinish(message, grpc::WriteOptions(), grpc::Status::OK, &finished_);
}

void GrpcStream::OnDone() {
  if (context_.IsCancelled()) cancelled_.store(true, std::memory_order_release);
  if (handler_ != nullptr) handler_->OnDone();
  Release();
}

void GrpcStream::Release() {
  if (--holders_ > 0) return;
  EventLoop& loop = loop_;
  delete this;
  loop.Release();
}

}  // namespace hapax
