#include "hapax/client/wire/fork.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/call_handle.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/call/timing.h"
#include "hapax/client/journal/journaled_caller.h"
#include "hapax/tests/client/child_roles.h"
#include "hapax/tests/client/journal/journal_files.h"
#include "hapax/tests/client/wire/echo_server.h"
#include "hapax/tests/support/child_process.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// What a process that is forked off may do with its parent's client: nothing, and nothing it does reaches the parent.
namespace hapax::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What the function says in a forked child. A child that hangs is ended by a signal, and has said nothing.
std::string InChild(const std::function<std::string()>& say) {
  constexpr unsigned kSeconds = 60;
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    alarm(kSeconds);
    const std::string said = say();
    _exit(write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string said;
  char bytes[512];
  for (ssize_t got = 0; (got = read(ends[0], bytes, sizeof(bytes))) > 0;) said.append(bytes, static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "14: it hung";
  return said;
}

RawCall Echo(const std::string& request) { return {.method = "t.T/Echo", .request = request, .token = "t"}; }

std::string Say(const Result<std::string>& end) {
  return absl::StrCat(end.reply.ok() ? *end.reply : end.reply.status().ToString(), end.info.settled ? "" : "; open");
}

const auto kRefusal = AllOf(StartsWith("FAILED_PRECONDITION"), HasSubstr("opened before fork()"));

// Forks before it uses gRPC; the child calls the server at the port, and the reply goes to the standard output.
int ForkFirst(int port) {
  const std::string said = InChild([port] { return Say(Caller(ConnectTo(port)).CallRaw(Echo("from the child"))); });
  return write(STDOUT_FILENO, said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1;
}
[[maybe_unused]] const bool role_is_added =
    ChildRoles().emplace("--fork_first", [](const std::string&, int port) { return ForkFirst(port); }).second;

class ForkTest : public testing::Test {
 protected:
  ForkTest() { EXPECT_THAT(caller->CallRaw(Echo("first")).reply, IsOkAndHolds("first")); }
  ~ForkTest() override {
    EXPECT_THAT(caller->CallRaw(Echo("after")).reply, IsOkAndHolds("after"));
    EXPECT_THAT(caller->CallRaw(Echo("again")).reply, IsOkAndHolds("again"));
    EXPECT_EQ(server.attempts, 3) << "nothing came from the child";
  }

  EchoServer server;
  std::shared_ptr<Connection> connection = ConnectTo(server.port());
  std::unique_ptr<Caller> caller = std::make_unique<Caller>(connection);
};

TEST_F(ForkTest, AChildsCallIsRefusedByNameAndNothingIsSent) {
  EXPECT_THAT(InChild([&] { return Say(caller->CallRaw(Echo("child"))); }), kRefusal);
}

TEST_F(ForkTest, AChildsAsynchronousCallIsRefusedLikewise) {
  EXPECT_THAT(InChild([&] {
                std::string said;
                absl::Notification ended;
                caller->StartRaw(Echo("child"), RetryPolicy(), [&](const Result<std::string>& end) {
                  said = Say(end);
                  ended.Notify();
                });
                ended.WaitForNotification();
                return said;
              }),
              kRefusal);
}

TEST_F(ForkTest, AChildMayLetGoOfAConnectionToSeveralServersWhoseCallsAreRefused) {
  std::shared_ptr<Connection> several =
      Connect({.endpoint = absl::StrCat("127.0.0.1:", server.port(), ",127.0.0.1:1")}).value();
  auto of_several = std::make_unique<Caller>(several);
  EXPECT_THAT(of_several->CallRaw(Echo("parent")).reply, IsOk());
  EXPECT_THAT(InChild([&] {
                const std::string said = Say(of_several->CallRaw(Echo("child")));
                of_several.reset();
                several.reset();
                return said;
              }),
              kRefusal);
  --server.attempts;
}

TEST_F(ForkTest, AChildMayLetGoOfTheConnectionAndOfCallsUnderWay) {
  std::atomic<int> ends = 0;
  std::vector<CallHandle> handles;
  {
    auto holding = std::make_unique<Caller>(connection);
    for (int i = 0; i < 10; ++i) {
      handles.push_back(holding->StartRaw({.method = "t.T/Hold", .token = "t"}, RetryPolicy(),
                                          [&](const Result<std::string>&) { ++ends; }));
    }
    server.WaitUntilHeld(10);
    EXPECT_EQ(InChild([&] {
                holding.reset();
                caller.reset();
                connection.reset();
                for (const CallHandle& handle : handles) handle.Cancel();
                // The timer thread would end cancelled calls before this.
                absl::Notification after_cancels;
                SystemTiming().At(absl::InfinitePast(), [&] { after_cancels.Notify(); });
                after_cancels.WaitForNotification();
                return absl::StrCat(ends.load(), " ended");
              }),
              "0 ended");
    EXPECT_EQ(ends, 0);
    server.LetGo();
    holding.reset();
  }
  EXPECT_EQ(ends, 10);
  server.attempts -= 10;
}

// gRPC's own threads are not there, and calls would hang beyond their deadlines.
TEST_F(ForkTest, AConnectionIsNotOpenedWhereGrpcCannotWork) {
  EXPECT_THAT(InChild([&] { return Connect({.endpoint = "127.0.0.1:1"}).status().ToString(); }),
              AllOf(StartsWith("FAILED_PRECONDITION"), HasSubstr("gRPC was in use"), HasSubstr("exec")));
}

TEST_F(ForkTest, AProcessThatForkedBeforeItUsedGrpcHasConnections) {
  ChildProcess program({"--fork_first", "-", absl::StrCat(server.port())});
  std::string said;
  for (char byte = 0; program.Read(&byte, 1);) said.push_back(byte);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(said, "from the child");
  --server.attempts;
}

TEST_F(ForkTest, AChildsJournaledCallIsRefusedAndTheJournalIsTheParents) {
  const TempDir dir;
  const std::string path = dir.Path("journal");
  auto journal = MustOpen(path);
  auto journaled = std::make_unique<JournaledCaller>(*caller, *journal);
  absl::Notification ended;
  journaled->StartRaw({.method = "t.T/Refuse", .token = "a"}, RetryPolicy(), [&](const Result<std::string>&) {
    ended.Notify();
    return false;  // It stays.
  });
  ended.WaitForNotification();
  --server.attempts;
  const std::string said = InChild([&] {
    const auto end = journaled->CallRaw(Echo("child"), RetryPolicy(), [](const auto&) { return true; });
    std::string told = Say(end) + "|" + journal->TakeOver().status().ToString();
    journaled.reset();
    journal.reset();
    return told;
  });
  EXPECT_THAT(said, HasSubstr("this connection was opened before fork()"));
  EXPECT_THAT(said, HasSubstr("this journal was opened before fork()"));
  journaled.reset();
  EXPECT_THAT(journal->TakeOver(), IsOkAndHolds(testing::SizeIs(1)));
  EXPECT_THAT(journal->Begin(CallWith("b")), IsOk());
  EXPECT_THAT(TokensIn(path), testing::ElementsAre("a", "b"));
}

}  // namespace
}  // namespace hapax::client
