#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/server/server.h"
#include "hapax/tests/server/support/open_server.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// A process with a server in it, and its signals.
namespace hapax {
namespace {

constexpr int kAll[] = {SIGTERM, SIGINT, SIGHUP};

// As TrustingAuthenticator, but that it tells of reloads.
class TellingAuthenticator final : public Authenticator {
 public:
  explicit TellingAuthenticator(std::function<void()> on_reload) : on_reload_(std::move(on_reload)) {}
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& call) const override {
    return trusting_.Identify(call);
  }
  [[nodiscard]] absl::Status Reload() override {
    on_reload_();
    return absl::OkStatus();
  }

 private:
  TrustingAuthenticator trusting_;
  const std::function<void()> on_reload_;
};

void (*HandlerOf(int signal))(int) {
  struct sigaction disposition = {};
  EXPECT_EQ(::sigaction(signal, nullptr, &disposition), 0);
  return disposition.sa_handler;
}

// The signal that ends a program which is started now, and sends itself this one; 0 when none does.
int EndOfAProgramThatRaises(int signal) {
  std::string words[] = {"sh", "-c", "kill -" + std::to_string(signal) + " $$"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, argv, environ), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

class ServerSignalsTest : public testing::Test {
 protected:
  [[nodiscard]] ServerOptions Options(bool handle_signals = true, const std::string& data_dir = "data") const {
    ServerOptions options = QuietOptions(dir_.Path(data_dir));
    options.handle_signals = handle_signals;
    return options;
  }

  const TempDir dir_;
};

TEST_F(ServerSignalsTest, AServerThatWasOpenedOutsideTheMainThreadIsStopped) {
  for (const int signal : {SIGTERM, SIGINT}) {
    absl::Notification started;
    absl::Status stopped = absl::UnknownError("not stopped");
    std::thread other([&] {
      const std::unique_ptr<Server> server = StartedServer(Options());
      started.Notify();
      server->AwaitStopSignal();
      stopped = server->Stop(absl::InfiniteDuration());
    });
    started.WaitForNotification();
    ASSERT_EQ(::kill(::getpid(), signal), 0);
    other.join();
    EXPECT_THAT(stopped, IsOk());
  }
}

TEST_F(ServerSignalsTest, ASignalBeforeItIsAwaitedIsNotLost) {
  const auto server = Server::Open(Options());
  ASSERT_THAT(server, IsOk());
  ASSERT_EQ(::raise(SIGTERM), 0);
  ASSERT_THAT((*server)->Start({}), IsOk());
  (*server)->AwaitStopSignal();
}

TEST_F(ServerSignalsTest, ProgramsThatAreStartedMeanwhileDieOfSignals) {
  const std::unique_ptr<Server> server = StartedServer(Options());
  for (const int signal : kAll) EXPECT_EQ(EndOfAProgramThatRaises(signal), signal);
  server->RequestStop();
  server->AwaitStopSignal();
  for (const int signal : kAll) EXPECT_EQ(EndOfAProgramThatRaises(signal), signal);
}

TEST_F(ServerSignalsTest, NoMaskIsChangedAndStopPutsTheHandlersBack) {
  const std::unique_ptr<Server> server = StartedServer(Options());
  sigset_t mask;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
  for (const int signal : kAll) {
    EXPECT_EQ(sigismember(&mask, signal), 0);
    EXPECT_NE(HandlerOf(signal), SIG_DFL);
  }
  ASSERT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
  for (const int signal : kAll) EXPECT_EQ(HandlerOf(signal), SIG_DFL);
}

TEST_F(ServerSignalsTest, AnOpenThatFailsAndTheDestructorPutTheHandlersBack) {
  {
    const auto server = Server::Open(Options());
    ASSERT_THAT(server, IsOk());
    ASSERT_NE(HandlerOf(SIGTERM), SIG_DFL);
  }
  EXPECT_EQ(HandlerOf(SIGTERM), SIG_DFL);
  ServerOptions without_certificate = Options();
  without_certificate.tls = {.cert_file = dir_.Path("none"), .key_file = dir_.Path("none")};
  EXPECT_THAT(Server::Open(std::move(without_certificate)), testing::Not(IsOk()));
  EXPECT_EQ(HandlerOf(SIGTERM), SIG_DFL);
}

TEST_F(ServerSignalsTest, OneThatLeavesThemAloneIsStoppedByRequest) {
  const std::unique_ptr<Server> server = StartedServer(Options(/*handle_signals=*/false));
  for (const int signal : kAll) EXPECT_EQ(HandlerOf(signal), SIG_DFL);
  std::thread waiting([&] { server->AwaitStopSignal(); });
  server->RequestStop();
  waiting.join();
}

std::atomic<Server*> server_of_handler = nullptr;

TEST_F(ServerSignalsTest, AHandlerOfTheProcesssOwnMayRequestTheStop) {
  const std::unique_ptr<Server> server = StartedServer(Options(/*handle_signals=*/false));
  server_of_handler = server.get();
  ASSERT_NE(::signal(SIGUSR1, [](int) { server_of_handler.load()->RequestStop(); }), SIG_ERR);
  std::thread waiting([&] { server->AwaitStopSignal(); });
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  waiting.join();
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_F(ServerSignalsTest, ASignalStopsEachServerOfTheProcess) {
  const std::unique_ptr<Server> first = StartedServer(Options());
  const std::unique_ptr<Server> second = StartedServer(Options(/*handle_signals=*/true, "other"));
  ASSERT_EQ(::raise(SIGTERM), 0);
  first->AwaitStopSignal();
  ASSERT_THAT(first->Stop(absl::InfiniteDuration()), IsOk());
  EXPECT_NE(HandlerOf(SIGTERM), SIG_DFL);
  second->AwaitStopSignal();
  ASSERT_THAT(second->Stop(absl::InfiniteDuration()), IsOk());
  EXPECT_EQ(HandlerOf(SIGTERM), SIG_DFL);
}

TEST_F(ServerSignalsTest, ARequestStopsOneServerAlone) {
  const std::unique_ptr<Server> first = StartedServer(Options());
  const std::unique_ptr<Server> second = StartedServer(Options(/*handle_signals=*/true, "other"));
  first->RequestStop();
  first->AwaitStopSignal();
  std::atomic<bool> second_stops = false;
  std::thread waiting([&] {
    second->AwaitStopSignal();
    EXPECT_TRUE(second_stops);
  });
  ASSERT_THAT(first->Stop(absl::InfiniteDuration()), IsOk());
  second_stops = true;
  second->RequestStop();
  waiting.join();
}

TEST_F(ServerSignalsTest, AHangupReloadsAndTheServerGoesOn) {
  absl::Notification reloaded;
  ServerOptions options = Options();
  options.authenticator = std::make_unique<TellingAuthenticator>([&] { reloaded.Notify(); });
  const std::unique_ptr<Server> server = StartedServer(std::move(options));
  std::thread waiting([&] { server->AwaitStopSignal(); });
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  reloaded.WaitForNotification();
  EXPECT_NE(server->port(), 0);
  server->RequestStop();
  waiting.join();
}

TEST_F(ServerSignalsTest, StopWakesWhoAwaitsTheStop) {
  const std::unique_ptr<Server> server = StartedServer(Options());
  std::thread waiting([&] { server->AwaitStopSignal(); });
  EXPECT_THAT(server->Stop(absl::InfiniteDuration()), IsOk());
  waiting.join();
  server->Reload();  // Of what is gone by now: nothing happens.
}

}  // namespace
}  // namespace hapax
