#include "hapax/server/http/http_host.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <list>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/base/listening_sockets.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/http/http_connection.h"

namespace hapax {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// The time in which a stranger's connection is not ended for others: enough for a handshake and a request.
constexpr absl::Duration kStrangerGrace = absl::Milliseconds(500);

// The other cores are for transactions, their commits, and other processes.
int DefaultEventThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2); }

tcp ProtocolOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

// Takes a reference of its own, which asio's context gives back.
SSL_CTX* Referenced(const std::shared_ptr<SSL_CTX>& context) {
  SSL_CTX_up_ref(context.get());
  return context.get();
}

}  // namespace

// Event threads, acceptors, and the open connections.
class HttpHost::State final : public HttpConnection::Host {
 public:
  State(Options options, std::vector<const Door*> doors, DoorCalls& calls, ListeningSockets sockets)
      : Host({.limits = options.limits, .max_header_bytes = kMaxHeaderBytes}, std::move(doors), calls),
        options_(std::move(options)),
        sockets_(std::move(sockets)),
        work_(asio::make_work_guard(io_)) {}

  void Start() {
    for (const int socket : sockets_.sockets()) {
      auto& acceptor = acceptors_.emplace_back(asio::make_strand(io_));
      acceptor.assign(ProtocolOf(socket), ::dup(socket));
      Accept(acceptor);
    }
    const int threads = options_.event_threads > 0 ? options_.event_threads : DefaultEventThreads();
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  void Drain(absl::Duration grace) {
    BeginDraining();
    sockets_.Close();
    for (auto& acceptor : acceptors_) asio::post(acceptor.get_executor(), [&acceptor] { acceptor.close(); });
    for (const auto& connection : Connections()) connection->EndWhenIdle();
    if (!AwaitNone(grace)) {
      for (const auto& connection : Connections()) connection->End();
    }
  }

  // Requires: Drain.
  void Join() {
    AwaitNone(absl::InfiniteDuration());
    work_.reset();
    for (std::thread& thread : threads_) thread.join();
  }

  void Forget(HttpConnection& connection) override {
    const absl::MutexLock lock(&mu_);
    connections_.erase(connection.place);
  }

  [[nodiscard]] const ListeningSockets& sockets() const { return sockets_; }

 private:
  void Accept(tcp::acceptor& acceptor) {
    acceptor.async_accept(asio::make_strand(io_), [this, &acceptor](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || is_draining()) return;
      if (!error) {
        Admit(std::move(socket));
      } else if (error != asio::error::connection_aborted) {
        return PauseBeforeAccept(acceptor);  // Out of descriptors or memory.
      }
      Accept(acceptor);
    });
  }

  void PauseBeforeAccept(tcp::acceptor& acceptor) {
    const auto timer = std::make_shared<asio::steady_timer>(acceptor.get_executor(), kAcceptPause);
    timer->async_wait([this, &acceptor, timer](error_code) {
      if (!is_draining()) Accept(acceptor);
    });
  }

  void Admit(tcp::socket socket) {
    if (IsFull() && !EndIdlest()) return;
    const std::shared_ptr<HttpConnection> connection = Make(std::move(socket));
    {
      const absl::MutexLock lock(&mu_);
      connection->place = connections_.insert(connections_.end(), connection);
    }
    connection->Start();
  }

  bool IsFull() {
    const absl::MutexLock lock(&mu_);
    return connections_.size() >= static_cast<size_t>(options_.limits.max_connections);
  }

  std::shared_ptr<HttpConnection> Make(tcp::socket socket) {
    boost::beast::tcp_stream stream(std::move(socket));
    if (options_.tls == nullptr) return HttpConnection::Make(*this, std::move(stream));
    asio::ssl::context context(Referenced(options_.tls->context()));
    return HttpConnection::Make(*this, boost::beast::ssl_stream<boost::beast::tcp_stream>(std::move(stream), context));
  }

  // Ends the stranger's connection that is idle longest, unless it may still be about to ask; or a client's, if there
  // is no stranger. Returns false if it ended none.
  bool EndIdlest() {
    std::shared_ptr<HttpConnection> idlest;
    for (const auto& connection : Connections()) {
      if (connection->idle_since() == absl::InfiniteDuration()) continue;
      const bool is_first =
          idlest == nullptr || connection->is_strangers() > idlest->is_strangers() ||
          (connection->is_strangers() == idlest->is_strangers() && connection->idle_since() < idlest->idle_since());
      if (is_first) idlest = connection;
    }
    if (idlest == nullptr || idlest->idle_since() > MonotonicNow() - kStrangerGrace) return false;
    idlest->EndWhenIdle();
    return true;
  }

  // None of them is released under the lock, since the last release takes it.
  [[nodiscard]] std::vector<std::shared_ptr<HttpConnection>> Connections() {
    std::vector<std::shared_ptr<HttpConnection>> open;
    const absl::MutexLock lock(&mu_);
    for (const auto& entry : connections_) {
      if (auto connection = entry.lock(); connection != nullptr) open.push_back(std::move(connection));
    }
    return open;
  }

  bool AwaitNone(absl::Duration timeout) {
    const absl::MutexLock lock(&mu_);
    const auto none = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return connections_.empty(); };
    return mu_.AwaitWithTimeout(absl::Condition(&none), timeout);
  }

  const Options options_;
  ListeningSockets sockets_;
  absl::Mutex mu_;
  // In the order of their arrival.
  HttpConnection::List connections_ ABSL_GUARDED_BY(mu_);
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::list<tcp::acceptor> acceptors_;
  std::vector<std::thread> threads_;
};

absl::StatusOr<std::unique_ptr<HttpHost>> HttpHost::Start(Options options, std::vector<const Door*> doors,
                                                          DoorCalls& calls) {
  HAPAX_ASSIGN_OR_RETURN(ListeningSockets sockets, ListeningSockets::Open(options.listen_address));
  std::unique_ptr<HttpHost> host(
      new HttpHost(std::make_unique<State>(std::move(options), std::move(doors), calls, std::move(sockets))));
  host->port_ = host->state_->sockets().port();
  host->state_->Start();
  return host;
}

HttpHost::HttpHost(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpHost::~HttpHost() {
  Drain(absl::ZeroDuration());
  state_->Join();
}

const std::vector<std::string>& HttpHost::skipped_addresses() const { return state_->sockets().skipped_addresses(); }

void HttpHost::Drain(absl::Duration grace) { state_->Drain(grace); }

}  // namespace hapax
