#ifndef HAPAX_TESTS_STORAGE_ETCD_FAKE_ETCD_H_
#define HAPAX_TESTS_STORAGE_ETCD_FAKE_ETCD_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"

namespace hapax {

// A server in place of a member: it answers each request with an empty message, or not at all.
//
// Thread-safety: safe.
class FakeEtcd {
 public:
  enum class Answers { kEmpty, kNone };

  explicit FakeEtcd(Answers answers) : service_(answers) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~FakeEtcd() { server_->Shutdown(std::chrono::system_clock::now()); }
  FakeEtcd(const FakeEtcd&) = delete;
  FakeEtcd& operator=(const FakeEtcd&) = delete;

  [[nodiscard]] std::string endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Call(Answers answers) : answers_(answers) { StartRead(&request_); }

   private:
    void OnReadDone(bool ok) override {
      absl::MutexLock lock(&mu_);
      if (ok && answers_ == Answers::kEmpty) {
        StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
      }
    }
    void OnCancel() override {
      absl::MutexLock lock(&mu_);
      if (answers_ == Answers::kNone) Finish(grpc::Status(grpc::StatusCode::CANCELLED, ""));
    }
    void OnDone() override {
      { absl::MutexLock lock(&mu_); }
      delete this;
    }

    absl::Mutex mu_;  // ThreadSanitizer does not see that gRPC calls these functions one after another.
    const Answers answers_;
    grpc::ByteBuffer request_;
    grpc::Slice nothing_;
    grpc::ByteBuffer response_{&nothing_, 1};
  };
  class Service final : public grpc::CallbackGenericService {
   public:
    explicit Service(Answers answers) : answers_(answers) {}

   private:
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
      return new Call(answers_);
    }

    const Answers answers_;
  };

  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_FAKE_ETCD_H_
