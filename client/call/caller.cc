#include "hapax/client/call/caller.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/client/call/calls_in_flight.h"
#include "hapax/client/call/client_token.h"
#include "hapax/client/call/ongoing_call.h"
#include "hapax/proto/public_name.h"
#include "hapax/proto/token_field.h"

namespace hapax::client {
namespace {

// Whether a call that is not sent is settled. An invalid token settles it whatever was attempted before, since no
// server accepts such a token (C2).
bool SettledUnsent(const absl::Status& why, const RawCall& call) {
  return !call.attempted_before || why.code() == absl::StatusCode::kInvalidArgument;
}

Result<std::string> Unsent(absl::Status why, const RawCall& call) {
  const bool settled = SettledUnsent(why, call);
  return {.reply = std::move(why), .info = {.token = call.token, .settled = settled}};
}

}  // namespace

std::string OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnknown:
      return "";
    case Outcome::kExecuted:
      return "executed";
    case Outcome::kReplayed:
      return "replayed";
    case Outcome::kUnprotected:
      return "unprotected";
  }
  return "";
}

Caller::Caller(std::shared_ptr<Connection> connection, Options options, Timing& timing)
    : connection_(std::move(connection)),
      options_(options),
      timing_(timing),
      budget_(options.budget),
      calls_(std::make_unique<CallsInFlight>()) {}

Caller::~Caller() = default;

absl::StatusOr<RawCall> Caller::Prepare(const google::protobuf::MethodDescriptor& method,
                                        const google::protobuf::Message& request, const CallOptions& options,
                                        const google::protobuf::Descriptor* reply) {
  if (request.GetDescriptor() != method.input_type()) {
    return absl::InvalidArgumentError(absl::StrCat(method.full_name(), " takes a ", method.input_type()->full_name(),
                                                   ", not a ", request.GetDescriptor()->full_name()));
  }
  if (reply != nullptr && reply != method.output_type()) {
    return absl::InvalidArgumentError(absl::StrCat(method.full_name(), " returns a ", method.output_type()->full_name(),
                                                   ", not a ", reply->full_name()));
  }
  const absl::StatusOr<const google::protobuf::FieldDescriptor*> found = TokenFieldOf(method);
  if (!found.ok()) return found.status();
  const google::protobuf::FieldDescriptor* const token_field = *found;
  RawCall call{.method = absl::StrCat(PublicName(method.service()->full_name()), "/", method.name())};
  if (token_field == nullptr) {
    // A method without a token field is a read, idempotent by itself, or of unknown idempotency.
    call.retryable = method.options().idempotency_level() != google::protobuf::MethodOptions::IDEMPOTENCY_UNKNOWN;
    call.request = request.SerializeAsString();
    return call;
  }
  call.token = request.GetReflection()->GetString(request, token_field);
  std::string given_as = absl::StrCat(method.input_type()->full_name(), ".", token_field->name());
  if (call.token.empty() && !options.token.empty()) {
    call.token = options.token;
    given_as = "CallOptions.token";
  }
  if (!call.token.empty()) {
    if (absl::Status status = CheckClientToken(given_as, call.token); !status.ok()) return status;
  }
  if (call.token.empty() && !options.unprotected) call.token = timing_.NewToken();
  call.token_in_request = true;
  call.retryable = !call.token.empty();
  const std::unique_ptr<google::protobuf::Message> with_token(request.New());
  with_token->CopyFrom(request);
  with_token->GetReflection()->SetString(with_token.get(), token_field, call.token);
  call.request = with_token->SerializeAsString();
  return call;
}

absl::Status Caller::CheckSendable(const RawCall& call) const {
  if (absl::Status status = connection_->CheckUsable(); !status.ok()) return status;
  return call.token.empty() ? absl::OkStatus() : CheckClientToken("RawCall.token", call.token);
}

Result<std::string> Caller::CallRaw(const RawCall& call, const RetryPolicy& policy) {
  if (absl::Status status = CheckSendable(call); !status.ok()) return Unsent(std::move(status), call);
  absl::Mutex mu;
  std::optional<Result<std::string>> result;
  const std::shared_ptr<const RawCall> borrowed(std::shared_ptr<void>(), &call);
  std::make_shared<OngoingCall>(borrowed, policy, *connection_, timing_, budget_, [&](Result<std::string> end) {
    absl::MutexLock lock(&mu);
    result = std::move(end);
  })->Start(OngoingCall::On::kThisThread);
  const auto is_over = [&result] { return result.has_value(); };
  absl::MutexLock lock(&mu);
  timing_.Await(mu, absl::Condition(&is_over), absl::InfiniteFuture());
  return *std::move(result);
}

CallHandle Caller::StartPrepared(absl::StatusOr<RawCall> call, const RetryPolicy& policy,
                                 absl::AnyInvocable<void(Result<std::string>) &&> done) {
  if (absl::Status status = connection_->CheckUsable(); !status.ok()) {
    // In a forked child the locks of the calls in flight may be held forever.
    timing_.At(absl::InfinitePast(),
               [done = std::move(done), end = Unsent(status, call.value_or(RawCall()))]() mutable {
                 std::move(done)(std::move(end));
               });
    return {};
  }
  const absl::Status refusal = call.ok() ? CheckSendable(*call) : call.status();
  const auto raw = std::make_shared<const RawCall>(call.ok() ? *std::move(call) : RawCall());
  const uint64_t number = calls_->NewNumber();
  const auto ongoing = std::make_shared<OngoingCall>(
      raw, policy, *connection_, timing_, budget_,
      [calls = calls_.get(), number, done = std::move(done)](Result<std::string> end) mutable {
        calls->Conclude(number, [&] {
          auto once = std::move(done);  // Destroyed before the call is forgotten.
          std::move(once)(std::move(end));
        });
      });
  calls_->Add(number, ongoing);
  if (refusal.ok()) {
    ongoing->Start(OngoingCall::On::kAnother);
  } else {
    ongoing->Refuse(refusal, SettledUnsent(refusal, *raw), OngoingCall::On::kAnother);
  }
  return CallHandle(ongoing);
}

}  // namespace hapax::client
