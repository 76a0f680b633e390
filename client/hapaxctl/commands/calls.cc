#include "hapax/client/hapaxctl/commands/calls.h"

#include <algorithm>

#include "hapax/client/hapaxctl/flags/flags.h"

namespace hapax::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int32_t kMaxPageSize = 1000;

const FieldDescriptor& FieldOf(const Message& message, const char* name) {
  return *message.GetDescriptor()->FindFieldByName(name);
}

std::string TextOf(const Message& message, const char* name) {
  return message.GetReflection()->GetString(message, &FieldOf(message, name));
}

void SetText(Message& message, const char* name, const std::string& text) {
  message.GetReflection()->SetString(&message, &FieldOf(message, name), text);
}

// The number of listed items: a reply has one list.
int32_t ItemsIn(const Message& reply) {
  for (int i = 0; i < reply.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const field = reply.GetDescriptor()->field(i);
    if (field->is_repeated()) return reply.GetReflection()->FieldSize(reply, field);
  }
  return 0;
}

ExitCode PrintAnswer(Session& session, const Answer& answer) {
  const ExitCode code = session.ReportEnd(session.verb(), answer);
  return answer.reply == nullptr ? code : Worst(code, session.Print(*answer.reply));
}

}  // namespace

ExitCode MakeOnce(Session& session, Message& request) {
  const absl::StatusOr<std::string> token = session.DecideToken(TextOf(request, "client_token"));
  if (!token.ok()) return session.Fail(token.status());
  SetText(request, "client_token", *token);
  ExitCode code = ExitCode::kOpen;
  session.CallAndHandOver(request, absl::InfiniteDuration(), [&](const Answer& answer) {
    code = PrintAnswer(session, answer);
    return code != ExitCode::kOpen;
  });
  return code;
}

ExitCode Ask(Session& session, const Message& request) { return PrintAnswer(session, session.Call(request)); }

void AddPaging(CLI::App& app, Paging& paging) {
  AddNumber(
      app, "--page-size", 1, kMaxPageSize, [&paging](int32_t n) { paging.page_size = n; },
      "Items asked for at a time; all pages are fetched in any case");
  AddNumber(
      app, "--max-items", 1, INT32_MAX, [&paging](int32_t n) { paging.max_items = n; },
      "At most so many; the result says where to go on");
  AddText(app, "--starting-token", paging.starting_token, "Where to go on: the nextPageToken of a result that stopped");
}

Answer FetchPages(Session& session, Message& request, const Paging& paging) {
  std::unique_ptr<Message> all;
  std::string next = paging.starting_token;
  int32_t items = 0;
  do {
    int32_t size = paging.page_size;
    if (paging.max_items > 0) size = std::min(size == 0 ? kMaxPageSize : size, paging.max_items - items);
    request.GetReflection()->SetInt32(&request, &FieldOf(request, "page_size"), size);
    SetText(request, "page_token", next);
    Answer page = session.Call(request);
    if (!page.status.ok()) return page;
    if (all == nullptr) all.reset(page.reply->New());
    all->MergeFrom(*page.reply);
    next = TextOf(*page.reply, "next_page_token");
    items += ItemsIn(*page.reply);
  } while (!next.empty() && (paging.max_items == 0 || items < paging.max_items));
  SetText(*all, "next_page_token", next);
  return {.reply = std::move(all)};
}

}  // namespace hapax::ctl
