#include "hapax/base/stop_requests.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace hapax {
namespace {

using Kind = StopRequests::Kind;
using Signals = StopRequests::Signals;

constexpr int kAll[] = {SIGTERM, SIGINT, SIGHUP};

void OwnHandler(int /*signal*/) {}

// What the process does when the signal comes.
struct sigaction Disposition(int signal) {
  struct sigaction disposition = {};
  EXPECT_EQ(::sigaction(signal, nullptr, &disposition), 0);
  return disposition;
}

sigset_t ThreadsMask() {
  sigset_t mask;
  EXPECT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
  return mask;
}

// The signal that ended the child; 0 when it exited.
int EndOf(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

// Ends when a program that sends itself the signal has: with the signal that ended it.
int EndOfAProgramThatRaises(int signal) {
  std::string shell = "sh";
  std::string flag = "-c";
  std::string script = "kill -" + std::to_string(signal) + " $$";
  char* argv[] = {shell.data(), flag.data(), script.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, argv, environ), 0);
  return EndOf(child);
}

TEST(StopRequests, AStopIsAskedForOnceAndForAll) {
  StopRequests requests(Signals::kLeftAlone);
  requests.Ask();
  for (int i = 0; i < 2; ++i) {
    const StopRequests::Request request = requests.Await();
    EXPECT_EQ(request.kind, Kind::kStop);
    EXPECT_EQ(request.signal, 0);
  }
}

TEST(StopRequests, ASignalThatCameBeforeAwaitIsNotLost) {
  for (const int signal : {SIGTERM, SIGINT}) {
    StopRequests requests(Signals::kHandled);
    ASSERT_EQ(::kill(::getpid(), signal), 0);
    const StopRequests::Request request = requests.Await();
    EXPECT_EQ(request.kind, Kind::kStop);
    EXPECT_EQ(request.signal, signal);
  }
}

TEST(StopRequests, ASignalWakesAThreadThatIsNotTheMainOne) {
  std::optional<StopRequests> requests(Signals::kHandled);
  std::optional<StopRequests::Request> request;
  std::thread waiting([&] { request = requests->Await(); });
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  waiting.join();
  EXPECT_EQ(request->signal, SIGTERM);
}

TEST(StopRequests, AHangupAsksForAReloadAndTheWaitGoesOn) {
  StopRequests requests(Signals::kHandled);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(::raise(SIGHUP), 0);
    EXPECT_EQ(requests.Await().kind, Kind::kReload);
  }
  requests.Ask();
  EXPECT_EQ(requests.Await().kind, Kind::kStop);
}

TEST(StopRequests, ASignalAsksAllThatHandleSignalsAndNoOthers) {
  StopRequests first(Signals::kHandled);
  StopRequests second(Signals::kHandled);
  StopRequests third(Signals::kLeftAlone);
  ASSERT_EQ(::raise(SIGTERM), 0);
  third.Ask();
  EXPECT_EQ(first.Await().signal, SIGTERM);
  EXPECT_EQ(second.Await().signal, SIGTERM);
  EXPECT_EQ(third.Await().signal, 0);
}

TEST(StopRequests, TheLastPutsBackWhatWasThereBefore) {
  ASSERT_NE(::signal(SIGTERM, &OwnHandler), SIG_ERR);
  ASSERT_NE(::signal(SIGHUP, SIG_IGN), SIG_ERR);
  {
    std::optional<StopRequests> first(Signals::kHandled);
    StopRequests second(Signals::kHandled);
    EXPECT_NE(Disposition(SIGTERM).sa_handler, &OwnHandler);
    first.reset();
    EXPECT_NE(Disposition(SIGTERM).sa_handler, &OwnHandler);
    second.IgnoreSignals();
    EXPECT_EQ(Disposition(SIGTERM).sa_handler, &OwnHandler);
  }
  EXPECT_EQ(Disposition(SIGTERM).sa_handler, &OwnHandler);
  EXPECT_EQ(Disposition(SIGINT).sa_handler, SIG_DFL);
  EXPECT_EQ(Disposition(SIGHUP).sa_handler, SIG_IGN);
  for (const int signal : kAll) ::signal(signal, SIG_DFL);
}

TEST(StopRequests, AHandlerThatWasInstalledSinceIsLeft) {
  {
    const StopRequests requests(Signals::kHandled);
    ASSERT_NE(::signal(SIGTERM, &OwnHandler), SIG_ERR);
  }
  EXPECT_EQ(Disposition(SIGTERM).sa_handler, &OwnHandler);
  ::signal(SIGTERM, SIG_DFL);
}

TEST(StopRequests, WhereTheyAreLeftAloneSignalsDoWhatTheyDid) {
  const StopRequests requests(Signals::kLeftAlone);
  for (const int signal : kAll) EXPECT_EQ(Disposition(signal).sa_handler, SIG_DFL);
}

TEST(StopRequests, AThreadThatBlocksSignalsTakesThemWhileItWaitsAndBlocksThemAfterwards) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  const sigset_t before = ThreadsMask();
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, nullptr), 0);
  {
    StopRequests requests(Signals::kHandled);
    ASSERT_EQ(::raise(SIGTERM), 0);
    EXPECT_EQ(requests.Await().signal, SIGTERM);
    const sigset_t after = ThreadsMask();
    EXPECT_EQ(sigismember(&after, SIGTERM), 1);
    EXPECT_EQ(sigismember(&after, SIGINT), 0);
  }
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

TEST(StopRequests, NoSignalIsBlockedForThoseWhoDoNotWait) {
  const StopRequests requests(Signals::kHandled);
  const sigset_t mask = ThreadsMask();
  for (const int signal : kAll) EXPECT_EQ(sigismember(&mask, signal), 0) << signal;
}

TEST(StopRequests, AProgramThatIsStartedMeanwhileDiesOfSignals) {
  const StopRequests requests(Signals::kHandled);
  for (const int signal : kAll) EXPECT_EQ(EndOfAProgramThatRaises(signal), signal);
}

TEST(StopRequests, AForkThatExecutesNothingDiesOfSignalsAndItsParentIsNotAsked) {
  StopRequests requests(Signals::kHandled);
  for (const int signal : kAll) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::raise(signal);
      ::_exit(0);
    }
    EXPECT_EQ(EndOf(child), signal);
  }
  requests.Ask();
  EXPECT_EQ(requests.Await().signal, 0);
}

TEST(StopRequests, ALaterOneKnowsNothingOfWhatAnEarlierOneWasAsked) {
  {
    StopRequests earlier(Signals::kHandled);
    ASSERT_EQ(::raise(SIGHUP), 0);
    earlier.Ask();
  }
  StopRequests later(Signals::kHandled);
  ASSERT_EQ(::raise(SIGTERM), 0);
  const StopRequests::Request request = later.Await();
  EXPECT_EQ(request.kind, Kind::kStop);
  EXPECT_EQ(request.signal, SIGTERM);
}

}  // namespace
}  // namespace hapax
