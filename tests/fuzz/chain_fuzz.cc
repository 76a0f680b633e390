// Calls through the whole chain, each of them made twice with the same bytes and headers, while instances boot, stop
// and shut down in between: what succeeded under a token is replayed byte for byte, what failed leaves nothing, and
// nothing is the server's fault. In the end everything is given back, and all of the quota can be had again.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "hapax/base/check.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/format.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/fuzz/chain_input.h"
#include "hapax/tests/fuzz/fuzz_call.h"
#include "hapax/tests/fuzz/fuzz_server.h"
#include "hapax/tests/fuzz/left_behind.h"

namespace hapax {
namespace {

using external::longrunning::Operation;
using google::protobuf::Message;

bool ListsPages(const Method& method) {
  return method.reply->GetDescriptor()->FindFieldByName("next_page_token") != nullptr;
}

struct Call {
  const Method* method = nullptr;
  std::string bytes;
  FuzzCall::Headers headers;
  // Before the call: time passes, and open work is finished.
  absl::Duration pause;
  bool finishes_work = false;
  // Open work is finished between the call and its retry.
  bool finishes_work_between = false;
};

struct Answer {
  absl::StatusOr<std::string> reply;
  std::optional<Outcome> outcome;
};

FuzzServer& Server() {
  static FuzzServer server;
  return server;
}

Call CallOf(const InputCall& input) {
  // Less than a token's retention, more, and more than its tombstone's.
  static constexpr absl::Duration kPauses[] = {absl::ZeroDuration(), absl::Hours(1), absl::Hours(25),
                                               absl::Hours(24 * 40)};
  static constexpr const char* kHeaders[] = {"x-client-token", "idempotency-key", "x-client-token"};
  const auto& methods = Server().methods();
  Call call{.method = methods[input.method % methods.size()],
            .bytes = input.request,
            .pause = kPauses[input.pause()],
            .finishes_work = input.finishes_work(),
            .finishes_work_between = input.finishes_work_between()};
  for (int i = 0; i < InputCall::kTokenHeaders; ++i) {
    if (input.has_header(i)) call.headers.emplace(kHeaders[i], input.headers[i]);
  }
  return call;
}

// Nobody can make up a page token: `next` stands for that of the last list.
void FillInPageToken(Call& call, const std::string& page_token) {
  if (!ListsPages(*call.method)) return;
  const std::unique_ptr<Message> request(call.method->request->New());
  const auto& field = *request->GetDescriptor()->FindFieldByName("page_token");
  if (!request->ParseFromString(call.bytes) || request->GetReflection()->GetString(*request, &field) != "next") return;
  request->GetReflection()->SetString(request.get(), &field, page_token);
  call.bytes = request->SerializeAsString();
}

std::string PageTokenOf(const Method& method, const std::string& bytes) {
  const std::unique_ptr<Message> reply(method.reply->New());
  HAPAX_CHECK(reply->ParseFromString(bytes), "a reply is of its type");
  return reply->GetReflection()->GetString(*reply, reply->GetDescriptor()->FindFieldByName("next_page_token"));
}

// Making an RSA key takes longer than all the rest.
bool MakesRsaKey(const Call& call) {
  compute::v1::CreateKeypairRequest request;
  return call.method->request->GetDescriptor() == compute::v1::CreateKeypairRequest::descriptor() &&
         request.ParseFromString(call.bytes) && request.key_type() == compute::v1::KEY_TYPE_RSA;
}

Answer Make(const Call& call) {
  // So that a reply that is made again, with a later time, is not that of before.
  Server().clock().Advance(absl::Milliseconds(1));
  FuzzCall attempt(*call.method, call.bytes, call.headers);
  Server().chain().Run(attempt);
  return {.reply = attempt.reply(), .outcome = attempt.outcome};
}

// Two serialized messages may differ and be the same, as the entries of a map have no order.
std::string InOneOrder(const Method& method, const std::string& bytes) {
  const std::unique_ptr<Message> reply(method.reply->New());
  HAPAX_CHECK(reply->ParseFromString(bytes), "a reply is of its type");
  std::string ordered;
  google::protobuf::io::StringOutputStream stream(&ordered);
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  HAPAX_CHECK(reply->SerializeToCodedStream(&output), "what was parsed can be serialized");
  output.Trim();
  return ordered;
}

void CheckRefusal(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  HAPAX_CHECK(reason.has_value(), status.ToString().c_str());
  switch (*reason) {
    case Reason::kInternal:
    case Reason::kTokenRecordCorrupt:
    case Reason::kTokenStoreUnavailable:
    case Reason::kOverloaded:
      HAPAX_CHECK(false, status.ToString().c_str());
    default:
      break;
  }
}

// What a call and its retry found, and what they left.
struct Pair {
  const Method& method;
  MemoryStore::Tables before;
  Answer first;
  MemoryStore::Tables after_first;
  bool finished_work = false;        // In between, if there was any.
  MemoryStore::Tables before_retry;  // As after_first, if there was none.
  Answer retry;
  MemoryStore::Tables after_retry;
};

const MemoryStore::Rows& TokensIn(const MemoryStore::Tables& tables) {
  return tables[static_cast<int>(Table::kTokens)];
}

// When each token of this input was executed, by the key of its record; of one that was abandoned, the infinite future.
using TokenTimes = std::map<std::string, absl::Time>;

// The key of the one record that a call left; nullopt if it left none.
std::optional<std::string> ChangedRecord(const Pair& pair) {
  const MemoryStore::Rows& before = TokensIn(pair.before);
  std::optional<std::string> found;
  for (const auto& [key, value] : TokensIn(pair.after_first)) {
    const auto row = before.find(key);
    if (row != before.end() && row->second == value) continue;
    HAPAX_CHECK(!found.has_value(), "a call has one token");
    found = key;
  }
  return found;
}

// Whether a call left nothing but a tombstone in place of a record. Whoever is first told that a token has expired
// leaves one.
bool LeftATombstone(const Pair& pair) {
  const std::optional<std::string> key = ChangedRecord(pair);
  if (!key.has_value() || !TokensIn(pair.before).contains(*key)) return false;
  const std::string& row = TokensIn(pair.after_first).at(*key);
  store::v1::TokenRecord record;
  HAPAX_CHECK(DecodeRow(*key, row, &record).ok(), "what was written can be read");
  if (record.has_fingerprint() || record.has_abandoned_at()) return false;
  MemoryStore::Tables expected = pair.before;
  expected[static_cast<int>(Table::kTokens)][*key] = row;
  return pair.after_first == expected;
}

// A token is executed, or abandoned, once, until it is forgotten; one that was abandoned never is.
void NoteRecord(const Pair& pair, absl::Time time, TokenTimes& times) {
  // The default of --token_tombstone_retention.
  constexpr absl::Duration kRemembered = absl::Hours(24 * 30);
  const std::optional<std::string> key = ChangedRecord(pair);
  HAPAX_CHECK(key.has_value(), "what was executed, or abandoned, is recorded");
  const auto [known, is_first] = times.try_emplace(*key, time);
  HAPAX_CHECK(is_first || Server().clock().Now() - known->second > kRemembered, "a token is used once");
  known->second = time;
}

void CheckFailed(const Pair& pair) {
  CheckRefusal(pair.first.reply.status());
  HAPAX_CHECK(pair.after_first == pair.before || LeftATombstone(pair), "an error leaves nothing");
  if (pair.finished_work) return;
  HAPAX_CHECK(!pair.retry.reply.ok(), "nothing has changed since the error");
  HAPAX_CHECK(ReasonOf(pair.retry.reply.status()) == ReasonOf(pair.first.reply.status()), "nor has its reason");
}

// A read, or a mutation that is idempotent by its nature.
void CheckWithoutRule(const Pair& pair, TokenTimes& times) {
  if (pair.after_first != pair.before && !LeftATombstone(pair)) {
    HAPAX_CHECK(pair.method.mutate != nullptr, "a read changes nothing");
    NoteRecord(pair, absl::InfiniteFuture(), times);
  }
  HAPAX_CHECK(pair.after_retry == pair.before_retry, "nor does what is made again");
  if (pair.finished_work) return;
  HAPAX_CHECK(pair.retry.reply.ok(), pair.retry.reply.status().ToString().c_str());
  HAPAX_CHECK(InOneOrder(pair.method, *pair.retry.reply) == InOneOrder(pair.method, *pair.first.reply),
              "the same is the answer to the same");
}

void CheckUnprotected(const Pair& pair) {
  HAPAX_CHECK(TokensIn(pair.after_retry) == TokensIn(pair.before), "no token, no record");
  if (pair.retry.reply.ok()) return;
  CheckRefusal(pair.retry.reply.status());
  HAPAX_CHECK(pair.method.name != "hapax.compute.v1.Compute/TerminateInstances", "repeating it is harmless (C23)");
}

// A retry of a call that began an operation gets that operation, as it stands (C24).
void CheckCurrent(const Pair& pair) {
  Operation began;
  Operation now;
  HAPAX_CHECK(began.ParseFromString(*pair.first.reply) && now.ParseFromString(*pair.retry.reply), "it is an operation");
  HAPAX_CHECK(now.name() == began.name(), "a retry gets the operation that was begun");
  const bool is_work_open = !pair.after_retry[static_cast<int>(Table::kWork)].empty();
  HAPAX_CHECK(now.done() || is_work_open, "which is done when its work is");
  Call get{.method = &Server().MethodNamed("google.longrunning.Operations/GetOperation")};
  external::longrunning::GetOperationRequest request;
  request.set_name(began.name());
  get.bytes = request.SerializeAsString();
  const Answer current = Make(get);
  HAPAX_CHECK(current.reply.ok() && *current.reply == *pair.retry.reply, "as it stands");
}

void CheckProtected(const Pair& pair, TokenTimes& times) {
  if (*pair.first.outcome == Outcome::kExecuted) {
    NoteRecord(pair, Server().clock().Now(), times);
  } else {
    HAPAX_CHECK(pair.after_first == pair.before, "a replay changes nothing");
  }
  HAPAX_CHECK(pair.retry.reply.ok(), pair.retry.reply.status().ToString().c_str());
  HAPAX_CHECK(pair.retry.outcome == Outcome::kReplayed, "the same bytes are a retry");
  HAPAX_CHECK(pair.after_retry == pair.before_retry, "a retry changes nothing");
  if (pair.method.refresh != nullptr) return CheckCurrent(pair);
  HAPAX_CHECK(*pair.retry.reply == *pair.first.reply, "a retry gets the bytes of the first reply");
}

Pair MakeTwice(const Call& call) {
  Server().clock().Advance(call.pause);
  if (call.finishes_work) Server().FinishWork();
  MemoryStore::Tables before = Server().store().tables();
  Answer first = Make(call);
  Pair pair{.method = *call.method,
            .before = std::move(before),
            .first = std::move(first),
            .after_first = Server().store().tables(),
            .retry = {.reply = absl::UnknownError("not made yet")}};
  if (call.finishes_work_between) Server().FinishWork();
  pair.before_retry = Server().store().tables();
  pair.finished_work = pair.before_retry != pair.after_first;
  pair.retry = Make(call);
  pair.after_retry = Server().store().tables();
  return pair;
}

void Check(const Pair& pair, TokenTimes& times) {
  if (!pair.first.reply.ok()) return CheckFailed(pair);
  if (!pair.method.rule.has_value()) return CheckWithoutRule(pair, times);
  HAPAX_CHECK(pair.first.outcome.has_value(), "a mutation has an outcome");
  if (*pair.first.outcome == Outcome::kUnprotected) return CheckUnprotected(pair);
  CheckProtected(pair, times);
}

}  // namespace
}  // namespace hapax

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  Server().Reset();
  std::string page_token;
  TokenTimes times;
  for (const InputCall& input : ParseCalls(data, size, kMaxInputCalls)) {
    Call call = CallOf(input);
    FillInPageToken(call, page_token);
    if (MakesRsaKey(call)) continue;
    const Pair pair = MakeTwice(call);
    Check(pair, times);
    if (ListsPages(*call.method) && pair.first.reply.ok()) page_token = PageTokenOf(*call.method, *pair.first.reply);
  }
  if (!Server().IsUntouched()) CheckAllComesBack(Server());
  return 0;
}
