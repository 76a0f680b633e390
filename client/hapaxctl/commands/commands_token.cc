#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/hapaxctl/v1/output.pb.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax::ctl {
namespace {

using hapaxctl::v1::TokenView;
using idempotency::v1::AbandonTokenRequest;
using idempotency::v1::AbandonTokenResponse;
using idempotency::v1::GetTokenRequest;
using idempotency::v1::GetTokenResponse;
using idempotency::v1::ListTokensRequest;
using idempotency::v1::Token;

// The token with a readable reply; a reply of an unknown type is omitted.
TokenView ViewOf(const Token& token) {
  Token rest = token;
  rest.clear_reply_type();
  rest.clear_reply();
  TokenView view;
  view.ParseFromString(rest.SerializeAsString());
  const auto* const type = FindMessageType(*google::protobuf::DescriptorPool::generated_pool(), token.reply_type());
  if (type == nullptr) return view;
  view.mutable_reply()->set_type_url(absl::StrCat("type.googleapis.com/", token.reply_type()));
  view.mutable_reply()->set_value(token.reply());
  return view;
}

void AddToken(CLI::App& app, std::string& token, std::string& zone) {
  const auto take = [&token](const std::string& text) {
    token = text;
    return CheckClientToken(text);
  };
  AddValue(app, "TOKEN", "", take, "The client token")->required();
  AddText(app, "--availability-zone", zone, "Zone of a call that named a zone or a subnet");
}

// A token that can no longer be abandoned is not an error: the state and a line say so.
void SayWhetherAbandoned(const Session& session, const Token& token) {
  const bool abandoned = token.state() == idempotency::v1::TOKEN_STATE_ABANDONED;
  Say(absl::StrCat(session.verb(), ": ",
                   abandoned ? "abandoned: nothing was executed with it, and nothing will be"
                             : "too late: it was executed before, and that stays"));
}

}  // namespace

Action BindTokenGet(CLI::App& verb) {
  const auto request = std::make_shared<GetTokenRequest>();
  AddToken(verb, *request->mutable_client_token(), *request->mutable_availability_zone());
  return [request](Session& session) {
    const Answer answer = session.Call(*request);
    const ExitCode code = session.ReportEnd(session.verb(), answer);
    if (code != ExitCode::kDone) return code;
    return session.Print(ViewOf(static_cast<const GetTokenResponse&>(*answer.reply).token()));
  };
}

Action BindTokenAbandon(CLI::App& verb) {
  const auto request = std::make_shared<AbandonTokenRequest>();
  AddToken(verb, *request->mutable_client_token(), *request->mutable_availability_zone());
  return [request](Session& session) {
    const Answer answer = session.Call(*request);
    if (!answer.status.ok()) return session.ReportEnd(session.verb(), answer);
    const Token& token = static_cast<const AbandonTokenResponse&>(*answer.reply).token();
    SayWhetherAbandoned(session, token);
    return session.Print(ViewOf(token));
  };
}

Action BindTokenList(CLI::App& verb) {
  return Listing<ListTokensRequest>(verb, [](CLI::App& app, ListTokensRequest& request) {
    AddText(app, "--client-token", *request.mutable_client_token(), "Only this one, in whichever scope");
  });
}

Action BindTokenPolicy(CLI::App& verb) {
  using Request = idempotency::v1::GetPolicyRequest;
  return Asking<Request>(verb, [](CLI::App&, Request&) {});
}

}  // namespace hapax::ctl
