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

// The three ways in which most verbs send their request. Each reports how the call ended, prints the reply, and returns
// the exit code.

// For a method that changes something; adds the token to the request.
ExitCode MakeOnce(Session& session, google::protobuf::Message& request);

// For any other method.
ExitCode Ask(Session& session, const google::protobuf::Message& request);

// For a method that lists page by page, as in AIP-158.
struct Paging {
  int32_t page_size = 0;  // 0: the server's default.
  int32_t max_items = 0;  // 0: all.
  std::string starting_token;
};
void AddPaging(CLI::App& app, Paging& paging);
// Returns all pages as one reply. With --max-items, its next_page_token is the --starting-token that continues it.
[[nodiscard]] Answer FetchPages(Session& session, google::protobuf::Message& request, const Paging& paging);

// Makes the action of a verb that sends the request filled in by `add_flags`.
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
    const ExitCode code = session.ReportEnd(session.verb(), answer);
    return code == ExitCode::kDone ? session.Print(*answer.reply) : code;
  };
}

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_CALLS_H_
