#include "hapax/bench/http_load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/bench/http_response.h"

namespace hapax::bench {
namespace {

// A file descriptor, closed by the destructor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }

  [[nodiscard]] int get() const { return number_; }

 private:
  const int number_;
};

std::optional<sockaddr_in> ParseAddress(const std::string& host_and_port) {
  const size_t colon = host_and_port.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::strtoul(host_and_port.c_str() + colon + 1, nullptr, 10)));
  if (inet_pton(AF_INET, host_and_port.substr(0, colon).c_str(), &address.sin_addr) != 1) return std::nullopt;
  return address;
}

// Connects the socket and makes it non-blocking; returns whether it is ready for calls.
bool ConnectTo(int socket, const sockaddr_in& address) {
  const int on = 1;
  return connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 && fcntl(socket, F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

struct HttpLoad::Connection {
  Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  // The part of the response received so far.
  std::string received;
  Instant due;
  Instant sent;
};

// One run, on one thread.
class HttpLoad::Loop {
 public:
  Loop(std::deque<Connection>& connections, const LoadPlan& plan, Requests& requests)
      : plan_(plan), requests_(requests), request_(requests.size(), '\0'), recorder_(plan.window) {
    for (Connection& connection : connections) {
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
      epoll_ctl(poll_.get(), EPOLL_CTL_ADD, connection.socket.get(), &event);
      free_.push_back(&connection);
    }
  }

  Recorder Run() {
    const Schedule schedule(plan_.start, plan_.rate);
    while (true) {
      const std::optional<Instant> next_due = SendDue(schedule);
      if (!next_due.has_value() && in_flight_ == 0) break;
      AwaitReplies(free_.empty() ? std::nullopt : next_due);
    }
    return std::move(recorder_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Sends due requests while connections are free. Returns the next due time, which has passed if a call waits for a
  // connection; nullopt when there are no more calls.
  std::optional<Instant> SendDue(const Schedule& schedule) {
    while (!no_more_) {
      const Instant now = Clock::now();
      const Instant due = plan_.rate > 0 ? schedule.Due(started_) : now;
      if (due >= plan_.window.to) break;
      if (due > now || free_.empty()) return due;
      if (!requests_.Next()) break;
      ++started_;
      Connection& connection = *free_.back();
      free_.pop_back();
      Send(connection, due, now);
    }
    no_more_ = true;
    return std::nullopt;
  }

  void Send(Connection& connection, Instant due, Instant now) {
    connection.due = due;
    connection.sent = now;
    requests_.Write(request_.data());
    // An idle connection has room for a whole request.
    const ssize_t sent = send(connection.socket.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
    ++in_flight_;
    if (sent != static_cast<ssize_t>(request_.size())) Drop(connection, "a request could not be sent");
  }

  // Waits for replies, at most until this moment.
  void AwaitReplies(std::optional<Instant> until) {
    timespec timeout{};
    if (until.has_value()) {
      const auto left = std::max(std::chrono::nanoseconds(*until - Clock::now()), std::chrono::nanoseconds(0));
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      timeout = {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    }
    std::array<epoll_event, 64> events;
    const int count =
        epoll_pwait2(poll_.get(), events.data(), events.size(), until.has_value() ? &timeout : nullptr, nullptr);
    for (int i = 0; i < count; ++i) Receive(*static_cast<Connection*>(events[i].data.ptr));
  }

  void Receive(Connection& connection) {
    std::array<char, 16384> bytes;
    const ssize_t count = recv(connection.socket.get(), bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return Drop(connection, "a connection broke");
    connection.received.append(bytes.data(), static_cast<size_t>(count));
    const HttpResponse response = ParseHttpResponse(connection.received);
    switch (response.state) {
      case HttpResponse::State::kIncomplete:
        return;
      case HttpResponse::State::kMalformed:
        return Drop(connection, absl::StrCat("no response of HTTP/1.1: ", connection.received));
      case HttpResponse::State::kComplete:
        End(connection, response);
    }
  }

  void End(Connection& connection, const HttpResponse& response) {
    if (response.status / 100 == 2) {
      recorder_.Succeeded(connection.due, connection.sent, Clock::now(), response.body_bytes);
    } else {
      recorder_.Failed(connection.received);
    }
    connection.received.clear();
    --in_flight_;
    free_.push_back(&connection);
  }

  // Removes the connection.
  void Drop(Connection& connection, const std::string& why) {
    recorder_.Failed(why);
    epoll_ctl(poll_.get(), EPOLL_CTL_DEL, connection.socket.get(), nullptr);
    // A connection that broke between two calls was free.
    if (std::erase(free_, &connection) == 0) --in_flight_;
    if (free_.empty() && in_flight_ == 0) no_more_ = true;
  }

  const LoadPlan& plan_;
  Requests& requests_;
  std::string request_;
  Recorder recorder_;
  const Descriptor poll_{epoll_create1(EPOLL_CLOEXEC)};
  std::vector<Connection*> free_;
  uint64_t started_ = 0;
  size_t in_flight_ = 0;
  bool no_more_ = false;
};

HttpLoad::HttpLoad(std::string host_and_port, int connections)
    : host_and_port_(std::move(host_and_port)), connections_(static_cast<size_t>(connections)) {}

HttpLoad::~HttpLoad() = default;

absl::Status HttpLoad::Connect() {
  const std::optional<sockaddr_in> address = ParseAddress(host_and_port_);
  if (!address.has_value()) return absl::InvalidArgumentError(absl::StrCat(host_and_port_, " is no IPv4 HOST:PORT"));
  for (const Connection& connection : connections_) {
    if (!ConnectTo(connection.socket.get(), *address)) {
      return absl::UnavailableError(absl::StrCat("cannot connect to ", host_and_port_));
    }
  }
  return absl::OkStatus();
}

Recorder HttpLoad::Run(const LoadPlan& plan, Requests& requests) { return Loop(connections_, plan, requests).Run(); }

}  // namespace hapax::bench
