#include "hapax/server/grpc/grpc_stream.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/support/raw_stream.h"
#include "hapax/tests/server/support/service_host_fixture.h"

// What clients do that generated code does not: a unary method called message by message.
namespace hapax {
namespace {

class GrpcStreamTest : public ServiceHostTest {};

TEST_F(GrpcStreamTest, AMethodThatNobodyHostsIsUnimplementedAndNamed) {
  for (const char* method : {"/hapax.test.v1.Ledger/None", "/hapax.test.v1.None/Deposit", "/hapax.test.v1.Vault/Stash",
                             "/hapax.test.v1.Ledger", "/", "/grpc.health.v1.Health/None"}) {
    const RawReply reply = Client().Call(method, "");
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
    EXPECT_THAT(reply.status.error_message(), testing::HasSubstr(method));
  }
}

TEST_F(GrpcStreamTest, AMethodThatNobodyHostsNeedNoMessageAndMayBeSentMany) {
  RawStream silent(Client(), "/hapax.test.v1.Ledger/None");
  EXPECT_EQ(silent.Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  RawStream eager(Client(), "/hapax.test.v1.Ledger/None");
  for (int i = 0; i < 10; ++i) eager.Write(std::string(100'000, 'x'));
  EXPECT_EQ(eager.Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcStreamTest, ACallThatSendsNoMessageHasNoRequest) {
  RawStream silent(Client(), kDeposit);
  silent.WritesDone();
  UnaryCall& call = holding_->Take();
  EXPECT_FALSE(call.has_request());
  EXPECT_EQ(call.request_bytes(), "");
  call.Finish(absl::InvalidArgumentError("nothing was sent"));
  EXPECT_EQ(silent.Read(), std::nullopt);
  EXPECT_EQ(silent.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// A call does not wait for the end of what its client sends.
TEST_F(GrpcStreamTest, OfSeveralMessagesTheFirstIsTheRequest) {
  RawStream stream(Client(), kDeposit);
  stream.Write("the request");
  UnaryCall& call = holding_->Take();
  EXPECT_EQ(call.request_bytes(), "the request");
  stream.Write("another");
  call.Finish(std::string("the reply"));
  EXPECT_EQ(stream.Read(), "the reply");
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(GrpcStreamTest, C19ACallWhoseClientCancelsBeforeItSentItsRequestHasNone) {
  const RawClient client = Client();
  RawStream stream(client, kDeposit);
  // The server knows of the first call once it has answered a later one of the same connection.
  ASSERT_TRUE(client.Call("/grpc.health.v1.Health/Check", "").status.ok());
  stream.Cancel();
  UnaryCall& call = holding_->Take();
  EXPECT_FALSE(call.has_request());
  while (!call.IsCancelled()) std::this_thread::yield();
  call.Finish(absl::CancelledError("by its client"));
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcStreamTest, AHeldCallWhoseClientsConnectionIsGoneCanStillBeEnded) {
  UnaryCall* held = nullptr;
  {
    RawStream stream(Client(), kDeposit);
    stream.Write("a request");
    held = &holding_->Take();
    EXPECT_FALSE(held->IsCancelled());
  }
  while (!held->IsCancelled()) std::this_thread::yield();
  EXPECT_EQ(held->request_bytes(), "a request");
  std::thread([held] { held->Finish(std::string("to nobody")); }).join();
  host_->Drain(absl::InfiniteDuration());
}

TEST_F(GrpcStreamTest, CallsThatAreEndedOnManyThreadsWhileTheirClientsCancelAllEnd) {
  constexpr int kCalls = 200;
  const RawClient client = Client();
  std::vector<std::unique_ptr<PendingCall>> pending;
  std::vector<std::thread> threads;
  for (int i = 0; i < kCalls; ++i) {
    pending.push_back(client.Start(kDeposit, absl::StrCat(i)));
    UnaryCall& call = holding_->Take();
    threads.emplace_back([&call] { call.Finish(std::string(call.request_bytes())); });
    if (i % 2 == 0) pending.back()->Cancel();
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kCalls; ++i) {
    const RawReply reply = pending[static_cast<size_t>(i)]->Wait();
    if (i % 2 == 0 && !reply.status.ok()) {
      EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::CANCELLED);
    } else {
      EXPECT_EQ(reply.bytes, absl::StrCat(i)) << reply.status.error_message();
    }
  }
}

// Of every length around those at which gRPC, HTTP/2 and the socket cut; up to gRPC's limit of 4 MiB.
TEST_F(GrpcStreamTest, MessagesOfAnyLengthArriveWholeAndReturnWhole) {
  const RawClient client = Client();
  for (const size_t length : {0u, 1u, 23u, 24u, 8'191u, 16'379u, 16'384u, 65'535u, 65'536u, 1'000'003u, 4'194'304u}) {
    std::string message(length, '\0');
    for (size_t i = 0; i < length; ++i) message[i] = static_cast<char>(i * 31 + i / 251);
    const auto pending = client.Start(kDeposit, message);
    UnaryCall& call = holding_->Take();
    EXPECT_TRUE(call.has_request());
    EXPECT_TRUE(call.request_bytes() == message) << length;
    call.Finish(message);
    const RawReply reply = pending->Wait();
    EXPECT_TRUE(reply.status.ok()) << length << ": " << reply.status.error_message();
    EXPECT_TRUE(reply.bytes == message) << length;
  }
}

TEST_F(GrpcStreamTest, AMessageBeyondTheLimitIsRefusedByGrpcWhateverTheChainSaysOfACallWithoutARequest) {
  RawStream stream(Client(), kDeposit);
  stream.Write(std::string(4'194'305, 'x'));
  UnaryCall& call = holding_->Take();
  EXPECT_FALSE(call.has_request());
  EXPECT_TRUE(call.IsCancelled());
  call.Finish(absl::InvalidArgumentError("there is no request"));
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// C32: what is small may become huge.
TEST_F(GrpcStreamTest, C32_ACompressedRequestIsNotUnpackedAndUnimplemented) {
  const RawClient client = Client();
  grpc::GenericStub stub(client.channel());
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(std::string(1'000'000, 'z'));
    const auto reader = stub.PrepareUnaryCall(&context, kDeposit, grpc::ByteBuffer(&slice, 1), &queue);
    grpc::ByteBuffer reply;
    grpc::Status status;
    reader->StartCall();
    reader->Finish(&reply, &status, nullptr);
    UnaryCall& call = holding_->Take();
    EXPECT_FALSE(call.has_request());
    call.Finish(absl::InvalidArgumentError("there is no request"));
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok) && ok);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
}

class UnreadCallsTest : public ServiceHostTest {
 protected:
  UnreadCallsTest() : ServiceHostTest({}, /*reads_requests=*/false) {}
};

// C32: who calls is known from the metadata, so a stranger's request need not be read to refuse it.
TEST_F(UnreadCallsTest, C32_ACallReachesTheChainBeforeItsRequest) {
  RawStream stream(Client(), kDeposit);
  UnaryCall& call = holding_->Take();
  EXPECT_FALSE(call.has_request());
  EXPECT_EQ(call.request_bytes(), "");
  call.Finish(absl::UnauthenticatedError("nobody knows that caller"));
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(UnreadCallsTest, ACallThatIsRefusedUnreadIsToldSoThoughItsRequestIsOnItsWay) {
  const auto pending = Client().Start(kDeposit, std::string(1'000'000, 'x'));
  holding_->Take().Finish(absl::UnauthenticatedError("nobody knows that caller"));
  EXPECT_EQ(pending->Wait().status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

constexpr int kMaxPending = 3;

class PendingCallsTest : public ServiceHostTest {
 protected:
  PendingCallsTest() : ServiceHostTest({.max_pending_calls = kMaxPending}) {}

  // On the test's one connection, so that calls arrive in their order.
  std::unique_ptr<RawStream> Begin(const std::string& method) { return std::make_unique<RawStream>(client_, method); }
  std::vector<std::unique_ptr<RawStream>> BeginSilent(int count) {
    std::vector<std::unique_ptr<RawStream>> streams;
    for (int i = 0; i < count; ++i) streams.push_back(Begin(kDeposit));
    return streams;
  }
  // Ends calls whose requests did not come, of those that have reached the chain.
  void EndWithoutRequest(int count) {
    for (int i = 0; i < count; ++i) {
      UnaryCall& call = holding_->Take();
      EXPECT_FALSE(call.has_request());
      call.Finish(absl::CancelledError("there is no request"));
    }
  }

 private:
  const RawClient client_ = Client();
};

TEST_F(PendingCallsTest, OfTooManyWithoutARequestTheOldestAreEnded) {
  std::vector<std::unique_ptr<RawStream>> silent = BeginSilent(4 * kMaxPending);
  EndWithoutRequest(3 * kMaxPending);
  for (int i = 0; i < 3 * kMaxPending; ++i) {
    EXPECT_EQ(silent[i]->Finish().error_code(), grpc::StatusCode::UNAVAILABLE) << i;
  }
  for (int i = 3 * kMaxPending; i < 4 * kMaxPending; ++i) {
    silent[i]->Write("the request");
    holding_->Take().Finish(std::string("the reply"));
    EXPECT_EQ(silent[i]->Read(), "the reply");
    EXPECT_TRUE(silent[i]->Finish().ok());
  }
}

TEST_F(PendingCallsTest, ACallThatHasItsRequestIsNotPending) {
  const std::unique_ptr<RawStream> stream = Begin(kDeposit);
  stream->Write("the request");
  UnaryCall& call = holding_->Take();
  std::vector<std::unique_ptr<RawStream>> silent = BeginSilent(2 * kMaxPending);
  EndWithoutRequest(kMaxPending);
  call.Finish(std::string("the reply"));
  EXPECT_EQ(stream->Read(), "the reply");
  EXPECT_TRUE(stream->Finish().ok());
  silent.clear();
  EndWithoutRequest(kMaxPending);
}

// Who is being told of the server's health is not ended for those who send nothing.
TEST_F(PendingCallsTest, StreamsAreCountedAmongThemselves) {
  std::vector<std::unique_ptr<RawStream>> watches;
  for (int i = 0; i < kMaxPending; ++i) {
    watches.push_back(Begin("/grpc.health.v1.Health/Watch"));
    watches.back()->Write("");
    ASSERT_TRUE(watches.back()->Read().has_value());
  }
  std::vector<std::unique_ptr<RawStream>> silent = BeginSilent(2 * kMaxPending);
  EndWithoutRequest(kMaxPending);
  host_->AnnounceShutdown();
  for (const auto& watch : watches) EXPECT_TRUE(watch->Read().has_value());

  const std::unique_ptr<RawStream> reflection = Begin("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  reflection->Write("");
  ASSERT_TRUE(reflection->Read().has_value());
  EXPECT_EQ(watches[0]->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  silent.clear();
  EndWithoutRequest(kMaxPending);
}

// Requests that come as fast as calls: some of these are ended while theirs are on the way.
TEST_F(PendingCallsTest, C12_ACallThatIsEndedHasNoRequestEvenIfItCame) {
  constexpr int kCalls = 300;
  std::vector<std::unique_ptr<RawStream>> streams;
  for (int i = 0; i < kCalls; ++i) {
    streams.push_back(Begin(kDeposit));
    streams.back()->Write("the request");
  }
  int taken_up = 0;
  for (int i = 0; i < kCalls; ++i) {
    UnaryCall& call = holding_->Take();
    taken_up += call.has_request() ? 1 : 0;
    call.Finish(std::string("the reply"));
  }
  int answered = 0;
  for (const auto& stream : streams) {
    const bool has_reply = stream->Read().has_value();
    EXPECT_EQ(stream->Finish().ok(), has_reply);
    answered += has_reply ? 1 : 0;
  }
  EXPECT_EQ(answered, taken_up);
}

class StalledCallsTest : public ServiceHostTest {
 protected:
  StalledCallsTest() : ServiceHostTest({.request_timeout = absl::Nanoseconds(1)}) {}
};

TEST_F(StalledCallsTest, C32_ACallWhoseRequestTakesTooLongIsEndedWhenAnotherComes) {
  const RawClient client = Client();
  RawStream silent(client, kDeposit);
  RawStream next(client, kDeposit);
  UnaryCall& ended = holding_->Take();
  EXPECT_FALSE(ended.has_request());
  EXPECT_TRUE(ended.IsCancelled());
  ended.Finish(absl::CancelledError("there is no request"));
  EXPECT_EQ(silent.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);

  next.Write("the request");
  holding_->Take().Finish(std::string("the reply"));
  EXPECT_EQ(next.Read(), "the reply");
  EXPECT_TRUE(next.Finish().ok());
}

TEST_F(StalledCallsTest, C32_AReplyThatItsClientDoesNotTakeIsEndedWhenAnotherCallComes) {
  RawStream slow(Client(), kDeposit);
  slow.Write("the request");
  holding_->Take().Finish(std::string(size_t{32} << 20, 'x'));
  RawStream next(Client(), kDeposit);
  next.Write("the request");
  holding_->Take().Finish(std::string("the reply"));
  EXPECT_EQ(next.Read(), "the reply");
  EXPECT_EQ(slow.Read(), std::nullopt);
  EXPECT_EQ(slow.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace hapax
