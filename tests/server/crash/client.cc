#include "hapax/tests/server/crash/client.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/tests/server/support/proto_text.h"

namespace hapax::compute {
namespace {

using external::longrunning::Operation;
using idempotency::v1::TokenState;

constexpr char kUnavailable[] = "TOKEN_STORE_UNAVAILABLE";
constexpr char kExpired[] = "CLIENT_TOKEN_EXPIRED";
constexpr char kAbandoned[] = "CLIENT_TOKEN_ABANDONED";

bool IsPower(const std::string& method) { return method == "StopInstance" || method == "StartInstance"; }

// How many instances, hosts, key pairs or operations the call makes.
int EffectsOf(const ScriptedCall& call) {
  if (call.method != "RunInstances") return 1;
  return FromText<v1::RunInstancesRequest>(call.request).min_count();
}

Operation OperationIn(const std::string& bytes) {
  Operation operation;
  EXPECT_TRUE(operation.ParseFromString(bytes));
  return operation;
}

// Calls until the store answers. It may find out late that an operation failed, and is then opened afresh.
ChainReply CallInTheEnd(const ComputeServer& server, const std::string& method,
                        const google::protobuf::Message& request) {
  const absl::Duration end = MonotonicNow() + absl::Minutes(1);
  while (true) {
    ChainReply reply = server.Call(method, request);
    if (reply.result != "TOKEN_STORE_UNAVAILABLE" || MonotonicNow() > end) return reply;
    std::this_thread::yield();
  }
}

}  // namespace

// How much there is of each token: of those that a resource names, and of operations by their name.
struct CrashClient::Effects {
  std::map<std::string, int> count;

  // Takes what the token has, so that in the end nothing may be left.
  int Take(const std::string& token) {
    const auto node = count.extract(token);
    return node.empty() ? 0 : node.mapped();
  }
};

std::unique_ptr<google::protobuf::Message> CrashClient::RequestOf(const ScriptedCall& call) const {
  std::string text = call.request;
  if (!call.token.empty()) absl::StrAppend(&text, " client_token: '", call.token, "'");
  if (!call.launch.empty()) {
    v1::RunInstancesResponse launched;
    EXPECT_TRUE(launched.ParseFromString(memories_.at(call.launch).reply.value()));
    const std::string field = IsPower(call.method) ? "instance_id" : "instance_ids";
    absl::StrAppend(&text, " ", field, ": '", launched.instances(0).instance_id(), "'");
  }
  const std::string name = call.method == "AbandonToken" ? "hapax.idempotency.v1.AbandonTokenRequest"
                                                         : "hapax.compute.v1." + call.method + "Request";
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  HAPAX_CHECK(type != nullptr, name.c_str());
  std::unique_ptr<google::protobuf::Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  HAPAX_CHECK(google::protobuf::TextFormat::ParseFromString(text, request.get()), text.c_str());
  return request;
}

bool CrashClient::Call(const ComputeServer& server, const std::vector<ScriptedCall>& calls) {
  std::map<size_t, std::unique_ptr<FakeCall>> made;
  for (size_t i = 0; i < calls.size(); ++i) {
    const ScriptedCall& call = calls[i];
    if (settled_.contains(i)) continue;
    if (call.method == "AbandonToken") {
      memories_[call.token].abandonment_was_sent = true;
    } else if (!call.token.empty() && call.refusal.empty()) {
      memories_[call.token].call = call;
    }
    made[i] = server.Start(call.method, *RequestOf(call));
  }
  // What was executed first: the others may be replays of it.
  std::vector<std::pair<size_t, ChainReply>> replies;
  for (const auto& [i, call] : made) replies.emplace_back(i, ReplyTo(*call));
  std::stable_partition(replies.begin(), replies.end(),
                        [](const auto& reply) { return reply.second.result == "executed"; });
  for (const auto& [i, reply] : replies) {
    SCOPED_TRACE(absl::StrCat(calls[i].method, " ", calls[i].token, ": ", reply.result));
    if (reply.result == kUnavailable) continue;
    Take(calls[i], reply);
    settled_.insert(i);
  }
  return settled_.size() == calls.size();
}

void CrashClient::Take(const ScriptedCall& call, const ChainReply& reply) {
  if (call.method == "TerminateInstances") {
    EXPECT_TRUE(reply.status.ok()) << reply.status;
  } else if (call.method == "AbandonToken") {
    TakeAbandonment(call, reply);
  } else if (!call.refusal.empty()) {
    EXPECT_EQ(reply.result, call.refusal);
  } else if (reply.result == "executed") {
    TakeExecuted(call, reply);
  } else if (reply.result == "replayed") {
    TakeReplayed(call, reply);
  } else if (reply.result == kAbandoned) {
    EXPECT_TRUE(memories_[call.token].abandonment_was_sent && !memories_[call.token].reply.has_value());
  } else {
    EXPECT_EQ(reply.result, kExpired) << reply.status;
    EXPECT_TRUE(IsExpired(memories_[call.token]));
  }
}

void CrashClient::TakeExecuted(const ScriptedCall& call, const ChainReply& reply) {
  Memory& memory = memories_[call.token];
  EXPECT_FALSE(memory.reply.has_value()) << "executed twice";
  EXPECT_FALSE(memory.is_abandoned);
  memory.reply = reply.bytes;
  memory.executed_at = clock_.Now();
}

void CrashClient::TakeReplayed(const ScriptedCall& call, const ChainReply& reply) {
  Memory& memory = memories_[call.token];
  if (!memory.reply.has_value()) {
    EXPECT_TRUE(memory.may_be_executed) << "UNAVAILABLE left something";
    memory.reply = reply.bytes;
    memory.executed_at = clock_.Now();
  } else if (IsPower(call.method)) {
    EXPECT_EQ(OperationIn(reply.bytes).name(), OperationIn(*memory.reply).name());
  } else {
    EXPECT_EQ(reply.bytes, *memory.reply);
  }
  EXPECT_FALSE(IsExpired(memory));
}

void CrashClient::TakeAbandonment(const ScriptedCall& call, const ChainReply& reply) {
  Memory& memory = memories_[call.token];
  const auto token = reply.As<idempotency::v1::AbandonTokenResponse>().token();
  if (token.state() == TokenState::TOKEN_STATE_ABANDONED) {
    EXPECT_FALSE(memory.reply.has_value()) << "abandoned what was executed";
    memory.is_abandoned = true;
    return;
  }
  EXPECT_EQ(token.state(), TokenState::TOKEN_STATE_EXECUTED);
  EXPECT_TRUE(memory.reply.has_value() || memory.may_be_executed);
  EXPECT_EQ(token.reply(), memory.reply.value_or(token.reply()));
}

bool CrashClient::IsExpired(const Memory& memory) const {
  return memory.reply.has_value() && clock_.Now() - memory.executed_at >= TokenPolicy().retention;
}

void CrashClient::ServerDied() {
  for (auto& [token, memory] : memories_) {
    if (!memory.reply.has_value() && !memory.call.method.empty()) memory.may_be_executed = true;
  }
}

CrashClient::Effects CrashClient::EffectsOn(const ComputeServer& server) {
  const auto list = [&]<typename Request, typename Reply>(const std::string& method, Request request,
                                                          std::in_place_type_t<Reply>) {
    request.set_page_size(1'000);
    const Reply reply = CallInTheEnd(server, method, request).template As<Reply>();
    EXPECT_EQ(reply.next_page_token(), "");
    return reply;
  };
  const auto instances =
      list("DescribeInstances", v1::DescribeInstancesRequest(), std::in_place_type<v1::DescribeInstancesResponse>);
  const auto hosts = list("DescribeHosts", v1::DescribeHostsRequest(), std::in_place_type<v1::DescribeHostsResponse>);
  const auto key_pairs =
      list("DescribeKeypairs", v1::DescribeKeypairsRequest(), std::in_place_type<v1::DescribeKeypairsResponse>);
  const auto operations = list("ListOperations", external::longrunning::ListOperationsRequest(),
                               std::in_place_type<external::longrunning::ListOperationsResponse>);
  Effects effects;
  for (const v1::Instance& instance : instances.instances()) ++effects.count[instance.client_token()];
  for (const v1::Host& host : hosts.hosts()) ++effects.count[host.client_token()];
  for (const v1::KeyPair& pair : key_pairs.key_pairs()) ++effects.count[pair.key_name()];
  for (const Operation& operation : operations.operations()) ++effects.count[operation.name()];
  return effects;
}

void CrashClient::Verify(const ComputeServer& server) const {
  Effects effects = EffectsOn(server);
  for (const auto& [name, memory] : memories_) {
    SCOPED_TRACE(name);
    VerifyToken(server, name, memory, effects);
    VerifyRetry(server, memory);
  }
  EXPECT_THAT(effects.count, testing::IsEmpty()) << "effects that nobody asked for";
}

void CrashClient::VerifyToken(const ComputeServer& server, const std::string& name, const Memory& memory,
                              Effects& effects) const {
  idempotency::v1::GetTokenRequest request;
  request.set_client_token(name);
  if (memory.call.method == "AllocateHosts") request.set_availability_zone("us-east-1b");
  const auto token = CallInTheEnd(server, "GetToken", request).As<idempotency::v1::GetTokenResponse>().token();
  const bool is_executed =
      token.state() == TokenState::TOKEN_STATE_EXECUTED || token.state() == TokenState::TOKEN_STATE_EXPIRED;
  const std::string state = TokenState_Name(token.state());
  EXPECT_EQ(token.state() == TokenState::TOKEN_STATE_EXPIRED, IsExpired(memory)) << state;
  const bool is_abandoned = token.state() == TokenState::TOKEN_STATE_ABANDONED;
  EXPECT_TRUE(is_executed || !memory.reply.has_value()) << "acknowledged, but " << state;
  EXPECT_TRUE(!is_executed || memory.reply.has_value() || memory.may_be_executed) << "not acknowledged, but " << state;
  EXPECT_TRUE(is_abandoned || !memory.is_abandoned) << "abandoned, but " << state;
  EXPECT_TRUE(!is_abandoned || memory.abandonment_was_sent) << state;
  std::string effect = name;
  if (IsPower(memory.call.method) && is_executed) {
    effect = OperationIn(token.reply().empty() ? memory.reply.value_or("") : token.reply()).name();
  }
  EXPECT_EQ(effects.Take(effect), is_executed ? EffectsOf(memory.call) : 0) << state << ", but the effect differs";
}

void CrashClient::VerifyRetry(const ComputeServer& server, const Memory& memory) const {
  if (!memory.reply.has_value()) return;
  const ChainReply retry = CallInTheEnd(server, memory.call.method, *RequestOf(memory.call));
  EXPECT_EQ(retry.result, IsExpired(memory) ? kExpired : "replayed") << retry.status;
  if (retry.result != "replayed") return;
  if (!IsPower(memory.call.method)) {
    EXPECT_EQ(retry.bytes, *memory.reply);
    return;
  }
  const Operation operation = retry.As<Operation>();
  EXPECT_EQ(operation.name(), OperationIn(*memory.reply).name());
  EXPECT_TRUE(operation.has_response()) << operation.ShortDebugString();
}

}  // namespace hapax::compute
