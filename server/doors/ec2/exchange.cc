#include "hapax/server/doors/ec2/exchange.h"

#include <atomic>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/digest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/ec2/ec2_error.h"

namespace hapax::ec2 {
namespace {

constexpr char kContentType[] = "text/xml;charset=UTF-8";
constexpr char kNamespace[] = " xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"";

// 43 characters that only this token, method and item give.
std::string Derived(std::string_view token, std::string_view method, std::string_view item) {
  const Sha256Digest digest =
      Sha256(absl::StrCat(std::string(token), "\n", std::string(method), "\n", std::string(item)));
  return absl::WebSafeBase64Escape(absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// The steps that are to come.
struct Steps : std::enable_shared_from_this<Steps> {
  std::function<void(size_t, absl::AnyInvocable<void()>)> step;
  size_t index = 0;

  void Run() {
    while (true) {
      // The second of the two that come here goes on: this loop, or the end of a step that took longer.
      const auto is_met = std::make_shared<std::atomic<bool>>(false);
      step(index, [self = shared_from_this(), is_met] {
        if (!is_met->exchange(true)) return;
        ++self->index;
        self->Run();
      });
      if (!is_met->exchange(true)) return;
      ++index;
    }
  }
};

}  // namespace

DoorCall Exchange::MakeCall(std::string_view method, google::protobuf::Message& request, std::string_view item) {
  DoorCall call{.method = method, .metadata = parts_.caller.metadata, .principal = parts_.caller.principal};
  const auto* const field = request.GetDescriptor()->FindFieldByName("client_token");
  if (field != nullptr && parts_.mutates) {
    const auto token_of = [&](const std::string& token) { return item.empty() ? token : Derived(token, method, item); };
    if (!parts_.tokens.parameter.empty()) {
      request.GetReflection()->SetString(&request, field, token_of(parts_.tokens.parameter));
    }
    for (const auto& [name, value] : parts_.tokens.metadata) call.metadata.emplace_back(name, token_of(value));
  }
  call.request = request.SerializeAsString();
  return call;
}

void Exchange::Run(DoorCall call, absl::AnyInvocable<void(absl::StatusOr<std::string>) &&> then) {
  parts_.calls.Run(parts_.request, std::move(call),
                   [self = shared_from_this(), then = std::move(then)](DoorReply reply) mutable {
                     self->Remember(reply.outcome);
                     std::move(then)(std::move(reply.reply));
                   });
}

void Exchange::Remember(std::optional<Outcome> outcome) {
  if (!outcome.has_value() || outcome_ == Outcome::kExecuted) return;
  if (!outcome_.has_value() || *outcome != Outcome::kReplayed) outcome_ = outcome;
}

HttpHeaders Exchange::Headers() const {
  HttpHeaders headers = {{"x-amzn-requestid", parts_.request_id}};
  if (told.has_value()) {
    headers.emplace_back("hapax-retry", WireName(ToEc2Error(*told, parts_.action, names_host).verdict));
  } else if (parts_.mutates && outcome_.has_value()) {
    headers.emplace_back("hapax-outcome", WireName(*outcome_));
    if (outcome_ == Outcome::kReplayed) headers.emplace_back("idempotent-replayed", "true");
  }
  return headers;
}

void Exchange::Reply(const std::function<void(XmlWriter&)>& render) {
  XmlWriter xml;
  xml.Open(absl::StrCat(parts_.action, "Response"), kNamespace);
  xml.Element("requestId", parts_.request_id);
  render(xml);
  std::move(parts_.done)(
      HttpReply{.content_type = kContentType, .headers = Headers(), .body = std::move(xml).Finish()});
}

void Exchange::Fail(const absl::Status& status) {
  std::move(parts_.done)(ErrorReply(ToEc2Error(status, parts_.action, names_host), parts_.request_id));
}

bool Exchange::IsGone() const { return parts_.request.is_gone != nullptr && parts_.request.is_gone->load(); }

HttpReply ErrorReply(const Ec2Error& error, const std::string& request_id) {
  return {.status = error.http_status,
          .content_type = kContentType,
          .headers = {{"x-amzn-requestid", request_id}, {"hapax-retry", std::string(WireName(error.verdict))}},
          .body = ErrorXml(error, request_id)};
}

void RunSteps(std::function<void(size_t index, absl::AnyInvocable<void()> next)> step) {
  const auto steps = std::make_shared<Steps>();
  steps->step = std::move(step);
  steps->Run();
}

}  // namespace hapax::ec2
