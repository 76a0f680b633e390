#include "hapax/storage/etcd/error.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hapax/base/check.h"

namespace hapax {
namespace {

using Remedy = EtcdError::Remedy;

// An error of which etcd's text says more than its code.
struct KnownError {
  absl::string_view text;  // How etcd's message begins.
  absl::StatusCode code;
  absl::string_view advice;
  bool had_no_effect;
  Remedy remedy;
};

constexpr KnownError kKnownErrors[] = {
    // A member that reaches its quota while it applies a request applies it, and answers with this error.
    {"etcdserver: mvcc: database space exceeded", absl::StatusCode::kUnavailable,
     "etcd's database is full (alarm NOSPACE): compact and defragment it, or raise --quota-backend-bytes; then disarm "
     "the alarm",
     false, Remedy::kNone},
    {"etcdserver: too many operations in txn request", absl::StatusCode::kResourceExhausted,
     "raise etcd's --max-txn-ops", true, Remedy::kNone},
    {"etcdserver: request is too large", absl::StatusCode::kResourceExhausted, "raise etcd's --max-request-bytes", true,
     Remedy::kNone},
    // Of etcd's side; that of ours begins with a capital letter.
    {"grpc: received message larger than max", absl::StatusCode::kResourceExhausted, "raise etcd's --max-request-bytes",
     true, Remedy::kNone},
    // Of our side: a member answers with more than we take. It may have applied the request.
    {"Received message larger than max", absl::StatusCode::kResourceExhausted, "the answer is larger than is taken",
     false, Remedy::kNone},
    {"etcdserver: duplicate key given in txn request", absl::StatusCode::kInvalidArgument, "", true, Remedy::kNone},
    {"etcdserver: key is not provided", absl::StatusCode::kInvalidArgument, "", true, Remedy::kNone},
    {"etcdserver: too many requests", absl::StatusCode::kUnavailable, "etcd has too much to do", true, Remedy::kNone},
    // Those of members that did not begin with the request.
    {"etcdserver: no leader", absl::StatusCode::kUnavailable, "", true, Remedy::kOtherMember},
    {"etcdserver: not capable", absl::StatusCode::kUnavailable, "", true, Remedy::kOtherMember},
    {"etcdserver: rpc not supported for learner", absl::StatusCode::kUnavailable, "", true, Remedy::kOtherMember},
    {"etcdserver: invalid auth token", absl::StatusCode::kUnauthenticated, "", true, Remedy::kNewToken},
    {"etcdserver: revision of auth store is old", absl::StatusCode::kUnauthenticated, "", true, Remedy::kNewToken},
    {"auth: revision in header is old", absl::StatusCode::kUnauthenticated, "", true, Remedy::kNewToken},
    {"etcdserver: user name is empty", absl::StatusCode::kUnauthenticated,
     "etcd requires a user: see --etcd_credentials_file", true, Remedy::kNone},
    {"etcdserver: authentication failed", absl::StatusCode::kUnauthenticated, "see --etcd_credentials_file", true,
     Remedy::kNone},
    {"etcdserver: authentication is not enabled", absl::StatusCode::kUnauthenticated,
     "etcd knows no users: enable its authentication, or leave --etcd_credentials_file out", true, Remedy::kNone},
    {"etcdserver: permission denied", absl::StatusCode::kPermissionDenied,
     "grant etcd's user a role that reads and writes the keys below --etcd_prefix", true, Remedy::kNone},
    {"etcdserver: corrupt cluster", absl::StatusCode::kDataLoss, "etcd's members differ (alarm CORRUPT)", false,
     Remedy::kNone},
};

std::string TextOf(absl::string_view message, absl::string_view advice) {
  return advice.empty() ? absl::StrCat("etcd: ", message) : absl::StrCat(advice, " (", message, ")");
}

}  // namespace

EtcdError EtcdErrorOf(const grpc::Status& error) {
  HAPAX_CHECK(!error.ok(), "only errors are judged");
  const std::string message = error.error_message();
  for (const KnownError& known : kKnownErrors) {
    if (!absl::StartsWith(message, known.text)) continue;
    return {absl::Status(known.code, TextOf(message, known.advice)), known.had_no_effect, known.remedy};
  }
  // Also of what stands between, such as a proxy with rules of its own. Who refuses the caller has not begun.
  if (error.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    return {absl::PermissionDeniedError(TextOf(message, "")), /*had_no_effect=*/true, Remedy::kNone};
  }
  if (error.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
    return {absl::UnauthenticatedError(TextOf(message, "")), /*had_no_effect=*/true, Remedy::kNewToken};
  }
  return {absl::UnavailableError(TextOf(message, "")), /*had_no_effect=*/false, Remedy::kOtherMember};
}

}  // namespace hapax
