#include "hapax/testing/repeated_handlers.h"

#include <any>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "hapax/storage/service_table.h"
#include "hapax/testing/repeat.h"

namespace hapax {
namespace {

using Message = google::protobuf::Message;

std::unique_ptr<Message> NewLike(const Message* message) {
  return std::unique_ptr<Message>(message == nullptr ? nullptr : message->New());
}

// Returns nullopt if the messages are equal, or one of them is absent.
std::optional<std::string> DifferenceOf(std::string_view what, const Message* first, const Message* second) {
  if (first == nullptr || second == nullptr) return std::nullopt;
  google::protobuf::util::MessageDifferencer differencer;
  std::string fields;
  differencer.ReportDifferencesToString(&fields);
  if (differencer.Compare(*first, *second)) return std::nullopt;
  return absl::StrCat(std::string(what), ", from a first run to a second one: ", fields);
}

// The results of one run outside its transaction.
struct Run {
  std::unique_ptr<Message> reply;
  std::unique_ptr<Message> defaults;  // Null if none are recorded.
};

absl::Status MutateTwice(const Method& method, CountedIds& ids, RepeatFindings& findings, const CallContext& context,
                         Transaction& txn, const Message& request, const std::any& prepared, Message* reply) {
  Run runs[2];
  const auto mutate = [&](Transaction& draft, int number) {
    Run& run = runs[number - 1];
    run.reply = NewLike(reply);
    run.defaults = NewLike(context.recorded_defaults);
    CallContext own = context;
    own.recorded_defaults = run.defaults.get();
    return method.mutate(own, draft, request, prepared, run.reply.get());
  };
  RepeatedRun repeated = RunTwice(txn, &ids, mutate, ServiceTablePrefix(method.descriptor->service()->full_name()));
  std::optional<std::string> difference = std::move(repeated.difference);
  if (!difference.has_value() && repeated.status.ok()) {
    difference = DifferenceOf("reply", runs[0].reply.get(), runs[1].reply.get());
  }
  if (!difference.has_value() && repeated.status.ok()) {
    difference = DifferenceOf("recorded defaults", runs[0].defaults.get(), runs[1].defaults.get());
  }
  if (difference.has_value()) {
    std::string finding = absl::StrCat(method.name, " is not repeatable: ", *difference);
    findings.Add(finding);
    return absl::InternalError(finding);
  }
  if (!repeated.status.ok()) return std::move(repeated.status);
  reply->CheckTypeAndMergeFrom(*runs[1].reply);
  if (context.recorded_defaults != nullptr) context.recorded_defaults->CheckTypeAndMergeFrom(*runs[1].defaults);
  return absl::OkStatus();
}

}  // namespace

Method RepeatedMethod(const Method& method, CountedIds& ids, RepeatFindings& findings) {
  // Names every member, so that a new one does not compile until it is passed on here.
  const auto& [name, descriptor, request, reply, rule, required_role, is_long_read, read, mutate, uses_sql, stream,
               serve, refresh, prepare, canonicalize] = method;
  Method repeated;
  repeated.name = name;
  repeated.descriptor = descriptor;
  repeated.request = request;
  repeated.reply = reply;
  repeated.rule = rule;
  repeated.required_role = required_role;
  repeated.is_long_read = is_long_read;
  if (read != nullptr) {
    repeated.read = [&method](const CallContext& context, const ReadTransaction& txn, const Message& asked,
                              Message* answer) { return method.read(context, txn, asked, answer); };
  }
  repeated.uses_sql = uses_sql;
  if (mutate != nullptr) {
    repeated.mutate = [&method, &ids, &findings](const CallContext& context, Transaction& txn, const Message& asked,
                                                 const std::any& prepared, Message* answer) {
      return MutateTwice(method, ids, findings, context, txn, asked, prepared, answer);
    };
  }
  if (stream != nullptr) {
    repeated.stream = [&method](const CallContext& context, const ReadTransaction& txn, const Message& asked,
                                std::string* cursor,
                                Message* answer) { return method.stream(context, txn, asked, cursor, answer); };
  }
  if (serve != nullptr) repeated.serve = [&method](UnaryCall& call) { method.serve(call); };
  if (refresh != nullptr) {
    repeated.refresh = [&method](const CallContext& context, const ReadTransaction& txn, std::string recorded) {
      return method.refresh(context, txn, std::move(recorded));
    };
  }
  if (prepare != nullptr) {
    repeated.prepare = [&method](const CallContext& context, const Message& asked) {
      return method.prepare(context, asked);
    };
  }
  if (canonicalize != nullptr) repeated.canonicalize = [&method](Message* asked) { method.canonicalize(asked); };
  return repeated;
}

absl::Status RepeatedDriver::Complete(const std::string& subject, const absl::Status& result, Transaction& txn) {
  // Both the transaction and the draft of each run belong to the service.
  const std::string_view prefix = dynamic_cast<ServiceTransaction&>(txn).prefix();
  RepeatedRun repeated = RunTwice(
      AllTables(txn), &ids_,
      [&](Transaction& draft, int /*run*/) {
        ServiceTransaction own(draft, prefix);
        return driver_.Complete(subject, result, own);
      },
      prefix);
  if (repeated.difference.has_value()) {
    findings_.Add(absl::StrCat("completing work of kind ", kind_, " is not repeatable: ", *repeated.difference));
  }
  return std::move(repeated.status);
}

}  // namespace hapax
