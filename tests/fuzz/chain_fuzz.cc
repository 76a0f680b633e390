// Calls through the whole chain, each of them made twice with the same bytes and headers: what succeeded under a token
// is replayed byte for byte, what failed fails alike and leaves no token, and nothing is the server's fault.
#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/check.h"
#include "hapax/tests/fuzz/fuzz_call.h"
#include "hapax/tests/fuzz/fuzz_server.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax {
namespace {

constexpr int kMaxCalls = 5;
constexpr size_t kIdDigits = 17;

struct Call {
  const Method* method = nullptr;
  std::string bytes;
  FuzzCall::Headers headers;
};

struct Answer {
  absl::StatusOr<std::string> reply;
  std::optional<Outcome> outcome;
};

// Ids are drawn when a call is made, so an input cannot know them. It writes `i-` and sixteen question marks and a
// digit n for the n-th id of that prefix that a reply named, likewise `h-` and the rest.
class Ids {
 public:
  void Learn(const std::string& reply) {
    for (size_t at = 0; at + 2 + kIdDigits <= reply.size(); ++at) {
      const bool is_id = reply[at + 1] == '-' && CountDigits(reply, at + 2) == kIdDigits;
      if (is_id) known_[reply[at]].push_back(reply.substr(at, 2 + kIdDigits));
    }
  }
  void FillIn(std::string& bytes) const {
    const std::string blank = "-" + std::string(kIdDigits - 1, '?');
    for (size_t at = bytes.find(blank); at != std::string::npos; at = bytes.find(blank, at + 1)) {
      if (at == 0 || at + blank.size() >= bytes.size()) continue;
      const auto ids = known_.find(bytes[at - 1]);
      const size_t wanted = static_cast<unsigned char>(bytes[at + blank.size()]) - '0';
      if (ids != known_.end() && wanted < ids->second.size()) bytes.replace(at - 1, 2 + kIdDigits, ids->second[wanted]);
    }
  }

 private:
  static size_t CountDigits(const std::string& text, size_t from) {
    size_t count = 0;
    while (count < kIdDigits && std::isxdigit(static_cast<unsigned char>(text[from + count])) != 0) ++count;
    return count;
  }
  std::map<char, std::vector<std::string>> known_;
};

FuzzServer& Server() {
  static FuzzServer server;
  return server;
}

Call TakeCall(Input& input, const std::string& tenant) {
  const auto& methods = Server().methods();
  Call call{.method = methods[input.Byte() % methods.size()]};
  const int headers = input.Byte();
  if ((headers & 1) != 0) call.headers.emplace("x-client-token", input.String());
  if ((headers & 2) != 0) call.headers.emplace("idempotency-key", input.String());
  if ((headers & 4) != 0) call.headers.emplace("x-client-token", input.String());
  call.headers.emplace("x-tenant-id", tenant);
  call.bytes = input.LongString();
  return call;
}

// Making an RSA key takes longer than all the rest.
bool MakesRsaKey(const Call& call) {
  compute::v1::CreateKeypairRequest request;
  return call.method->request->GetDescriptor() == request.GetDescriptor() && request.ParseFromString(call.bytes) &&
         request.key_type() == compute::v1::KEY_TYPE_RSA;
}

Answer Make(const Call& call) {
  FuzzCall attempt(*call.method, call.bytes, call.headers);
  Server().chain().Run(attempt);
  return {.reply = attempt.reply(), .outcome = attempt.outcome};
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

void MakeTwice(const Call& call, const std::string& tenant, Ids& ids) {
  const size_t tokens_before = Server().TokensOf(tenant);
  const Answer first = Make(call);
  const size_t tokens = Server().TokensOf(tenant);
  const Answer second = Make(call);
  if (!first.reply.ok()) {
    CheckRefusal(first.reply.status());
    HAPAX_CHECK(tokens == tokens_before, "an error leaves no token");
    HAPAX_CHECK(!second.reply.ok(), "nothing has changed since the error");
    HAPAX_CHECK(ReasonOf(second.reply.status()) == ReasonOf(first.reply.status()), "nor has its reason");
    return;
  }
  ids.Learn(*first.reply);
  if (!call.method->rule.has_value()) return;
  HAPAX_CHECK(first.outcome.has_value(), "a mutation has an outcome");
  if (*first.outcome == Outcome::kUnprotected) {
    HAPAX_CHECK(tokens == tokens_before, "no token, no record");
    if (!second.reply.ok()) CheckRefusal(second.reply.status());
    return;
  }
  HAPAX_CHECK(tokens == tokens_before + (*first.outcome == Outcome::kExecuted ? 1 : 0),
              "what was executed is recorded");
  HAPAX_CHECK(second.reply.ok(), second.reply.status().ToString().c_str());
  HAPAX_CHECK(second.outcome == Outcome::kReplayed, "the same bytes are a retry");
  HAPAX_CHECK(*second.reply == *first.reply, "a retry gets the bytes of the first reply");
  HAPAX_CHECK(Server().TokensOf(tenant) == tokens, "a replay leaves nothing more");
}

}  // namespace
}  // namespace hapax

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  static uint64_t inputs = 0;
  // What earlier inputs left is other tenants'.
  const std::string tenant = absl::StrCat("tenant-", ++inputs);
  Input input(data, size);
  Ids ids;
  for (int i = 0; i < kMaxCalls && !input.AtEnd(); ++i) {
    Call call = TakeCall(input, tenant);
    ids.FillIn(call.bytes);
    if (!MakesRsaKey(call)) MakeTwice(call, tenant, ids);
  }
  return 0;
}
