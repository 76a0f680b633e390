#ifndef HAPAX_SERVER_HTTP_HTTP_CONNECTION_H_
#define HAPAX_SERVER_HTTP_HTTP_CONNECTION_H_

#include <atomic>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "hapax/server/http/door.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// One connection of an HttpHost: reads a request, has a door serve it, sends the reply, and so on.
//
// Thread-safety: safe.
// Lifetime: it lives as long as an operation of it is under way, and is forgotten by its host at its end.
class HttpConnection {
 public:
  using List = std::list<std::weak_ptr<HttpConnection>>;

  // What the connections of a host share.
  class Host {
   public:
    struct Limits {
      ConnectionLimits limits;
      size_t max_header_bytes = 0;
    };
    Host(const Limits& limits, std::vector<const Door*> doors, DoorCalls& calls)
        : limits_(limits), doors_(std::move(doors)), calls_(calls) {}
    virtual ~Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // The connection is about to be destroyed.
    virtual void Forget(HttpConnection& connection) = 0;

    [[nodiscard]] const Limits& limits() const { return limits_; }
    [[nodiscard]] DoorCalls& calls() const { return calls_; }
    // The first door for the request, or null.
    [[nodiscard]] const Door* DoorFor(const HttpRequest& request) const;

    // Takes bytes of a body, unless there are too many already.
    [[nodiscard]] bool TakeBytes(size_t bytes);
    void ReturnBytes(size_t bytes) { bytes_ -= static_cast<int64_t>(bytes); }

    void BeginDraining() { is_draining_ = true; }
    [[nodiscard]] bool is_draining() const { return is_draining_; }

   private:
    const Limits limits_;
    const std::vector<const Door*> doors_;
    DoorCalls& calls_;
    std::atomic<int64_t> bytes_ = 0;
    std::atomic<bool> is_draining_ = false;
  };

  static std::shared_ptr<HttpConnection> Make(Host& host, boost::beast::tcp_stream stream);
  static std::shared_ptr<HttpConnection> Make(Host& host, boost::beast::ssl_stream<boost::beast::tcp_stream> stream);
  virtual ~HttpConnection() = default;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  virtual void Start() = 0;
  // Ends it now if no request is under way, and else after its reply.
  virtual void EndWhenIdle() = 0;
  // Ends it now. A call that runs goes on.
  virtual void End() = 0;

  // Since when no request has been under way, in monotonic time; infinite if one is.
  [[nodiscard]] absl::Duration idle_since() const {
    const int64_t ns = idle_since_ns_;
    return ns == kBusy ? absl::InfiniteDuration() : absl::Nanoseconds(ns);
  }
  [[nodiscard]] bool is_strangers() const { return is_strangers_; }

  List::iterator place;  // Its host's.

 protected:
  static constexpr int64_t kBusy = std::numeric_limits<int64_t>::max();

  HttpConnection() = default;

  std::atomic<int64_t> idle_since_ns_ = 0;
  std::atomic<bool> is_strangers_ = true;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_HTTP_CONNECTION_H_
