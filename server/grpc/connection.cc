#include "hapax/server/grpc/connection.h"

#include <linux/tcp.h>  // The C library's tcp_info is older.
#include <netinet/in.h>
#include <sys/socket.h>

namespace hapax {

uint64_t BytesReceived(int connection) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  return getsockopt(connection, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

bool Connection::IsFlooded(uint64_t received) {
  const uint32_t events = events_.load(std::memory_order_relaxed);
  if (events != events_before_) {
    events_before_ = events;
    received_before_ = received;
  }
  return received > received_before_ + MaxBytes();
}

bool Connection::IsClogged(absl::Duration now) {
  if (!is_strangers() || open_calls_.load(std::memory_order_relaxed) <= kMaxStrangersCalls) {
    unclogged_at_ = now;
    return false;
  }
  return now - unclogged_at_ > kTimeToRead;
}

uint64_t Connection::MaxBytes() const {
  const int reads = reads_.load(std::memory_order_relaxed);
  if (reads > 0) return static_cast<uint64_t>(reads) * kMaxReadBytes;
  return calls_.load(std::memory_order_relaxed) > 0 ? kMaxBusyBytes : kMaxIdleBytes;
}

}  // namespace hapax
