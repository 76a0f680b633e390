#ifndef HAPAX_TESTS_STORAGE_ETCD_TCP_PROXY_H_
#define HAPAX_TESTS_STORAGE_ETCD_TCP_PROXY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hapax {

// Finds the messages in one direction of a connection.
class MessageCounter {
 public:
  virtual ~MessageCounter() = default;
  virtual void Add(const char* bytes, size_t size) = 0;
  // Requests or responses of which all bytes have come.
  [[nodiscard]] virtual int messages() const = 0;
};

// Those of an HTTP/2 connection: each ends with a frame that has the flag END_STREAM.
class FrameCounter final : public MessageCounter {
 public:
  // Of a client the stream begins with a preface of 24 bytes.
  explicit FrameCounter(bool is_client) : skip_(is_client ? 24 : 0) {}
  void Add(const char* bytes, size_t size) override;
  [[nodiscard]] int messages() const override { return messages_; }

 private:
  std::string header_;
  size_t skip_;
  bool ends_ = false;
  int messages_ = 0;
};

// A proxy on 127.0.0.1 between a client and a member, which loses answers and delays requests.
//
//   proxy.LoseAnswers();      // From now on a response ends its connection in place of being passed on.
//   proxy.AwaitLostAnswer();  // Until one is lost since then.
//   proxy.HoldRequests();     // From now on what the client sends is kept.
//   proxy.AwaitHeldRequest(); // Until a whole request is kept.
//   proxy.CutClients();       // The client's connections end; what is kept can still be delivered.
//   proxy.Forward();          // New connections work.
//   proxy.DeliverHeld();      // The member gets what was kept; returns once it has answered.
//
// Thread-safety: for one thread.
class TcpProxy {
 public:
  using CounterMaker = std::unique_ptr<MessageCounter> (*)(bool is_client);

  // `target` is "127.0.0.1:port".
  explicit TcpProxy(
      std::string target, CounterMaker make_counter = [](bool is_client) {
        return std::unique_ptr<MessageCounter>(new FrameCounter(is_client));
      });
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::string endpoint() const;

  void Forward() { SetMode(Mode::kForward); }
  void LoseAnswers() { SetMode(Mode::kLoseAnswers); }
  void AwaitLostAnswer();
  void HoldRequests() { SetMode(Mode::kHoldRequests); }
  void AwaitHeldRequest();
  void CutClients();
  void DeliverHeld();
  // Passes connections on to another member from now on, and ends those that there are.
  void Redirect(std::string target);

 private:
  enum class Mode { kForward, kLoseAnswers, kHoldRequests };
  struct Connection;

  void SetMode(Mode mode);
  void Accept();
  void FromClient(Connection& connection);
  void FromMember(Connection& connection);

  const CounterMaker make_counter_;
  int listener_ = -1;
  int port_ = 0;
  absl::Mutex mu_;
  std::string target_ ABSL_GUARDED_BY(mu_);
  Mode mode_ ABSL_GUARDED_BY(mu_) = Mode::kForward;
  int lost_ ABSL_GUARDED_BY(mu_) = 0;  // Answers, since the mode was set.
  std::vector<std::unique_ptr<Connection>> connections_ ABSL_GUARDED_BY(mu_);
  std::thread acceptor_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_TCP_PROXY_H_
