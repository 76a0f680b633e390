#ifndef HAPAX_SERVER_GRPC_CONNECTION_H_
#define HAPAX_SERVER_GRPC_CONNECTION_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace hapax {

// The number of bytes that a TCP connection has received, by its descriptor; 0 if it is no TCP connection.
[[nodiscard]] uint64_t BytesReceived(int connection);

// An accepted connection: whether it is a stranger's, and how many bytes it may receive before the next call event.
//
// It is a stranger's until one of its calls is admitted.
//
// gRPC 1.51 stores all of a call's headers until they end, without counting them: a stranger may fill the memory.
// During headers, HTTP/2 allows nothing else on the connection. So bytes are counted between events: a call arrives, a
// request is complete, or a call ends. Beyond a limit they are a flood.
//
// Thread-safety: safe, except that IsFlooded and IsClogged are for one thread.
class Connection {
 public:
  // The limit without calls: for headers, pings, and the part of refused requests that HTTP/2's window lets through.
  static constexpr uint64_t kMaxIdleBytes = 96 << 10;
  // The limit while calls are admitted: the client also acknowledges what it has read of their replies.
  static constexpr uint64_t kMaxBusyBytes = 512 << 10;
  // The limit for each request being read: far more than a request has, so that no number of requests is a flood.
  static constexpr uint64_t kMaxReadBytes = uint64_t{512} << 20;
  // How many of a stranger's calls may stay open, which are questions to Health and Reflection. More must end within
  // kTimeToRead.
  static constexpr int kMaxStrangersCalls = 64;
  static constexpr absl::Duration kTimeToRead = absl::Milliseconds(500);

  // `accepted_at`: monotonic time.
  Connection(int descriptor, ino_t inode, absl::Duration accepted_at)
      : descriptor_(descriptor), inode_(inode), accepted_at_(accepted_at) {}

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] ino_t inode() const { return inode_; }
  [[nodiscard]] absl::Duration accepted_at() const { return accepted_at_; }
  [[nodiscard]] bool is_strangers() const { return is_strangers_.load(std::memory_order_relaxed); }

  // A call arrived. Each such call ends with EndCall or EndRefusedCall.
  void HearOfCall() {
    open_calls_.fetch_add(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  // A call that was not admitted ended.
  void EndRefusedCall() {
    open_calls_.fetch_sub(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  // A call was admitted, and its request is being read.
  void BeginCall() {
    is_strangers_.store(false, std::memory_order_relaxed);
    calls_.fetch_add(1, std::memory_order_relaxed);
    reads_.fetch_add(1, std::memory_order_relaxed);
  }
  // The request is complete, or will never be.
  void EndRead() {
    reads_.fetch_sub(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  // An admitted call ended.
  void EndCall() {
    open_calls_.fetch_sub(1, std::memory_order_relaxed);
    calls_.fetch_sub(1, std::memory_order_relaxed);
    events_.fetch_add(1, std::memory_order_relaxed);
  }

  // Whether too many bytes came since the last call event. `received`: the total so far.
  [[nodiscard]] bool IsFlooded(uint64_t received);
  // Whether a stranger has had too many calls open for too long: gRPC stores replies that nobody reads. `now`:
  // monotonic time.
  [[nodiscard]] bool IsClogged(absl::Duration now);

 private:
  [[nodiscard]] uint64_t MaxBytes() const;

  const int descriptor_;
  const ino_t inode_;
  const absl::Duration accepted_at_;
  std::atomic<bool> is_strangers_ = true;
  std::atomic<uint32_t> events_ = 0;
  std::atomic<int> open_calls_ = 0;
  std::atomic<int> calls_ = 0;  // The admitted ones among these.
  std::atomic<int> reads_ = 0;
  // At the last event that IsFlooded saw.
  uint32_t events_before_ = 0;
  uint64_t received_before_ = 0;
  // The last time that few enough calls were open.
  absl::Duration unclogged_at_ = accepted_at_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_CONNECTION_H_
