// Requests of EC2's API: one reply each, of well-formed XML, whatever the calls behind it answer; and no call that the
// request does not ask for.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"
#include "hapax/base/check.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/ec2/access_keys.h"
#include "hapax/server/doors/ec2/ec2_door.h"
#include "hapax/server/doors/ec2/xml.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax::ec2 {
namespace {

constexpr int kMaxCalls = 40;

// Answers calls by the input.
class FuzzedCalls final : public DoorCalls {
 public:
  explicit FuzzedCalls(std::string answers) : answers_(std::move(answers)) {}

  void Run(const HttpRequest& /*origin*/, DoorCall call, Done done) override {
    static const compute::v1::RunInstancesRequest linked;  // So that the descriptors are there.
    std::string name(call.method);
    const auto* const method =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(absl::StrReplaceAll(name, {{"/", "."}}));
    HAPAX_CHECK(method != nullptr, "a door calls methods that there are");
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<google::protobuf::Message> request(factory.GetPrototype(method->input_type())->New());
    HAPAX_CHECK(request->ParseFromString(call.request), "a door's request can be read");
    mutations += method->options().idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS ? 1 : 0;
    has_principal |= call.principal.has_value();
    Input input(reinterpret_cast<const uint8_t*>(answers_.data()), answers_.size());
    const uint8_t kind = input.Byte();
    std::string reply = input.LongString();
    answers_ = input.Rest();
    if (++calls > kMaxCalls || kind < 64) {
      return std::move(done)({.reply = Refuse(AllReasons()[kind % AllReasons().size()].reason, reply)});
    }
    std::move(done)({.reply = std::move(reply), .outcome = static_cast<Outcome>(kind % 3)});
  }

  int calls = 0;
  int mutations = 0;
  bool has_principal = false;

 private:
  std::string answers_;
};

// Whether it is one element with elements and texts in it, and nothing else.
bool IsXml(std::string_view text) {
  constexpr std::string_view kProlog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  if (!text.starts_with(kProlog) || !IsXmlText(text)) return false;
  text.remove_prefix(kProlog.size());
  std::vector<std::string_view> open;
  do {
    if (text.empty()) return false;
    if (text[0] != '<') {
      const size_t end = text.find('<');
      if (end == std::string_view::npos || text.substr(0, end).find('>') != std::string_view::npos) return false;
      text.remove_prefix(end);
      continue;
    }
    const size_t end = text.find('>');
    if (end == std::string_view::npos) return false;
    const std::string_view tag = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  } while (!open.empty());
  return text.empty();
}

bool HasHeader(const HttpReply& reply, std::string_view name) {
  for (const auto& header : reply.headers) {
    if (header.first == name) return true;
  }
  return false;
}

void Check(const HttpReply& reply, const FuzzedCalls& calls) {
  HAPAX_CHECK(reply.content_type == "text/xml;charset=UTF-8" && IsXml(reply.body), "a reply is XML");
  HAPAX_CHECK(reply.status == 200 || (reply.status >= 400 && reply.status < 600), "a reply has a status");
  HAPAX_CHECK(reply.status == 200 || HasHeader(reply, "hapax-retry"), "an error tells what to do next");
  HAPAX_CHECK(!HasHeader(reply, "hapax-outcome") || calls.mutations > 0, "only a mutating call has an outcome");
  HAPAX_CHECK(reply.status != 412 || calls.mutations == 0, "a dry run changes nothing");
}

}  // namespace
}  // namespace hapax::ec2

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  using namespace hapax::ec2;
  static const compute::Catalog& catalog = *new compute::Catalog(compute::Catalog::BuiltIn());
  static const ManualClock& clock = *new ManualClock;
  static const Ec2Door& trusting = *Ec2Door::Create({}, catalog, clock).value().release();
  static const Ec2Door& by_key = *Ec2Door::Create({.auth = Auth::kApiKey}, catalog, clock).value().release();

  Input input(data, size);
  const uint8_t kind = input.Byte();
  HttpRequest request{.method = (kind & 1U) != 0 ? "GET" : "POST", .path = "/"};
  request.query = input.String();
  request.target = "/?" + request.query;
  request.headers = {{"host", "h"}, {"content-type", "application/x-www-form-urlencoded"}};
  if ((kind & 2U) != 0) request.headers.emplace_back("authorization", input.String());
  if ((kind & 4U) != 0) request.headers.emplace_back("x-client-token", input.String());
  if ((kind & 8U) != 0) request.prefix_token = input.String();
  request.body = input.LongString();
  FuzzedCalls calls(input.Rest());

  std::optional<HttpReply> reply;
  ((kind & 16U) != 0 ? by_key : trusting).Serve(request, calls, [&reply](HttpReply sent) {
    HAPAX_CHECK(!reply.has_value(), "a request has one reply");
    reply = std::move(sent);
  });
  HAPAX_CHECK(reply.has_value(), "a request has a reply");
  HAPAX_CHECK(!calls.has_principal, "nobody's signature is believed without access keys");
  Check(*reply, calls);

  const auto keys = AccessKeys::Parse(request.body);
  HAPAX_CHECK(keys.ok() || absl::IsInvalidArgument(keys.status()), "a wrong file is an invalid argument");
  return 0;
}
