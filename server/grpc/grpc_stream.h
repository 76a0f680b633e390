#ifndef HAPAX_SERVER_GRPC_GRPC_STREAM_H_
#define HAPAX_SERVER_GRPC_GRPC_STREAM_H_

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpc/byte_buffer.h"
#include "grpc/grpc.h"
#include "grpc/slice.h"
#include "grpcpp/support/status.h"
#include "hapax/server/grpc/connection.h"
#include "hapax/server/grpc/event_loop.h"
#include "hapax/server/grpc/listener.h"
#include "hapax/server/grpc/stranger_watch.h"

namespace hapax {

// A call of whatever method: messages in and messages out, as bytes.
//
// Made for speed, on gRPC's core library itself. What grpc::GenericServerAsyncReaderWriter adds (metadata as maps of
// strings, hooks for interceptors, its own record of each batch) was 1 to 2 of the 17 us of CPU time of a replay.
//
// A message that is compressed is not unpacked: what is small may become huge. The call has no message then, and ends
// with UNIMPLEMENTED and `grpc-accept-encoding: identity`, whatever its handler says. Bytes that are no message of
// gRPC's end the call with INTERNAL in the same way, where that can be told (C32).
// https://github.com/grpc/grpc/blob/master/doc/compression.md
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
//
// Thread-safety: all on the loop's thread, but for IsCancelled and loop, and for the one call of Finish or
// WriteAndFinish.
// Lifetime: it owns itself, and its handler, until gRPC is done with the call, which is after Finish.
class GrpcStream {
 public:
  // What answers a call; told what happens on the loop's thread.
  class Handler {
   public:
    virtual ~Handler() = default;
    // The call has come, of which nothing was read; the first that it is told.
    virtual void OnArrived() = 0;
    // The answer to Read: a message, valid until the next Read; nullopt when the client sends no more.
    virtual void OnRead(std::optional<std::string_view> message) = 0;
    // The answer to Write; `ok` is false when it cannot be sent any more.
    virtual void OnWritten(bool /*ok*/) {}
    // The call is over, by Finish or because the client is gone. Finish is still to be called if it was not.
    virtual void OnDone() {}
  };
  class Router {
   public:
    virtual ~Router() = default;
    // What answers the call of `stream.method()`, or null when nobody does.
    virtual std::unique_ptr<Handler> Route(GrpcStream& stream) = 0;
  };
  // Where calls come from. What it refers to outlives it, and it outlives all calls. For the loop's thread.
  struct Source {
    grpc_server& server;
    EventLoop& loop;  // One of the server's.
    Router& router;
    size_t max_open;                 // Of each of the following, the oldest of which comes first.
    size_t max_strangers;            // Of the last.
    absl::Duration request_timeout;  // Of the first and of `sending`, once another call comes.
    StrangerWatch& watch;
    const Listener& listener;
    std::list<GrpcStream*> pending = {};    // Whose first message was asked for, and has not come.
    std::list<GrpcStream*> streaming = {};  // That stay open after it.
    std::list<GrpcStream*> strangers = {};  // That are read though nobody knows the caller.
    std::list<GrpcStream*> sending = {};    // Whose last message is long, and not sent yet.
  };
  using MetadataValues = absl::InlinedVector<std::string_view, 2>;

  // Takes one call after another. With one more pending than there may be, the oldest is ended with UNAVAILABLE, and so
  // are those that are pending for too long when another comes. Their messages, should they be on their way, are not
  // read any more.
  static void Accept(Source& source);

  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  // Such as `/grpc.health.v1.Health/Check`.
  [[nodiscard]] std::string_view method() const;
  // Infinite when the client gave none.
  [[nodiscard]] absl::Time deadline() const;
  // What the client sent under that key, which is in lower case.
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const;
  // What gRPC knows of the client by that name (grpc/grpc_security_constants.h), such as of its certificate; nothing
  // unless it is authenticated.
  [[nodiscard]] MetadataValues PeerProperty(const char* name) const;
  // The address of the connection's other end, as `ipv4:127.0.0.1:50123`.
  [[nodiscard]] std::string Peer() const;
  [[nodiscard]] EventLoop& loop() const { return source_.loop; }
  // Whether the client cancelled, or went away, or gRPC ended the call because of what it sent, such as a message that
  // is too long.
  [[nodiscard]] bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }
  // Why what came last is no message for the handler; OK unless something came that is none.
  [[nodiscard]] const absl::Status& message_fault() const { return message_fault_; }

  // Before the first message, and before Finish. Keys are literals.
  void AddInitialMetadata(std::string_view key, std::string_view value);
  void AddTrailingMetadata(std::string_view key, std::string_view value);

  // To be called when the first message came, of a call that stays open for more, or to be told more: with one more of
  // these than there may be, the oldest is ended with UNAVAILABLE.
  void StayOpen() { Enter(source_.streaming, source_.max_open); }

  // One of each at a time.
  void Read();
  // Read, for who may call without being known. A message may be as long as memory has room for until it has come whole
  // (gRPC 1.51), so few are read at once: with one more than there may be, the oldest is ended with UNAVAILABLE.
  void ReadFromStranger();
  void Write(std::string_view message);
  // Once, as the last: nothing else is under way.
  void WriteAndFinish(std::string_view message);
  // The same for a long message, which is not copied; on the loop's thread. It keeps memory, so a call whose client
  // does not take it in time is ended with UNAVAILABLE.
  void WriteLongAndFinish(std::string message);
  void Finish(const grpc::Status& status);

 private:
  // Metadata to be sent. Owns the values.
  class SentMetadata {
   public:
    SentMetadata() = default;
    ~SentMetadata();
    SentMetadata(const SentMetadata&) = delete;
    SentMetadata& operator=(const SentMetadata&) = delete;
    void Add(std::string_view key, std::string_view value);
    [[nodiscard]] size_t size() const { return entries_.size(); }
    [[nodiscard]] grpc_metadata* data() { return entries_.data(); }

   private:
    absl::InlinedVector<grpc_metadata, 2> entries_;
  };
  // Operations that are begun together, and whose end is one event.
  class Batch;

  explicit GrpcStream(Source& source);
  ~GrpcStream();

  void Enter(std::list<GrpcStream*>& list, size_t max_size);
  static void EndStalled(Source& source);
  void WriteAndFinish(grpc_slice message);
  void EndFor(const char* reason);
  void BeginRead();
  void Leave();
  void OnArrived(bool ok);
  void OnRead(bool ok);
  [[nodiscard]] absl::Status FaultOf(grpc_byte_buffer* message) const;
  [[nodiscard]] bool StandsForNoMessage() const;
  void OnDone();
  void Release();
  void FindConnection();

  Source& source_;
  std::list<GrpcStream*>* list_ = nullptr;  // The source's that this is in, and where; null: in none.
  std::list<GrpcStream*>::iterator place_;
  grpc_call* call_ = nullptr;
  std::shared_ptr<Connection> connection_;  // That it came on; null when that is not known.
  grpc_call_details details_;
  grpc_metadata_array received_metadata_;
  bool was_read_ = false;  // Read was called.
  absl::Duration since_;   // When it entered `pending` or `sending`, by the monotonic clock.
  bool is_watched_ = false;
  absl::Status message_fault_;  // What came was thrown away then.
  grpc_byte_buffer* received_ = nullptr;
  grpc_slice received_slice_ = grpc_empty_slice();
  SentMetadata initial_metadata_;
  SentMetadata trailing_metadata_;
  bool initial_metadata_sent_ = false;
  grpc_byte_buffer* sent_ = nullptr;
  std::unique_ptr<Handler> handler_;
  int closed_by_client_ = 0;
  std::atomic<bool> cancelled_ = false;
  int holders_ = 2;  // That gRPC is done with the call, and that Finish has happened, is still to come.

  EventLoop::Event arrived_{[this](bool ok) { OnArrived(ok); }};
  EventLoop::Event done_{[this](bool) { OnDone(); }};
  EventLoop::Event read_{[this](bool ok) { OnRead(ok); }};
  EventLoop::Event written_{[this](bool ok) { handler_->OnWritten(ok); }};
  EventLoop::Event finished_{[this](bool) { Release(); }};
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_GRPC_STREAM_H_
