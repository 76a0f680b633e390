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

// A call of any method: messages in and messages out, as bytes.
//
// Made for speed, on gRPC's core library itself. What grpc::GenericServerAsyncReaderWriter adds (metadata as maps of
// strings, hooks for interceptors, its own record of each batch) was 1 to 2 of the 17 us of CPU time of a replay.
//
// A compressed message is not unpacked, since a small one may become huge. The call then has no message, and ends with
// UNIMPLEMENTED and `grpc-accept-encoding: identity`, whatever its handler says. Likewise, bytes that are not a gRPC
// message end the call with INTERNAL, where that can be detected (C32).
// https://github.com/grpc/grpc/blob/master/doc/compression.md
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
//
// Thread-safety: for the loop's thread, except IsCancelled, loop, and the one call of Finish or WriteAndFinish.
// Lifetime: it owns itself and its handler until gRPC is done with the call, which is after Finish.
class GrpcStream {
 public:
  // Answers a call; its methods are called on the loop's thread.
  class Handler {
   public:
    virtual ~Handler() = default;
    // The call has arrived, and nothing was read of it. Called first.
    virtual void OnArrived() = 0;
    // Answers Read with a message, valid until the next Read; nullopt when the client sends no more.
    virtual void OnRead(std::optional<std::string_view> message) = 0;
    // Answers Write; `ok` is false when nothing can be sent any more.
    virtual void OnWritten(bool /*ok*/) {}
    // The call is over, by Finish or because the client is gone. Finish must still be called if it was not.
    virtual void OnDone() {}
  };
  class Router {
   public:
    virtual ~Router() = default;
    // Returns the handler for `stream.method()`, or null if there is no such method.
    virtual std::unique_ptr<Handler> Route(GrpcStream& stream) = 0;
  };
  // A source of calls. Outlives all of them; its references outlive it. For the loop's thread.
  struct Source {
    grpc_server& server;
    EventLoop& loop;  // One of the server's.
    Router& router;
    size_t max_open;                 // The most calls in each list below; the oldest is first.
    size_t max_strangers;            // The most calls in `strangers`.
    absl::Duration request_timeout;  // For `pending` and `sending`, checked at the next call.
    StrangerWatch& watch;
    const Listener& listener;
    std::list<GrpcStream*> pending = {};    // Wait for their first message.
    std::list<GrpcStream*> streaming = {};  // Stay open after it.
    std::list<GrpcStream*> strangers = {};  // Read without a known caller.
    std::list<GrpcStream*> sending = {};    // Send a long last message.
  };
  using MetadataValues = absl::InlinedVector<std::string_view, 2>;

  // Takes one call after another. With too many pending, the oldest is ended with UNAVAILABLE. The next call also ends
  // calls that are pending for too long; their messages are not read any more.
  static void Accept(Source& source);

  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  // For example `/grpc.health.v1.Health/Check`.
  [[nodiscard]] std::string_view method() const;
  // Infinite if the client set none.
  [[nodiscard]] absl::Time deadline() const;
  // The metadata of the call with this key, which is in lower case.
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const;
  // What gRPC knows of the client by this name (grpc/grpc_security_constants.h), such as of its certificate; empty
  // unless the client is authenticated.
  [[nodiscard]] MetadataValues PeerProperty(const char* name) const;
  // The address of the connection's other end, as `ipv4:127.0.0.1:50123`.
  [[nodiscard]] std::string Peer() const;
  [[nodiscard]] EventLoop& loop() const { return source_.loop; }
  // Whether the client cancelled or disconnected, or gRPC ended the call because of its input, such as a message that
  // is too long.
  [[nodiscard]] bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }
  // Why the last message was rejected; OK if it was not.
  [[nodiscard]] const absl::Status& message_fault() const { return message_fault_; }

  // Call these before the first message and before Finish. Keys are literals.
  void AddInitialMetadata(std::string_view key, std::string_view value);
  void AddTrailingMetadata(std::string_view key, std::string_view value);

  // Call it at the first message of a call that stays open, to receive or send more. With too many of these, the oldest
  // is ended with UNAVAILABLE.
  void StayOpen() { Enter(source_.streaming, source_.max_open); }

  // At most one Read and one Write may be under way.
  void Read();
  // Reads from a caller that is not known. Until it is complete, such a message may be as long as memory allows
  // (gRPC 1.51). So few are read at once: with too many, the oldest is ended with UNAVAILABLE.
  void ReadFromStranger();
  void Write(std::string_view message);
  // As Write, for one message of many. A client that takes too long to receive it gets UNAVAILABLE.
  void WritePart(std::string_view message);
  // Call it once, as the last, with nothing else under way.
  void WriteAndFinish(std::string_view message);
  // The same for a long message, which is not copied; on the loop's thread. The message occupies memory, so a client
  // that takes too long to receive it gets UNAVAILABLE.
  void WriteLongAndFinish(std::string message);
  void Finish(const grpc::Status& status);

 private:
  // Metadata to send. Owns the values.
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
  // Operations that begin together and complete as one event.
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
  void OnWritten(bool ok);
  [[nodiscard]] absl::Status FaultOf(grpc_byte_buffer* message) const;
  [[nodiscard]] bool StandsForNoMessage() const;
  void OnDone();
  void Release();
  void FindConnection();
  // Lets the reply that follows wait for others.
  void HoldBack();

  Source& source_;
  std::list<GrpcStream*>* list_ = nullptr;  // The list of the source that contains this; null: none.
  std::list<GrpcStream*>::iterator place_;
  grpc_call* call_ = nullptr;
  std::shared_ptr<Connection> connection_;  // Null if unknown.
  grpc_call_details details_;
  grpc_metadata_array received_metadata_;
  bool was_read_ = false;  // Read was called.
  absl::Duration since_;   // When it entered `pending` or `sending`; monotonic time.
  bool is_watched_ = false;
  absl::Status message_fault_;  // A message with a fault was dropped.
  grpc_byte_buffer* received_ = nullptr;
  grpc_slice received_slice_ = grpc_empty_slice();
  SentMetadata initial_metadata_;
  SentMetadata trailing_metadata_;
  bool initial_metadata_sent_ = false;
  grpc_byte_buffer* sent_ = nullptr;
  std::unique_ptr<Handler> handler_;
  int closed_by_client_ = 0;
  std::atomic<bool> cancelled_ = false;
  int holders_ = 2;  // gRPC until it is done with the call, and Finish.

  EventLoop::Event arrived_{[this](bool ok) { OnArrived(ok); }};
  EventLoop::Event done_{[this](bool) { OnDone(); }};
  EventLoop::Event read_{[this](bool ok) { OnRead(ok); }};
  EventLoop::Event written_{[this](bool ok) { OnWritten(ok); }};
  EventLoop::Event finished_{[this](bool) { Release(); }};
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_GRPC_STREAM_H_
