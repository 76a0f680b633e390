#include "hapax/server/grpc/grpc_stream.h"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "grpc/byte_buffer_reader.h"
#include "grpc/grpc_security.h"
#include "grpc/support/alloc.h"
#include "grpc/support/time.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/server/grpc/grpc_status.h"

// gRPC 1.51 reveals only to its own tests whether a received message was compressed in a way that it does not know.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace hapax {
namespace {

constexpr std::string_view kLengthOfEmptyMessage = "5";  // A frame's prefix alone.
constexpr uint32_t kCompressedFlag = 0x80000000;         // GRPC_WRITE_INTERNAL_COMPRESS

std::string_view ViewOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

grpc_slice CopyOf(std::string_view bytes) { return grpc_slice_from_copied_buffer(bytes.data(), bytes.size()); }

// Takes the bytes; gRPC frees them when it is done.
grpc_slice SliceOf(std::string bytes) {
  auto* const owned = new std::string(std::move(bytes));
  return grpc_slice_new_with_user_data(
      owned->data(), owned->size(), [](void* string) { delete static_cast<std::string*>(string); }, owned);
}

grpc_byte_buffer* BufferOf(grpc_slice slice) {
  grpc_byte_buffer* buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return buffer;
}

// The whole buffer, owned by the caller. A short message is one slice, and is not copied.
grpc_slice Joined(grpc_byte_buffer* buffer) {
  grpc_byte_buffer_reader reader;
  HAPAX_CHECK(grpc_byte_buffer_reader_init(&reader, buffer) != 0, "what arrives is a byte buffer");
  grpc_slice* first = nullptr;
  grpc_slice joined = grpc_empty_slice();
  if (grpc_byte_buffer_reader_peek(&reader, &first) != 0) {
    if (GRPC_SLICE_LENGTH(*first) == grpc_byte_buffer_length(buffer)) {
      joined = grpc_slice_ref(*first);
    } else {
      grpc_byte_buffer_reader_destroy(&reader);
      grpc_byte_buffer_reader_init(&reader, buffer);
      joined = grpc_byte_buffer_reader_readall(&reader);
    }
  }
  grpc_byte_buffer_reader_destroy(&reader);
  return joined;
}

}  // namespace

class GrpcStream::Batch {
 public:
  explicit Batch(GrpcStream& stream) : stream_(stream) {}

  void ReceiveClose() { Add(GRPC_OP_RECV_CLOSE_ON_SERVER).recv_close_on_server.cancelled = &stream_.closed_by_client_; }
  void ReceiveMessage() { Add(GRPC_OP_RECV_MESSAGE).recv_message.recv_message = &stream_.received_; }
  void SendInitialMetadata() {
    if (std::exchange(stream_.initial_metadata_sent_, true)) return;
    auto& op = Add(GRPC_OP_SEND_INITIAL_METADATA).send_initial_metadata;
    op.count = stream_.initial_metadata_.size();
    op.metadata = stream_.initial_metadata_.data();
  }
  void SendMessage(grpc_slice message) {
    grpc_byte_buffer_destroy(std::exchange(stream_.sent_, BufferOf(message)));
    Add(GRPC_OP_SEND_MESSAGE).send_message.send_message = stream_.sent_;
  }
  // `details` lives until the batch has begun.
  void SendStatus(grpc_status_code code, grpc_slice* details) {
    auto& op = Add(GRPC_OP_SEND_STATUS_FROM_SERVER).send_status_from_server;
    op.trailing_metadata_count = stream_.trailing_metadata_.size();
    op.trailing_metadata = stream_.trailing_metadata_.data();
    op.status = code;
    op.status_details = details;
  }

  void Begin(EventLoop::Event& end) {
    const grpc_call_error error = grpc_call_start_batch(stream_.call_, ops_.data(), size_, end.tag(), nullptr);
    HAPAX_CHECK(error == GRPC_CALL_OK, "a batch is made of what may be begun now");
  }

 private:
  grpc_op::grpc_op_data& Add(grpc_op_type type) {
    grpc_op& op = ops_.at(size_++);
    op = {};
    op.op = type;
    return op.data;
  }

  GrpcStream& stream_;
  std::array<grpc_op, 3> ops_;
  size_t size_ = 0;
};

GrpcStream::SentMetadata::~SentMetadata() {
  for (grpc_metadata& entry : entries_) grpc_slice_unref(entry.value);
}

void GrpcStream::SentMetadata::Add(std::string_view key, std::string_view value) {
  grpc_metadata entry = {};
  entry.key = grpc_slice_from_static_buffer(key.data(), key.size());
  entry.value = CopyOf(value);
  entries_.push_back(entry);
}

void GrpcStream::Accept(Source& source) { new GrpcStream(source); }

GrpcStream::GrpcStream(Source& source) : source_(source) {
  grpc_call_details_init(&details_);
  grpc_metadata_array_init(&received_metadata_);
  grpc_completion_queue* queue = loop().queue().cq();
  const grpc_call_error error =
      grpc_server_request_call(&source_.server, &call_, &details_, &received_metadata_, queue, queue, arrived_.tag());
  HAPAX_CHECK(error == GRPC_CALL_OK, "the loop is one of the server's");
}

GrpcStream::~GrpcStream() {
  handler_ = nullptr;
  Leave();
  grpc_slice_unref(received_slice_);
  grpc_byte_buffer_destroy(received_);
  grpc_byte_buffer_destroy(sent_);
  grpc_metadata_array_destroy(&received_metadata_);
  grpc_call_details_destroy(&details_);
  if (call_ != nullptr) grpc_call_unref(call_);
}

std::string_view GrpcStream::method() const { return ViewOf(details_.method); }

absl::Time GrpcStream::deadline() const {
  const gpr_timespec deadline = gpr_convert_clock_type(details_.deadline, GPR_CLOCK_REALTIME);
  if (gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_REALTIME)) == 0) return absl::InfiniteFuture();
  return absl::FromUnixSeconds(deadline.tv_sec) + absl::Nanoseconds(deadline.tv_nsec);
}

GrpcStream::MetadataValues GrpcStream::Metadata(std::string_view key) const {
  MetadataValues values;
  for (size_t i = 0; i < received_metadata_.count; ++i) {
    const grpc_metadata& entry = received_metadata_.metadata[i];
    if (ViewOf(entry.key) == key) values.push_back(ViewOf(entry.value));
  }
  return values;
}

GrpcStream::MetadataValues GrpcStream::PeerProperty(const char* name) const {
  MetadataValues values;
  // The call holds the context, too, so the properties live as long as the call.
  grpc_auth_context* context = grpc_call_auth_context(call_);
  if (context != nullptr && grpc_auth_context_peer_is_authenticated(context) != 0) {
    grpc_auth_property_iterator found = grpc_auth_context_find_properties_by_name(context, name);
    while (const grpc_auth_property* property = grpc_auth_property_iterator_next(&found)) {
      values.emplace_back(property->value, property->value_length);
    }
  }
  grpc_auth_context_release(context);
  return values;
}

void GrpcStream::AddInitialMetadata(std::string_view key, std::string_view value) { initial_metadata_.Add(key, value); }

void GrpcStream::AddTrailingMetadata(std::string_view key, std::string_view value) {
  trailing_metadata_.Add(key, value);
}

// Adds the call at the end of the list; the first may have to leave for it.
void GrpcStream::Enter(std::list<GrpcStream*>& list, size_t max_size) {
  Leave();
  if (list.size() >= max_size) {
    list.front()->EndFor("the oldest of too many calls that send nothing: max_pending_calls");
  }
  list_ = &list;
  place_ = list.insert(list.end(), this);
}

void GrpcStream::EndFor(const char* reason) {
  Leave();
  cancelled_.store(true, std::memory_order_release);
  grpc_call_cancel_with_status(call_, GRPC_STATUS_UNAVAILABLE, reason, nullptr);
}

// Ends calls whose incomplete request or unread reply occupies room that others may need. New calls check this, so no
// timer is needed.
void GrpcStream::EndStalled(Source& source) {
  if (source.pending.empty() && source.sending.empty()) return;
  const absl::Duration late = MonotonicNow() - source.request_timeout;
  while (!source.pending.empty() && source.pending.front()->since_ < late) {
    source.pending.front()->EndFor("the request took too long to come: request_timeout");
  }
  while (!source.sending.empty() && source.sending.front()->since_ < late) {
    source.sending.front()->EndFor("the client took too long to take the reply: request_timeout");
  }
}

void GrpcStream::Leave() {
  if (list_ != nullptr) std::exchange(list_, nullptr)->erase(place_);
}

void GrpcStream::Read() {
  if (!std::exchange(was_read_, true)) {
    Enter(source_.pending, source_.max_open);
    since_ = MonotonicNow();
    if (connection_ != nullptr) connection_->BeginCall();
  }
  BeginRead();
}

void GrpcStream::ReadFromStranger() {
  Enter(source_.strangers, source_.max_strangers);
  is_watched_ = true;
  source_.watch.Add(call_);
  BeginRead();
}

void GrpcStream::BeginRead() {
  Batch batch(*this);
  batch.ReceiveMessage();
  batch.Begin(read_);
}

void GrpcStream::Write(std::string_view message) {
  Batch batch(*this);
  batch.SendInitialMetadata();
  batch.SendMessage(CopyOf(message));
  batch.Begin(written_);
}

void GrpcStream::WritePart(std::string_view message) {
  Enter(source_.sending, std::numeric_limits<size_t>::max());
  since_ = MonotonicNow();
  Write(message);
}

void GrpcStream::OnWritten(bool ok) {
  if (list_ == &source_.sending) Leave();
  handler_->OnWritten(ok);
}

void GrpcStream::WriteAndFinish(std::string_view message) { WriteAndFinish(CopyOf(message)); }

void GrpcStream::WriteLongAndFinish(std::string message) {
  Enter(source_.sending, std::numeric_limits<size_t>::max());
  since_ = MonotonicNow();
  WriteAndFinish(SliceOf(std::move(message)));
}

void GrpcStream::WriteAndFinish(grpc_slice message) {
  HoldBack();
  Batch batch(*this);
  batch.SendInitialMetadata();
  batch.SendMessage(message);
  batch.SendStatus(GRPC_STATUS_OK, nullptr);
  batch.Begin(finished_);
}

void GrpcStream::HoldBack() {
  if (connection_ != nullptr && loop().IsThisThread()) loop().HoldBack(connection_->descriptor());
}

void GrpcStream::Finish(const grpc::Status& its_status) {
  grpc::Status status = its_status;
  if (!message_fault_.ok()) {
    status = ToGrpcStatus(message_fault_);
    if (absl::IsUnimplemented(message_fault_)) AddTrailingMetadata("grpc-accept-encoding", "identity");
  }
  if (!status.error_details().empty()) AddTrailingMetadata("grpc-status-details-bin", status.error_details());
  const std::string message = status.error_message();
  grpc_slice details = CopyOf(message);
  HoldBack();
  Batch batch(*this);
  batch.SendInitialMetadata();
  batch.SendStatus(static_cast<grpc_status_code>(status.error_code()), &details);
  batch.Begin(finished_);
  grpc_slice_unref(details);
}

void GrpcStream::OnArrived(bool ok) {
  if (!ok) {  // The server is shutting down.
    delete this;
    return;
  }
  loop().Hold();
  FindConnection();
  Accept(source_);
  EndStalled(source_);
  Batch batch(*this);
  batch.ReceiveClose();
  batch.Begin(done_);
  handler_ = source_.router.Route(*this);
  if (handler_ == nullptr) {
    return Finish({grpc::StatusCode::UNIMPLEMENTED, "there is no method " + std::string(method())});
  }
  handler_->OnArrived();
}

void GrpcStream::OnRead(bool ok) {
  grpc_slice_unref(std::exchange(received_slice_, grpc_empty_slice()));
  grpc_byte_buffer* message = std::exchange(received_, nullptr);
  if (list_ == &source_.pending || list_ == &source_.strangers) Leave();
  if (was_read_ && connection_ != nullptr) connection_->EndRead();
  if (!ok) cancelled_.store(true, std::memory_order_release);
  if (std::exchange(is_watched_, false)) source_.watch.Remove(call_);
  message_fault_ = FaultOf(message);
  if (IsCancelled() || message == nullptr || !message_fault_.ok()) {
    grpc_byte_buffer_destroy(message);
    return handler_->OnRead(std::nullopt);
  }
  received_slice_ = Joined(message);
  grpc_byte_buffer_destroy(message);
  handler_->OnRead(ViewOf(received_slice_));
}

absl::Status GrpcStream::FaultOf(grpc_byte_buffer* message) const {
  if (message == nullptr) return absl::OkStatus();
  if (grpc_byte_buffer_length(message) == 0 && StandsForNoMessage()) {
    return absl::InternalError("the request's bytes are no message of gRPC's: the first must be 0");
  }
  if ((grpc_call_test_only_get_message_flags(call_) & kCompressedFlag) != 0) {
    return absl::UnimplementedError("the message is compressed: only identity is accepted");
  }
  return absl::OkStatus();
}

// gRPC 1.51 delivers an empty message for bytes that are not a message. Only the content-length that HTTP clients
// announce tells the two apart.
bool GrpcStream::StandsForNoMessage() const {
  const MetadataValues lengths = Metadata("content-length");
  return !lengths.empty() && lengths.front() != kLengthOfEmptyMessage;
}

std::string GrpcStream::Peer() const {
  char* const peer = grpc_call_get_peer(call_);
  std::string name(peer);
  gpr_free(peer);
  return name;
}

void GrpcStream::FindConnection() {
  connection_ = source_.listener.Find(Peer());
  if (connection_ != nullptr) connection_->HearOfCall();
}

void GrpcStream::OnDone() {
  if (connection_ != nullptr) was_read_ ? connection_->EndCall() : connection_->EndRefusedCall();
  if (closed_by_client_ != 0) cancelled_.store(true, std::memory_order_release);
  if (handler_ != nullptr) handler_->OnDone();
  Release();
}

void GrpcStream::Release() {
  if (--holders_ > 0) return;
  EventLoop& loop = source_.loop;
  delete this;
  loop.Release();
}

}  // namespace hapax
