#include "hapax/server/service_host.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/text_format.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/test_ledger.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using testing::HasSubstr;

constexpr char kDeposit[] = "/hapax.test.v1.Ledger/Deposit";

// Keeps every call until the test ends it.
class Holding final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next /*next*/) override {
    absl::MutexLock lock(&mu_);
    held_.push_back(&call);
  }
  // The next call that arrives; waits for it.
  UnaryCall& Take() {
    absl::MutexLock lock(&mu_);
    const auto some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !held_.empty(); };
    mu_.Await(absl::Condition(&some));
    UnaryCall& call = *held_.back();
    held_.pop_back();
    return call;
  }

 private:
  absl::Mutex mu_;
  std::vector<UnaryCall*> held_ ABSL_GUARDED_BY(mu_);
};

class ServiceHostTest : public testing::Test {
 protected:
  ServiceHostTest() : chain_(MakeChain()) {
    auto host = ServiceHost::Start({.listen_address = "127.0.0.1:0"}, {&service_.hosted()}, chain_);
    EXPECT_THAT(host, IsOk());
    host_ = *std::move(host);
  }

  Chain MakeChain() {
    auto holding = std::make_unique<Holding>();
    holding_ = holding.get();
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    links.push_back(std::move(holding));
    return Chain(std::move(links));
  }
  RawClient Client() const { return RawClient(host_->port()); }

  LedgerService service_;
  Holding* holding_ = nullptr;  // In the chain.
  const Chain chain_;
  std::unique_ptr<ServiceHost> host_;
};

TEST_F(ServiceHostTest, ACallGoesThroughTheChainAsBytes) {
  const auto pending = Client().Start(kDeposit, "any bytes", {{"key", "value"}});
  UnaryCall& call = holding_->Take();
  EXPECT_EQ(call.method().name, "hapax.test.v1.Ledger/Deposit");
  EXPECT_EQ(call.request_bytes(), "any bytes");
  EXPECT_THAT(call.Metadata("key"), testing::ElementsAre("value"));
  EXPECT_THAT(call.Metadata("other"), testing::IsEmpty());
  EXPECT_EQ(call.deadline(), absl::InfiniteFuture());
  EXPECT_FALSE(call.IsCancelled());
  call.Finish(std::string("any reply"));
  const RawReply reply = pending->Wait();
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.bytes, "any reply");
}

TEST_F(ServiceHostTest, ACallKnowsItsDeadline) {
  const absl::Time before = absl::Now();
  const auto pending = Client().Start(kDeposit, "", {}, absl::Hours(1));
  UnaryCall& call = holding_->Take();
  // gRPC sends what is left in a few digits, rounded up.
  EXPECT_GT(call.deadline(), before + absl::Minutes(59));
  EXPECT_LT(call.deadline(), absl::Now() + absl::Minutes(61));
  call.Finish(std::string());
  EXPECT_TRUE(pending->Wait().status.ok());
}

TEST_F(ServiceHostTest, C19ACallLearnsThatItsClientCancelled) {
  const auto pending = Client().Start(kDeposit, "");
  UnaryCall& call = holding_->Take();
  pending->Cancel();
  EXPECT_EQ(pending->Wait().status.error_code(), grpc::StatusCode::CANCELLED);
  while (!call.IsCancelled()) std::this_thread::yield();  // The news is on its way.
  call.Finish(std::string("too late"));
}

TEST_F(ServiceHostTest, AMethodThatNobodyHostsIsUnimplemented) {
  EXPECT_EQ(Client().Call("/hapax.test.v1.Ledger/None", "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Client().Call("/hapax.test.v1.None/Deposit", "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServiceHostTest, AnAddressThatIsTakenOrNoneIsRefusedByName) {
  for (const std::string& address :
       {"127.0.0.1:" + std::to_string(host_->port()), std::string("127.0.0.1:port"), std::string("nonsense")}) {
    EXPECT_THAT(ServiceHost::Start({.listen_address = address}, {&service_.hosted()}, chain_),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
  }
}

// The messages of grpc.health.v1, as their bytes: field 1 is the service, or the status.
std::string HealthRequest(const std::string& service) {
  return service.empty() ? "" : std::string({'\x0A', static_cast<char>(service.size())}) + service;
}
const std::string kServing = {'\x08', '\x01'};
const std::string kNotServing = {'\x08', '\x02'};

class HealthTest : public ServiceHostTest {
 protected:
  RawReply Check(const std::string& service) {
    return Client().Call("/grpc.health.v1.Health/Check", HealthRequest(service));
  }
};

TEST_F(HealthTest, TheServerAndEachServiceAreServing) {
  EXPECT_EQ(Check("").bytes, kServing);
  EXPECT_EQ(Check("hapax.test.v1.Ledger").bytes, kServing);
  EXPECT_EQ(Check("hapax.test.v1.None").status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, NothingIsServingOnceTheShutdownIsAnnouncedThoughCallsStillAre) {
  host_->AnnounceShutdown();
  EXPECT_EQ(Check("").bytes, kNotServing);
  EXPECT_EQ(Check("hapax.test.v1.Ledger").bytes, kNotServing);
  const auto pending = Client().Start(kDeposit, "");
  holding_->Take().Finish(std::string("still served"));
  EXPECT_EQ(pending->Wait().bytes, "still served");
}

// What server reflection answers to this request, both in protobuf's text format.
std::unique_ptr<Message> Reflect(const RawClient& client, const std::string& request_text) {
  const auto make = [](const std::string& type) {
    const auto* descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName("grpc.reflection.v1alpha." + type);
    return std::unique_ptr<Message>(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  };
  const std::unique_ptr<Message> request = make("ServerReflectionRequest");
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request_text, request.get()));

  grpc::GenericStub stub(client.channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto stream =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  const auto await = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok) && ok);
  };
  grpc::Slice slice(request->SerializeAsString());
  grpc::ByteBuffer answer;
  grpc::Status status;
  stream->StartCall(nullptr);
  await();
  stream->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  await();
  stream->Read(&answer, nullptr);
  await();
  stream->Finish(&status, nullptr);
  await();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(answer.DumpToSingleSlice(&slice).ok());
  std::unique_ptr<Message> response = make("ServerReflectionResponse");
  EXPECT_TRUE(response->ParseFromArray(slice.begin(), static_cast<int>(slice.size())));
  return response;
}

TEST_F(ServiceHostTest, ReflectionListsTheHostedService) {
  EXPECT_THAT(Reflect(Client(), "list_services: ''")->ShortDebugString(),
              testing::AllOf(HasSubstr("\"hapax.test.v1.Ledger\""), HasSubstr("\"grpc.health.v1.Health\"")));
}

TEST_F(ServiceHostTest, ReflectionDescribesTheHostedServiceWithItsRules) {
  const std::string answer = Reflect(Client(), "file_containing_symbol: 'hapax.test.v1.Ledger'")->ShortDebugString();
  EXPECT_THAT(answer, testing::AllOf(HasSubstr("hapax/test/v1/ledger.proto"), HasSubstr("DepositRequest"),
                                     HasSubstr("hapax/idempotency/v1/rule.proto")));
  EXPECT_THAT(Reflect(Client(), "file_containing_symbol: 'hapax.idempotency.v1.IdempotencyRule'")->ShortDebugString(),
              HasSubstr("zone_required"));
}

TEST_F(ServiceHostTest, DrainLetsARunningCallFinishAndTakesNoOther) {
  const auto pending = Client().Start(kDeposit, "");
  UnaryCall& running = holding_->Take();
  std::thread drain([this] { host_->Drain(absl::InfiniteDuration()); });
  // New clients are turned away from some moment on. Those before it are served.
  for (bool served = true; served;) {
    const auto next = Client().Start("/grpc.health.v1.Health/Check", "");
    served = next->Wait().status.ok();
  }
  running.Finish(std::string("finished"));
  const RawReply reply = pending->Wait();
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.bytes, "finished");
  drain.join();
}

TEST_F(ServiceHostTest, DrainCancelsWhatStillRunsAfterItsTime) {
  const auto pending = Client().Start(kDeposit, "");
  UnaryCall& running = holding_->Take();
  std::thread drain([this] { host_->Drain(absl::ZeroDuration()); });
  EXPECT_FALSE(pending->Wait().status.ok());
  while (!running.IsCancelled()) std::this_thread::yield();
  running.Finish(std::string("too late"));  // Drain waits for that.
  drain.join();
}

TEST_F(ServiceHostTest, DrainMayBeCalledAgainAndThePortIsFreeAfterwards) {
  const std::string address = "127.0.0.1:" + std::to_string(host_->port());
  host_->Drain(absl::InfiniteDuration());
  host_->Drain(absl::InfiniteDuration());
  EXPECT_THAT(ServiceHost::Start({.listen_address = address}, {&service_.hosted()}, chain_), IsOk());
}

}  // namespace
}  // namespace hapax
