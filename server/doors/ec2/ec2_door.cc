#include "hapax/server/doors/ec2/ec2_door.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/random_name.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/server/doors/ec2/actions.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/doors/ec2/exchange.h"
#include "hapax/server/doors/ec2/parameters.h"
#include "hapax/server/doors/ec2/signature.h"
#include "hapax/server/http/form.h"

namespace hapax::ec2 {
namespace {

constexpr size_t kMaxPairs = 20'000;
constexpr char kInvocationId[] = "amz-sdk-invocation-id";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// As EC2 writes them: a random UUID.
std::string NewRequestId() {
  std::string id = absl::BytesToHexString(RandomName());
  id[12] = '4';
  id[16] = 'a';
  for (const size_t place : {8, 13, 18, 23}) id.insert(place, "-");
  return id;
}

bool IsUuid(std::string_view text) {
  constexpr size_t kLength = 36;
  if (text.size() != kLength) return false;
  for (size_t i = 0; i < kLength; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

// What says who calls, or which form the request has, and not what is to be done.
bool IsOfEnvelope(std::string_view name) {
  for (const std::string_view other : {"Action", "Version", "AWSAccessKeyId", "Signature", "SignatureVersion",
                                       "SignatureMethod", "Timestamp", "Expires", "SecurityToken"}) {
    if (name == other) return true;
  }
  return absl::StartsWith(View(name), "X-Amz-");
}

absl::StatusOr<FormPairs> ParsePairs(std::string_view text) {
  if (static_cast<size_t>(std::count(text.begin(), text.end(), '&')) > kMaxPairs) {
    return RefuseWith("RequestTooLarge", absl::StrCat("a request has at most ", kMaxPairs, " parameters"));
  }
  absl::StatusOr<FormPairs> pairs = ParseForm(text);
  if (!pairs.ok()) return RefuseWith("MalformedQueryString", std::string(pairs.status().message()));
  return pairs;
}

absl::StatusOr<FormPairs> ParseBody(const HttpRequest& request) {
  if (request.body.empty()) return FormPairs();
  const std::string type = absl::AsciiStrToLower(View(request.Header("content-type").value_or("")));
  if (!type.empty() && !absl::StartsWith(type, "application/x-www-form-urlencoded")) {
    return RefuseWith("InvalidRequest", "Content-Type must be application/x-www-form-urlencoded");
  }
  return ParsePairs(request.body);
}

std::string FirstOf(const FormPairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [name](const auto& pair) { return pair.first == name; });
  return found == pairs.end() ? "" : found->second;
}

void Copy(const HttpRequest& request, std::string_view name, HttpHeaders& metadata) {
  for (const auto& [header, value] : request.headers) {
    if (header == name) metadata.emplace_back(header, value);
  }
}

HttpHeaders TokenMetadata(const HttpRequest& request) {
  HttpHeaders metadata;
  Copy(request, "x-client-token", metadata);
  Copy(request, "idempotency-key", metadata);
  if (!request.prefix_token.empty()) metadata.emplace_back("x-client-token", request.prefix_token);
  return metadata;
}

// DryRun never executes: it tells whether the request is well formed and its caller known.
void RunDry(const std::shared_ptr<Exchange>& exchange) {
  compute::v1::DescribeAvailabilityZonesRequest request;
  request.set_page_size(1);
  exchange->Call<compute::v1::DescribeAvailabilityZonesResponse>(
      "hapax.compute.v1.Compute/DescribeAvailabilityZones", std::move(request),
      [exchange](const absl::StatusOr<compute::v1::DescribeAvailabilityZonesResponse>& response) {
        if (!response.ok()) return exchange->Fail(response.status());
        exchange->Fail(RefuseWith("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412));
      });
}

}  // namespace

// A request as far as it was read.
struct Ec2Door::Read {
  const HttpRequest& request;
  FormPairs query;
  FormPairs body;
  std::string action_name;
  const Action* action = nullptr;
  Caller caller;
  std::string region;
  TokenSources tokens;
  bool is_dry = false;
  Plan plan;
};

absl::StatusOr<std::unique_ptr<Ec2Door>> Ec2Door::Create(Ec2Options options, const compute::Catalog& catalog,
                                                         const TimeSource& clock) {
  std::unique_ptr<AccessKeyRing> keys;
  if (!options.access_keys_file.empty()) {
    HAPAX_ASSIGN_OR_RETURN(keys, AccessKeyRing::OpenFile(options.access_keys_file));
  }
  return std::unique_ptr<Ec2Door>(new Ec2Door(std::move(options), catalog, clock, std::move(keys)));
}

bool Ec2Door::IsFor(const HttpRequest& request) const {
  if (request.path != "/") return false;
  if (request.method == "POST") return true;
  return request.method == "GET" &&
         (absl::StartsWith(request.query, "Action=") || absl::StrContains(request.query, "&Action="));
}

absl::Status Ec2Door::Identify(Read& read) const {
  const SignedRequest signed_request{.request = read.request, .query = read.query, .body = read.body};
  HAPAX_ASSIGN_OR_RETURN(const std::optional<Signature> signature, SignatureOf(signed_request));
  const bool names_region = signature.has_value() && catalog_.HasRegion(signature->region);
  read.region = names_region ? signature->region : options_.default_region;

  const std::string id = signature.has_value() ? signature->access_key_id : FirstOf(read.query, "AWSAccessKeyId");
  if (signature.has_value() && keys_ != nullptr) {
    if (const std::optional<AccessKey> key = keys_->Find(id); key.has_value()) {
      HAPAX_RETURN_IF_ERROR(Verify(*signature, signed_request, key->secret, clock_.Now()));
      read.caller.principal = key->principal;
      return absl::OkStatus();
    }
  }
  switch (options_.auth) {
    case Auth::kNone:
      Copy(read.request, "x-tenant-id", read.caller.metadata);
      if (read.caller.metadata.empty() && IsTenantName(id)) read.caller.metadata.emplace_back("x-tenant-id", id);
      return absl::OkStatus();
    case Auth::kCertificate:
      return absl::OkStatus();
    case Auth::kApiKey:
      break;
  }
  std::string api_key(read.request.Header("x-amz-security-token").value_or(""));
  if (api_key.empty()) api_key = FirstOf(read.query, "X-Amz-Security-Token");
  if (api_key.empty()) api_key = FirstOf(read.query, "SecurityToken");
  if (api_key.empty()) api_key = FirstOf(read.body, "SecurityToken");
  if (!api_key.empty()) {
    read.caller.metadata.emplace_back("authorization", absl::StrCat("Bearer ", api_key));
    return absl::OkStatus();
  }
  if (signature.has_value()) {
    return RefuseWith("AuthFailure",
                      "The access key id is not known, and there is no session token with an API key "
                      "(AWS_SESSION_TOKEN)",
                      401);
  }
  Copy(read.request, "authorization", read.caller.metadata);
  Copy(read.request, "x-api-key", read.caller.metadata);
  return absl::OkStatus();
}

absl::Status Ec2Door::ReadRequest(Read& read) const {
  HAPAX_ASSIGN_OR_RETURN(read.query, ParsePairs(read.request.query));
  HAPAX_ASSIGN_OR_RETURN(read.body, ParseBody(read.request));
  read.action_name = FirstOf(read.query, "Action");
  if (read.action_name.empty()) read.action_name = FirstOf(read.body, "Action");
  HAPAX_RETURN_IF_ERROR(Identify(read));

  if (read.action_name.empty()) {
    return RefuseWith("MissingAction", "The request must contain the parameter Action");
  }
  read.action = FindAction(read.action_name);
  if (read.action == nullptr) {
    return RefuseWith("InvalidAction", "The action is not valid for this web service");
  }
  FormPairs pairs = read.query;
  pairs.insert(pairs.end(), read.body.begin(), read.body.end());
  HAPAX_ASSIGN_OR_RETURN(Parameters parameters, Parameters::Of(std::move(pairs)));
  parameters.Drop(IsOfEnvelope);
  HAPAX_ASSIGN_OR_RETURN(read.is_dry, parameters.TakeFlag("DryRun", false));
  const std::optional<Principal>& principal = read.caller.principal;
  if (read.is_dry && read.action->mutates && principal.has_value() && principal->role == Role::kRead) {
    return RefuseWith("UnauthorizedOperation", "The access key may not call this action", 403);
  }
  if (read.action->mutates) {
    read.tokens = {.parameter = parameters.Take("ClientToken").value_or(""), .metadata = TokenMetadata(read.request)};
    const std::string_view invocation = read.request.Header(kInvocationId).value_or("");
    if (options_.invocation_id_tokens && read.tokens.parameter.empty() && read.tokens.metadata.empty() &&
        IsUuid(invocation)) {
      read.tokens.metadata.emplace_back("x-client-token", invocation);
    }
  }
  HAPAX_ASSIGN_OR_RETURN(read.plan, read.action->plan(parameters, {.catalog = catalog_, .region = read.region}));
  return parameters.Finish();
}

void Ec2Door::Serve(const HttpRequest& request, DoorCalls& calls, Done done) const {
  std::string request_id = NewRequestId();
  Read read{.request = request};
  if (const absl::Status status = ReadRequest(read); !status.ok()) {
    return std::move(done)(ErrorReply(ToEc2Error(status, read.action_name), request_id));
  }
  const auto exchange = std::make_shared<Exchange>(Exchange::Parts{.request = request,
                                                                   .calls = calls,
                                                                   .done = std::move(done),
                                                                   .action = read.action_name,
                                                                   .request_id = std::move(request_id),
                                                                   .caller = std::move(read.caller),
                                                                   .tokens = std::move(read.tokens),
                                                                   .mutates = read.action->mutates});
  if (read.is_dry) return RunDry(exchange);
  std::move(read.plan)(exchange);
}

}  // namespace hapax::ec2
