#ifndef HAPAX_TESTS_SERVER_SUPPORT_RAW_HTTP_H_
#define HAPAX_TESTS_SERVER_SUPPORT_RAW_HTTP_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace hapax {

// A connection that sends and reads bytes as they are. Ends a read after 10 s.
class RawHttp {
 public:
  explicit RawHttp(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawHttp() { ::close(socket_); }
  RawHttp(const RawHttp&) = delete;
  RawHttp& operator=(const RawHttp&) = delete;

  void Send(const std::string& bytes) const { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // The next reply, by its Content-Length; what has come, if the connection ends before.
  std::string Reply(bool has_body = true) {
    size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return std::exchange(received_, "");
    }
    end += 4;
    size_t length = 0;
    for (const absl::string_view line : absl::StrSplit(absl::string_view(received_).substr(0, end), "\r\n")) {
      const std::pair<absl::string_view, absl::string_view> header = absl::StrSplit(line, absl::MaxSplits(": ", 1));
      if (header.first != "Content-Length") continue;
      EXPECT_TRUE(absl::SimpleAtoi(header.second, &length));
    }
    if (has_body) end += length;
    while (received_.size() < end) {
      if (!Receive()) return std::exchange(received_, "");
    }
    std::string reply = received_.substr(0, end);
    received_.erase(0, end);
    return reply;
  }

  // Whether the other side ends the connection, and sends nothing before.
  bool IsEnded() { return !Receive() && received_.empty(); }

 private:
  bool Receive() {
    char bytes[65536];
    const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (size > 0) received_.append(bytes, static_cast<size_t>(size));
    EXPECT_FALSE(size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) << "nothing came";
    return size > 0;
  }

  const int socket_;
  std::string received_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_RAW_HTTP_H_
