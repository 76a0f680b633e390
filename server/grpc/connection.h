#ifndef HAPAX_SERVER_GRPC_CONNECTION_H_
#define HAPAX_SERVER_GRPC_CONNECTION_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace hapax {

// All bytes that a TCP connection has received, by its descriptor; 0 when it is none.
[[nodiscard]] uint64_t BytesReceived(int connection);

// A connection that was accepted: whose it is, and how many bytes may come on it before a call is heard of again.
//
// It is a stranger's until a call of it was admitted.
//
// gRPC 1.51 keeps all of a call's headers until they end, and counts them nowhere: a stranger may go on for as long as
// there is memory. While headers come, HTTP/2 lets nothing else of the connection come. So bytes without a call that
// arrives, a request that comes whole, or a call that ends, are too many at some point.
//
// Thread-safety: safe; IsFlooded and IsClogged are for one thread.
class Connection {
 public:
  // Bytes without a call: headers, pings, and of refused requests what HTTP/2's window lets through.
  static constexpr uint64_t kMaxIdleBytes = 96 << 10;
  // While calls are admitted: the client tells, too, how much it has read of their replies.
  static constexpr uint64_t kMaxBusyBytes = 512 << 10;
  // For each request that is read: far more than one has, so that no number of them is taken for a flood.
  static constexpr uint64_t kMaxReadBytes = uint64_t{512} << 20;
  // Calls of a stranger's that may stay open: questions to Health and Reflection. More must end within kTimeToRead.
  static constexpr int kMaxStrangersCalls = 64;
  static constexpr absl::Duration kTimeToRead = absl::Milliseconds(500);

  // `accepted_at`: monotonic time.
  Connection(int descriptor, ino_t inode, absl::Duration accepted_at)
      : descriptor_(descriptor), inode_(inode), accepted_at_(accepted_at) {}

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] ino_t inode() const { return inode_; }
  [[nodiscard]] absl::Duration accepted_at() const { return accepted_at_; }
  [[nodiscard]] bool is_strangers() const { return is_strangers_.load(std::memory_order_relaxed); }

  // A call came. Of each that came, EndCall or EndRefusedCall tells.
  void HearOfCall() {
    open_calls_.fetch_add(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  // One that was not admitted is over.
  void EndRefusedCall() {
    open_calls_.fetch_sub(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  // A call was admitted, and its request is read.
  void BeginCall() {
    is_strangers_.store(false, std::memory_order_relaxed);
    calls_.fetch_add(1, std::memory_order_relaxed);
    reads_.fetch_add(1, std::memory_order_relaxed);
  }
  // Its request has come, or will not come.
  void EndRead() {
    reads_.fetch_sub(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  // It is over.
  void EndCall() {
    open_calls_.fetch_sub(1, std::memory_order_relaxed);
    calls_.fetch_sub(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }

  // Whether too many bytes have come since something was heard of a call; `received`: all that have come so far.
  [[nodiscard]] bool IsFlooded(uint64_t received);
  // Whether it is a stranger's that has had too many calls open for too long: gRPC keeps answers that nobody reads.
  // `now`: monotonic time.
  [[nodiscard]] bool IsClogged(absl::Duration now);

 private:
  [[nodiscard]] uint64_t MaxBytes() const;

  const int descriptor_;
  const ino_t inode_;
  const absl::Duration accepted_at_;
  std::atomic<bool> is_strangers_ = true;
  std::atomic<uint32_t> events_ = 0;
  std::atomic<int> open_calls_ = 0;
  std::atomic<int> calls_ = 0;  // Of these, those that were admitted.
  std::atomic<int> reads_ = 0;
  // At the last event that IsFlooded has seen.
  uint32_t events_before_ = 0;
  uint64_t received_before_ = 0;
  // When it last had few enough calls open.
  absl::Duration unclogged_at_ = accepted_at_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_CONNECTION_H_
