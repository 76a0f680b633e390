#ifndef HAPAX_TESTS_CLIENT_WIRE_FAKE_DNS_H_
#define HAPAX_TESTS_CLIENT_WIRE_FAKE_DNS_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hapax::client {

// A name server on 127.0.0.1 that gives every name the same IPv4 addresses, and nothing else (RFC 1035).
class FakeDns {
 public:
  explicit FakeDns(std::vector<std::string> addresses)
      : addresses_(std::move(addresses)), socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(own);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&own), size), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size), 0);
    port_ = ntohs(own.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeDns() {
    shutdown(socket_, SHUT_RDWR);  // Ends recvfrom.
    thread_.join();
    close(socket_);
  }
  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;

  [[nodiscard]] int port() const { return port_; }

 private:
  static constexpr size_t kHeaderBytes = 12;

  void Serve() {
    char query[512];
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    ssize_t got = 0;
    while ((got = recvfrom(socket_, query, sizeof(query), 0, reinterpret_cast<sockaddr*>(&from), &size)) > 0) {
      const std::string answer = AnswerTo(std::string(query, static_cast<size_t>(got)));
      sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  [[nodiscard]] std::string AnswerTo(const std::string& query) const {
    const size_t name_end = query.find('\0', kHeaderBytes);
    const std::string question = query.substr(kHeaderBytes, name_end + 5 - kHeaderBytes);
    const bool is_a = question.substr(question.size() - 4, 2) == std::string("\0\1", 2);
    const size_t count = is_a ? addresses_.size() : 0;
    std::string answer = query.substr(0, 2) + "\x81" + std::string("\x80\0\1\0", 4) + static_cast<char>(count) +
                         std::string(4, '\0') + question;
    for (size_t i = 0; i < count; ++i) {
      in_addr address{};
      inet_pton(AF_INET, addresses_[i].c_str(), &address);
      // The name of the question, type A, class IN, a minute, four bytes.
      answer += std::string("\xC0\x0C\0\1\0\1\0\0\0\x3C\0\4", 12);
      answer.append(reinterpret_cast<const char*>(&address), sizeof(address));
    }
    return answer;
  }

  const std::vector<std::string> addresses_;
  const int socket_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_WIRE_FAKE_DNS_H_
