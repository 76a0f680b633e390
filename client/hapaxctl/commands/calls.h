#ifndef HAPAX_CLIENT_HAPAXCTL_COMMANDS_CALLS_H_
#define HAPAX_CLIENT_HAPAXCTL_COMMANDS_CALLS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "google/protobuf/message.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/commands/session.h"

namespace hapax::ctl {

// The three ways in which most verbs use their request. Each says how the call ended, prints the reply, and returns the
// exit code.

// Of a method that changes something: the request gets its token.
ExitCode MakeOnce(Session& session, google::protobuf::Message& request);

// Of any other method.
ExitCode Ask(Session& session, const google::protobuf::Message& request);

// Of a method that lists, page by page, as in AIP-158.
struct Paging {
  int32_t page_size = 0;  // 0 for the server's.
  int32_t max_items = 0;  // 0 for all.
  std::string starting_token;
};
void AddPaging(CLI::App& app, Paging& paging);
// All pages as one reply; with --max-items, its next_page_token is where --starting-token goes on.
[[nodiscard]] Answer FetchPages(Session& session, google::protobuf::Message& request, const Paging& paging);

// The verb that makes this call with what `add_flags` put into the request.
template <typename Request, typename AddFlags>
Action Making(CLI::App& verb, AddFlags add_flags) {
  const auto request = std::make_shared<Request>();
  add_flags(verb, *request);
  return [request](Session& session) { return MakeOnce(session, *request); };
}
template <typename Request, typename AddFlags>
Action Asking(CLI::App& verb, AddFlags add_flags) {
  const auto request = std::make_shared<Request>();
  add_flags(verb, *request);
  return [request](Session& session) { return Ask(session, *request); };
}
template <typename Request, typename AddFlags>
Action Listing(CLI::App& verb, AddFlags add_flags) {
  const auto state = std::make_shared<std::pair<Request, Paging>>();
  add_flags(verb, state->first);
  AddPaging(verb, state->second);
  return [state](Session& session) {
    const Answer answer = FetchPages(session, state->first, state->second);
    const ExitCode code = session.Conclude(session.verb(), answer);
    return code == ExitCode::kDone ? session.Print(*answer.reply) : code;
  };
}

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_CALLS_H_
