#include "hapax/storage/etcd/client.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/access.h"
#include "hapax/storage/etcd/error.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/storage/etcd/members.h"

namespace hapax {
namespace {

constexpr char kTxnMethod[] = "/etcdserverpb.KV/Txn";
constexpr char kAuthenticateMethod[] = "/etcdserverpb.Auth/Authenticate";
// A token may be refused once for its age, and once more for a member that was started again.
constexpr int kMaxTokensRefused = 2;
// After each member has failed once.
constexpr absl::Duration kFirstPause = absl::Milliseconds(20);
constexpr absl::Duration kLongestPause = absl::Milliseconds(320);

gpr_timespec FromNow(absl::Duration time) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(std::max<int64_t>(0, absl::ToInt64Microseconds(time)), GPR_TIMESPAN));
}

std::unique_ptr<grpc::ClientContext> MakeContext(absl::Duration timeout) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(FromNow(timeout));
  // Has a member without a leader refuse at once, rather than wait.
  context->AddMetadata("hasleader", "true");
  return context;
}

// An unfinished request. Of its attempts one at a time is under way, or it waits for a token, or for a pause to end. It
// waits by an alarm: whoever has it go on earlier cancels the alarm, and its callback alone goes on.
struct Request {
  bool is_read = false;
  etcd::v3::TxnRequest request;
  EtcdClient::Done done;
  int64_t bytes = 0;
  absl::Duration deadline;  // Monotonic.
  int attempts = 0;
  int tokens_refused = 0;

  // Of the attempt.
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::Alarm> alarm;
  std::optional<EtcdError> token_error;  // Of the wait for a token.
  etcd::v3::TxnResponse response;
  size_t member = 0;
  int64_t floor = 0;
  std::string token;
};

// The request for a token.
struct TokenRequest {
  std::unique_ptr<grpc::ClientContext> context;
  etcd::v3::AuthenticateRequest request;
  etcd::v3::AuthenticateResponse response;
  size_t member = 0;
};

// Outlives the client until the last callback has let go of it.
struct Requests {
  absl::Mutex mu;
  std::map<Request*, std::unique_ptr<Request>> open ABSL_GUARDED_BY(mu);
  int64_t bytes ABSL_GUARDED_BY(mu) = 0;
  bool closing ABSL_GUARDED_BY(mu) = false;
  // Threads that are about to hand a request to gRPC, or are still within the call that does. By then the request may
  // have ended on another thread.
  int handing_over ABSL_GUARDED_BY(mu) = 0;

  std::string token ABSL_GUARDED_BY(mu);
  std::unique_ptr<TokenRequest> token_request ABSL_GUARDED_BY(mu);  // Null: none is under way.
  std::vector<Request*> without_token ABSL_GUARDED_BY(mu);
};

class GrpcEtcdClient final : public EtcdClient {
 public:
  GrpcEtcdClient(const EtcdOptions& options, EtcdAccess access, std::unique_ptr<EtcdMembers> members)
      : options_(options), access_(std::move(access)), members_(std::move(members)) {}

  ~GrpcEtcdClient() override {
    absl::MutexLock lock(&all_->mu);
    all_->closing = true;
    for (const auto& [request, kept] : all_->open) {
      if (request->context != nullptr) request->context->TryCancel();
      if (request->alarm != nullptr) request->alarm->Cancel();
    }
    if (all_->token_request != nullptr) all_->token_request->context->TryCancel();
    const auto none_open = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(all_->mu) {
      return all_->open.empty() && all_->token_request == nullptr && all_->handing_over == 0;
    };
    all_->mu.Await(absl::Condition(&none_open));
  }

  void Read(etcd::v3::TxnRequest request, Done done) override { Start(true, std::move(request), std::move(done)); }
  void Commit(etcd::v3::TxnRequest request, Done done) override { Start(false, std::move(request), std::move(done)); }

  [[nodiscard]] const EtcdHistory& history() const override { return history_; }

 private:
  static EtcdError Closing(bool had_no_effect) {
    return {absl::UnavailableError("the connection to etcd is closing"), had_no_effect, EtcdError::Remedy::kNone};
  }

  void Start(bool is_read, etcd::v3::TxnRequest message, Done done) {
    HAPAX_CHECK(message.success_size() > 0 || message.failure_size() > 0,
                "a member answers a transaction without operations from a state that may be old");
    auto owned = std::make_unique<Request>();
    Request* const request = owned.get();
    request->is_read = is_read;
    request->bytes = static_cast<int64_t>(message.ByteSizeLong());
    request->request = std::move(message);
    request->done = std::move(done);
    request->deadline = MonotonicNow() + options_.request_timeout;
    if (absl::Status status = Admit(owned); !status.ok()) {
      std::move(owned->done)({.status = std::move(status), .had_no_effect = true});
      return;
    }
    StartAttempt(*request);
  }

  // Takes the request, unless it returns an error.
  absl::Status Admit(std::unique_ptr<Request>& request) {
    HAPAX_RETURN_IF_ERROR(history_.status());
    absl::MutexLock lock(&all_->mu);
    if (all_->closing) return Closing(true).status;
    if (all_->open.size() >= options_.max_requests || all_->bytes + request->bytes > options_.max_request_bytes) {
      return absl::UnavailableError("too many requests to etcd are unfinished");
    }
    all_->bytes += request->bytes;
    Request* const key = request.get();
    all_->open.emplace(key, std::move(request));
    return absl::OkStatus();
  }

  void StartAttempt(Request& request) {
    const std::shared_ptr<Requests> kept = all_;  // The request that waits may end, and then the client.
    bool begins = false;
    bool asks = false;
    {
      absl::MutexLock lock(&all_->mu);
      if (all_->closing) {
        // Ended below.
      } else if (!access_.user.empty() && all_->token.empty()) {
        AwaitToken(request);
        if (all_->token_request != nullptr) return;
        PrepareTokenRequest();
        asks = true;
      } else {
        PrepareAttempt(request);
        begins = true;
      }
    }
    if (asks) return AskForToken();
    if (!begins) return Fail(request, Closing(/*had_no_effect=*/true));
    HandOver([&] {
      (*members_)[request.member].txn.UnaryCall(
          request.context.get(), kTxnMethod, grpc::StubOptions(), &request.request, &request.response,
          [this, all = all_, &request](const grpc::Status& status) { OnEnd(request, status); });
    });
  }

  // Calls `send`, which hands a request to gRPC. The request, and then the client, may end on other threads meanwhile.
  template <typename F>
  void HandOver(F send) {
    const std::shared_ptr<Requests> all = all_;
    {
      absl::MutexLock lock(&all->mu);
      ++all->handing_over;
    }
    send();
    absl::MutexLock lock(&all->mu);
    --all->handing_over;
  }

  void PrepareAttempt(Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(all_->mu) {
    const absl::Duration left = request.deadline - MonotonicNow();
    request.context = MakeContext(std::min(left, options_.attempt_timeout));
    request.token = all_->token;
    if (!request.token.empty()) request.context->AddMetadata("token", request.token);
    request.response.Clear();
    request.member = members_->current();
    request.floor = history_.revision();
    ++request.attempts;
  }

  void OnEnd(Request& request, const grpc::Status& status) {
    if (!status.ok()) return OnError(request, EtcdErrorOf(status));
    absl::Status checked = history_.Check(request.response.header(), request.floor);
    if (!checked.ok()) return Fail(request, {std::move(checked), false, EtcdError::Remedy::kNone});
    Finish(request, {.status = absl::OkStatus(), .response = std::move(request.response)});
  }

  void OnError(Request& request, EtcdError error) {
    switch (error.remedy) {
      case EtcdError::Remedy::kNone:
        return Fail(request, std::move(error));
      case EtcdError::Remedy::kNewToken:
        ForgetToken(request.token);
        if (access_.user.empty() || ++request.tokens_refused > kMaxTokensRefused) {
          return Fail(request, std::move(error));
        }
        return StartAttempt(request);
      case EtcdError::Remedy::kOtherMember:
        members_->LeaveMember(request.member);
        const bool may_be_repeated = request.is_read || error.had_no_effect;
        if (!may_be_repeated || MonotonicNow() >= request.deadline) return Fail(request, std::move(error));
        return StartAnother(request, std::move(error));
    }
  }

  // Starts the next attempt, after a pause when each member has failed.
  void StartAnother(Request& request, EtcdError error) {
    const auto members = static_cast<int>(members_->size());
    if (request.attempts % members != 0) return StartAttempt(request);
    const int rounds = std::min(request.attempts / members, 10);
    const absl::Duration pause = std::min(kFirstPause * (1 << rounds), kLongestPause);
    {
      absl::MutexLock lock(&all_->mu);
      if (!all_->closing) {
        request.alarm = std::make_unique<grpc::Alarm>();
        request.alarm->Set(FromNow(pause), [this, all = all_, &request](bool) { StartAttempt(request); });
        return;
      }
    }
    Fail(request, std::move(error));
  }

  void ForgetToken(const std::string& token) {
    absl::MutexLock lock(&all_->mu);
    if (all_->token == token) all_->token.clear();
  }

  // Has the request wait for a token, or for its deadline.
  void AwaitToken(Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(all_->mu) {
    request.token_error = std::nullopt;
    request.alarm = std::make_unique<grpc::Alarm>();
    request.alarm->Set(FromNow(request.deadline - MonotonicNow()),
                       [this, all = all_, &request](bool) { OnTokenAwaited(request); });
    all_->without_token.push_back(&request);
  }

  void OnTokenAwaited(Request& request) {
    bool in_vain = false;
    bool closing = false;
    {
      absl::MutexLock lock(&all_->mu);
      in_vain = std::erase(all_->without_token, &request) > 0;
      closing = all_->closing;
    }
    if (closing) return Fail(request, Closing(/*had_no_effect=*/true));
    if (in_vain) {
      return Fail(request, {absl::UnavailableError("etcd did not answer the request for a token in time"),
                            /*had_no_effect=*/true, EtcdError::Remedy::kNone});
    }
    if (!request.token_error.has_value()) return StartAttempt(request);
    ++request.attempts;
    OnError(request, *std::move(request.token_error));
  }

  void PrepareTokenRequest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(all_->mu) {
    all_->token_request = std::make_unique<TokenRequest>();
    TokenRequest& asked = *all_->token_request;
    asked.context = MakeContext(options_.attempt_timeout);
    asked.request.set_name(access_.user);
    asked.request.set_password(access_.password);
    asked.member = members_->current();
  }

  // The request for a token is ours until its callback.
  void AskForToken() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    TokenRequest& asked = *all_->token_request;
    HandOver([&] {
      (*members_)[asked.member].authenticate.UnaryCall(
          asked.context.get(), kAuthenticateMethod, grpc::StubOptions(), &asked.request, &asked.response,
          [this, all = all_, &asked](const grpc::Status& status) { OnToken(asked, status); });
    });
  }

  void OnToken(const TokenRequest& asked, const grpc::Status& status) {
    std::optional<EtcdError> error;
    if (!status.ok()) {
      error = EtcdErrorOf(status);
    } else if (absl::Status checked = history_.Check(asked.response.header(), /*floor=*/0); !checked.ok()) {
      error = EtcdError{.status = std::move(checked)};
    } else if (asked.response.token().empty()) {
      error = EtcdError{.status = absl::UnauthenticatedError("etcd answered the request for a token with none")};
    }
    if (error.has_value()) error->had_no_effect = true;
    const std::shared_ptr<Requests> all = all_;
    absl::MutexLock lock(&all->mu);
    if (!error.has_value()) all->token = asked.response.token();
    for (Request* const request : std::exchange(all->without_token, {})) {
      request->member = asked.member;
      request->token_error = error;
      request->alarm->Cancel();
    }
    all->token_request = nullptr;
  }

  void Fail(Request& request, EtcdError error) {
    Finish(request, {.status = std::move(error.status), .had_no_effect = error.had_no_effect});
  }
  void Finish(Request& request, EtcdReply reply) {
    const std::shared_ptr<Requests> all = all_;
    {
      // What it has captured ends with it, before the destructor may return.
      Done done = std::move(request.done);
      std::move(done)(std::move(reply));
    }
    absl::MutexLock lock(&all->mu);
    all->bytes -= request.bytes;
    all->open.erase(&request);
  }

  const EtcdOptions options_;
  const EtcdAccess access_;
  EtcdHistory history_;
  const std::unique_ptr<EtcdMembers> members_;
  const std::shared_ptr<Requests> all_ = std::make_shared<Requests>();
};

EtcdReply Wait(EtcdClient& client, void (EtcdClient::*send)(etcd::v3::TxnRequest, EtcdClient::Done),
               etcd::v3::TxnRequest request) {
  EtcdReply reply;
  absl::Notification done;
  (client.*send)(std::move(request), [&](EtcdReply got) {
    reply = std::move(got);
    done.Notify();
  });
  done.WaitForNotification();
  return reply;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EtcdClient>> EtcdClient::Create(const EtcdOptions& options) {
  HAPAX_ASSIGN_OR_RETURN(EtcdAccess access, ReadEtcdAccess(options.files));
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<EtcdMembers> members, EtcdMembers::Create(options.endpoints, access));
  return std::make_unique<GrpcEtcdClient>(options, std::move(access), std::move(members));
}

EtcdReply ReadAndWait(EtcdClient& client, etcd::v3::TxnRequest request) {
  return Wait(client, &EtcdClient::Read, std::move(request));
}

EtcdReply CommitAndWait(EtcdClient& client, etcd::v3::TxnRequest request) {
  return Wait(client, &EtcdClient::Commit, std::move(request));
}

}  // namespace hapax
