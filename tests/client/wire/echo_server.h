#ifndef HAPAX_TESTS_CLIENT_WIRE_ECHO_SERVER_H_
#define HAPAX_TESTS_CLIENT_WIRE_ECHO_SERVER_H_

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "hapax/client/wire/connection.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/external/rpc/status.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax::client {

// A server in this process, over a real connection. What a method does, its name says: `Echo` replies with the request,
// `Refuse` ends with an error that has details, `RefuseAtLength` with 100 KiB of them, `Fail` as UNAVAILABLE without
// any, `FailFirst` likewise for the first attempt with a token, `Hang` when it is cancelled, `Hold` replies when it is
// let go. `Once` has an effect on the store, and replies as Hapax does; or never, with `loses_replies`.
class EchoServer final : public grpc::CallbackGenericService {
 public:
  // What several servers share: the reply for each token, which is the port of the server that made the effect.
  struct Store {
    absl::Mutex mu;
    std::map<std::string, std::string> replies ABSL_GUARDED_BY(mu);
  };

  explicit EchoServer(int port = 0) : EchoServer(absl::StrCat("127.0.0.1:", port)) {}
  explicit EchoServer(std::shared_ptr<Store> store) : EchoServer() { store_ = std::move(store); }
  explicit EchoServer(const std::string& address,
                      const std::shared_ptr<grpc::ServerCredentials>& credentials = grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(address, credentials, &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  ~EchoServer() override {
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now()));
  }

  // Takes no more calls, and returns when those under way have ended.
  void Drain() { server_->Shutdown(); }

  [[nodiscard]] int port() const { return port_; }
  std::atomic<int> attempts = 0;
  std::atomic<bool> loses_replies = false;
  absl::Notification hanging;
  absl::Notification cancelled;

  // Returns when so many attempts are held.
  void WaitUntilHeld(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto all_held = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return held_.size() >= count; };
    mu_.Await(absl::Condition(&all_held));
  }
  void LetGo() {
    std::set<Handler*> let_go;
    {
      absl::MutexLock lock(&mu_);
      let_go.swap(held_);
    }
    for (Handler* const handler : let_go) handler->Reply();
  }

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    ++attempts;
    return new Handler(*this, *context);
  }

 private:
  class Handler final : public grpc::ServerGenericBidiReactor {
   public:
    Handler(EchoServer& server, grpc::GenericCallbackServerContext& context) : server_(server), context_(context) {
      StartRead(&bytes_);
    }
    void OnReadDone(bool ok) override {
      const Reaction reaction{reactions_};
      if (!ok) return Finish(grpc::Status::CANCELLED);  // Before its request was here.
      if (context_.method() == "/t.T/Hang") return server_.hanging.Notify();
      if (context_.method() == "/t.T/Hold") return Hold();
      if (context_.method() == "/t.T/Once") return Once();
      if (context_.method() == "/t.T/Fail") return Finish({grpc::StatusCode::UNAVAILABLE, "not now"});
      if (context_.method() == "/t.T/Refuse") return Refuse();
      if (context_.method() == "/t.T/RefuseAtLength") return Refuse(100 << 10);
      if (context_.method() == "/t.T/FailFirst" && server_.IsFirst(Token())) {
        return Finish({grpc::StatusCode::UNAVAILABLE, "not now"});
      }
      for (const auto& [key, value] : context_.client_metadata()) {
        if (key.starts_with("x-")) {
          context_.AddInitialMetadata("saw-" + std::string(key.data(), key.size()), {value.data(), value.size()});
        }
      }
      Reply();
    }
    void OnCancel() override {
      const Reaction reaction{reactions_};
      if (server_.StopHolding(this)) Finish(grpc::Status::CANCELLED);
      if (context_.method() != "/t.T/Hang") return;
      server_.cancelled.Notify();
      Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override {
      static_cast<void>(reactions_.load(std::memory_order_acquire));
      delete this;
    }
    void Reply() { StartWriteAndFinish(&bytes_, {}, grpc::Status::OK); }

   private:
    // gRPC calls OnDone once all other reactions have returned, which ThreadSanitizer cannot see in its library.
    struct Reaction {
      std::atomic<int>& reactions;
      ~Reaction() { reactions.fetch_add(1, std::memory_order_release); }
    };

    void Hold() {
      {
        absl::MutexLock lock(&server_.mu_);
        server_.held_.insert(this);
      }
      if (context_.IsCancelled()) OnCancel();
    }
    void Once() {
      const bool loses_reply = server_.loses_replies;  // As it was before the effect.
      std::string reply = absl::StrCat(server_.port());
      {
        absl::MutexLock lock(&server_.store_->mu);
        const auto [record, is_new] = server_.store_->replies.try_emplace(Token(), reply);
        reply = record->second;
        context_.AddInitialMetadata("hapax-outcome", is_new ? "executed" : "replayed");
      }
      const grpc::Slice slice(reply);
      bytes_ = grpc::ByteBuffer(&slice, 1);
      if (loses_reply) return Hold();
      Reply();
    }
    std::string Token() const {
      const auto found = context_.client_metadata().find("x-client-token");
      if (found == context_.client_metadata().end()) return "";
      return {found->second.data(), found->second.size()};
    }
    void Refuse(size_t padding = 0) {
      external::rpc::Status details;
      details.set_message(std::string(padding, 'x'));
      external::rpc::ErrorInfo info;
      info.set_domain("hapax");
      info.set_reason("IMAGE_NOT_FOUND");
      Pack(info, *details.add_details());
      context_.AddTrailingMetadata("hapax-retry", "never");
      Finish({grpc::StatusCode::NOT_FOUND, "no such image", details.SerializeAsString()});
    }

    std::atomic<int> reactions_ = 0;
    EchoServer& server_;
    grpc::GenericCallbackServerContext& context_;
    grpc::ByteBuffer bytes_;
  };

  bool IsFirst(const std::string& token) {
    absl::MutexLock lock(&mu_);
    return seen_.insert(token).second;
  }
  bool StopHolding(Handler* handler) {
    absl::MutexLock lock(&mu_);
    return held_.erase(handler) == 1;
  }

  std::shared_ptr<Store> store_ = std::make_shared<Store>();
  absl::Mutex mu_;
  std::set<Handler*> held_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> seen_ ABSL_GUARDED_BY(mu_);  // Tokens.
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

inline std::shared_ptr<Connection> ConnectTo(int port, ConnectionOptions options = {}) {
  options.endpoint = absl::StrCat("127.0.0.1:", port);
  return Connect(options).value();
}

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_WIRE_ECHO_SERVER_H_
