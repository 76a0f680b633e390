#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/tests/server/support/compute_server.h"
#include "hapax/tests/server/support/journaling_hypervisor.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/child_process.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// The server's process dies at each step of a piece of work, and the next one brings the work to its end (C14): the
// work is done once, what it stands for is written down once, and a retry of its call starts nothing.
namespace hapax::compute {
namespace {

using external::longrunning::Operation;
using testing::IsEmpty;

// The calls of each scenario, in their order, and the work that each one starts. A call's token is its kind of work.
const std::map<std::string, std::vector<std::string>, std::less<>>& Scenarios() {
  static const auto* const scenarios = [] {
    const std::string boot(kBootWork);
    const std::string stop(kStopWork);
    return new std::map<std::string, std::vector<std::string>, std::less<>>{
        {boot, {boot}},
        {stop, {boot, stop}},
        {std::string(kStartWork), {boot, stop, std::string(kStartWork)}},
        {std::string(kShutDownWork), {boot, std::string(kShutDownWork)}},
    };
  }();
  return *scenarios;
}

// Room and quota for two instances.
v1::Catalog TwoInstances() {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_quota()->set_instances(2);
  return catalog;
}

// Sends the call that starts work of that kind, with that token, and waits for the reply.
ChainReply Call(const ComputeServer& server, std::string_view kind, std::string_view token) {
  const std::string fields = absl::StrCat("client_token: '", std::string(token), "' ");
  if (kind == kBootWork) {
    return server.Call("RunInstances", FromText<v1::RunInstancesRequest>(
                                           fields + "image_id: 'ami-1' placement { availability_zone: 'us-east-1a' }"));
  }
  const std::string id = "'" + server.Instances().at(0).instance_id() + "'";
  if (kind == kStopWork) {
    return server.Call("StopInstance", FromText<v1::StopInstanceRequest>(fields + "instance_id: " + id));
  }
  if (kind == kStartWork) {
    return server.Call("StartInstance", FromText<v1::StartInstanceRequest>(fields + "instance_id: " + id));
  }
  return server.Call("TerminateInstances", FromText<v1::TerminateInstancesRequest>(fields + "instance_ids: " + id));
}

// Dies when work of that kind comes to that step.
StepHook DieAt(const std::string& kind, WorkStep step) {
  return [=](std::string_view at_kind, WorkStep at_step) {
    if (at_kind != kind || at_step != step) return;
    ::raise(SIGKILL);
    std::_Exit(1);
  };
}

ComputeServer::Options OptionsIn(const std::string& dir, StepHook on_step) {
  return {.data_dir = dir + "/data", .catalog = TwoInstances(), .on_step = std::move(on_step)};
}

// What the process that is to die does: the scenario's calls, each when the work of the one before is done; or what an
// earlier process left of them. Before the last call, `prepare` is called.
// Work of `failing_kind` fails; a boot that does has a shut-down in its train.
void RunScenario(const std::string& dir, const std::string& kind, const StepHook& on_step, void (*prepare)() = nullptr,
                 std::string_view failing_kind = "") {
  const ManualClock clock;
  JournalingHypervisor hypervisor(dir + "/journal", on_step, failing_kind);
  ComputeServer server(OptionsIn(dir, on_step), hypervisor, clock);
  server.AwaitCompleted(server.resumed());
  if (!server.Instances().empty()) return;
  int completed = 0;
  for (const std::string& call : Scenarios().find(kind)->second) {
    if (call == kind && prepare != nullptr) prepare();
    if (const ChainReply reply = Call(server, call, call); reply.result != "executed") std::_Exit(1);
    completed += call == failing_kind ? 2 : 1;
    server.AwaitCompleted(completed);
  }
}

// How often each line is there.
std::map<std::string, int> Count(const std::vector<std::string>& lines) {
  std::map<std::string, int> counts;
  for (const std::string& line : lines) ++counts[line];
  return counts;
}

class WorkCrashTest : public testing::Test {
 protected:
  // The signal that ends a process that runs the scenario.
  int RunChild(const std::string& kind, const std::string& how) {
    return ChildProcess({"--scenario", dir_.Path(), kind, how}).Wait();
  }

  // A server on what the dead left, when all work is done.
  void StartServer() {
    server_ = std::make_unique<ComputeServer>(OptionsIn(dir_.Path(), nullptr), hypervisor_, clock_);
    server_->AwaitCompleted(server_->resumed());
  }

  // Every task was done exactly once; returns how often the last one was asked for.
  int ExpectEachTaskDoneOnce(const std::string& kind) {
    const std::vector<std::string> journal = ReadJournal(dir_.Path("journal"));
    const std::string id = server_->Instances().at(0).instance_id();
    std::vector<std::string> done;
    int told_count = 0;
    for (const std::string& line : journal) {
      if (line.rfind("did ", 0) == 0) done.push_back(line);
      told_count += line.rfind("told " + kind + " ", 0) == 0 ? 1 : 0;
    }
    const std::vector<std::string>& calls = Scenarios().find(kind)->second;
    EXPECT_EQ(done.size(), calls.size()) << testing::PrintToString(journal);
    for (size_t i = 0; i < std::min(done.size(), calls.size()); ++i) {
      EXPECT_EQ(done[i].rfind("did " + calls[i] + " " + id, 0), 0u) << testing::PrintToString(journal);
    }
    for (const auto& [line, count] : Count(done)) EXPECT_EQ(count, 1) << line;
    return told_count;
  }

  // The one instance is where the scenario leads, and holds what it should of zone and quota.
  void ExpectFinished(const std::string& kind) {
    EXPECT_EQ(server_->OpenWork(), 0);
    const bool gone = kind == kShutDownWork;
    const std::vector<v1::Instance> instances = server_->Instances();
    ASSERT_EQ(instances.size(), 1u);
    EXPECT_EQ(instances[0].state(), gone                ? v1::INSTANCE_STATE_TERMINATED
                                    : kind == kStopWork ? v1::INSTANCE_STATE_STOPPED
                                                        : v1::INSTANCE_STATE_RUNNING);
    const auto zones = server_->Call("DescribeAvailabilityZones", v1::DescribeAvailabilityZonesRequest())
                           .As<v1::DescribeAvailabilityZonesResponse>();
    for (const v1::AvailabilityZone& zone : zones.availability_zones()) {
      const int taken = !gone && zone.zone_name() == "us-east-1a" ? 2 : 0;
      EXPECT_EQ(zone.available_vcpus(), zone.total_vcpus() - taken) << zone.zone_name();
    }
    for (const Operation& operation : server_->AllOperations()) {
      EXPECT_TRUE(operation.has_response()) << operation.ShortDebugString();
    }
  }

  // Retries of all the scenario's calls are replayed, with the operations that there are, and start nothing.
  void ExpectRetriesStartNothing(const std::string& kind) {
    const std::vector<std::string> journal = ReadJournal(dir_.Path("journal"));
    std::vector<std::string> replayed;
    for (const std::string& call : Scenarios().find(kind)->second) {
      const ChainReply retry = Call(*server_, call, call);
      EXPECT_EQ(retry.result, "replayed") << call;
      if (call == kStopWork || call == kStartWork) replayed.push_back(retry.As<Operation>().DebugString());
    }
    std::vector<std::string> operations;
    for (const Operation& operation : server_->AllOperations()) operations.push_back(operation.DebugString());
    EXPECT_THAT(replayed, testing::UnorderedElementsAreArray(operations));
    EXPECT_EQ(server_->OpenWork(), 0);
    EXPECT_EQ(ReadJournal(dir_.Path("journal")), journal);
  }

  // As many instances may be launched as the quota of two leaves.
  void ExpectRoomFor(int count) {
    for (int i = 0; i < count; ++i) EXPECT_EQ(Call(*server_, kBootWork, "").result, "unprotected") << i;
    EXPECT_EQ(Call(*server_, kBootWork, "").result, "QUOTA_EXCEEDED");
  }

  const TempDir dir_;
  const ManualClock clock_;
  JournalingHypervisor hypervisor_{dir_.Path("journal"), nullptr};
  std::unique_ptr<ComputeServer> server_;
};

// The work that is interrupted, where, and how often in a row.
using Crash = std::tuple<std::string_view, WorkStep, int>;

std::string NameOf(const testing::TestParamInfo<Crash>& crash) {
  static constexpr const char* kSteps[] = {"Committed", "BeforeEffect", "AfterEffect", "Completing", "Completed"};
  const auto& [kind, step, crashes] = crash.param;
  std::string name =
      absl::StrCat(std::string(kind), "_", kSteps[static_cast<int>(step)], "_", crashes == 1 ? "Once" : "Twice");
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

class WorkCrashAtStepTest : public WorkCrashTest, public testing::WithParamInterface<Crash> {};

TEST_P(WorkCrashAtStepTest, C14_TheNextServerBringsTheWorkToItsEndOnce) {
  const auto& [kind_view, step, crashes] = GetParam();
  const std::string kind(kind_view);
  for (int crash = 0; crash < crashes; ++crash) {
    // When its completion is durable there is nothing left to die of.
    const bool dies = crash == 0 || step != WorkStep::kCompleted;
    EXPECT_EQ(RunChild(kind, absl::StrCat(static_cast<int>(step))), dies ? SIGKILL : 0);
  }
  StartServer();
  EXPECT_EQ(server_->resumed(), step == WorkStep::kCompleted ? 0 : 1);
  const bool crashed_unasked = step == WorkStep::kCommitted || step == WorkStep::kCompleted;
  EXPECT_EQ(ExpectEachTaskDoneOnce(kind), crashed_unasked ? 1 : crashes + 1);
  ExpectFinished(kind);
  ExpectRetriesStartNothing(kind);
  ExpectRoomFor(kind == kShutDownWork ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(Steps, WorkCrashAtStepTest,
                         testing::Combine(testing::Values(kBootWork, kStopWork, kStartWork, kShutDownWork),
                                          testing::Values(WorkStep::kCommitted, WorkStep::kBeforeEffect,
                                                          WorkStep::kAfterEffect, WorkStep::kCompleting,
                                                          WorkStep::kCompleted),
                                          testing::Values(1, 2)),
                         NameOf);

// The work that is interrupted when a boot fails, and where.
class FailedBootCrashTest : public WorkCrashTest,
                            public testing::WithParamInterface<std::tuple<std::string_view, WorkStep>> {};

TEST_P(FailedBootCrashTest, C14_TheInstanceIsTerminatedAndGivesBackWhatItHasOnce) {
  const auto& [kind_view, step] = GetParam();
  const std::string kind(kind_view);
  const std::string boot(kBootWork);
  EXPECT_EQ(ChildProcess({"--scenario", dir_.Path(), kind, absl::StrCat(static_cast<int>(step)), "failed_boot"}).Wait(),
            SIGKILL);
  {
    JournalingHypervisor failing(dir_.Path("journal"), nullptr, kBootWork);
    ComputeServer server(OptionsIn(dir_.Path(), nullptr), failing, clock_);
    const bool shut_down_is_to_come = kind == boot && step != WorkStep::kCompleted;
    server.AwaitCompleted(server.resumed() + (shut_down_is_to_come ? 1 : 0));
    EXPECT_EQ(server.OpenWork(), 0);
  }
  StartServer();
  EXPECT_EQ(server_->resumed(), 0);
  ASSERT_THAT(server_->Instances(), testing::SizeIs(1));
  EXPECT_EQ(server_->Instances()[0].state_reason().code(), "Server.InternalError");
  std::map<std::string, int> journal = Count(ReadJournal(dir_.Path("journal")));
  for (const std::string_view done : {kBootWork, kShutDownWork}) {
    const std::string task = std::string(done) + " " + server_->Instances()[0].instance_id();
    EXPECT_EQ(journal["did " + task], 1) << task;
  }
  ExpectFinished(std::string(kShutDownWork));
  EXPECT_EQ(Call(*server_, boot, boot).result, "replayed");
  ExpectRoomFor(2);
}

INSTANTIATE_TEST_SUITE_P(Steps, FailedBootCrashTest,
                         testing::Combine(testing::Values(kBootWork, kShutDownWork),
                                          testing::Values(WorkStep::kCommitted, WorkStep::kBeforeEffect,
                                                          WorkStep::kAfterEffect, WorkStep::kCompleting,
                                                          WorkStep::kCompleted)));

// When the commit of the call itself is written but not synced, either all of it is there or nothing.
TEST_F(WorkCrashTest, C14_ACrashBeforeTheCallsOwnCommitIsDurableLeavesAllOrNothing) {
  for (const auto kind : {kStopWork, kStartWork}) {
    SCOPED_TRACE(std::string(kind));
    const TempDir dir;
    ASSERT_EQ(ChildProcess({"--scenario", dir.Path(), std::string(kind), "sync"}).Wait(), SIGKILL);
    JournalingHypervisor hypervisor(dir.Path("journal"), nullptr);
    ComputeServer server(OptionsIn(dir.Path(), nullptr), hypervisor, clock_);
    const ChainReply retry = Call(server, kind, kind);
    EXPECT_THAT(retry.result, testing::AnyOf("executed", "replayed"));
    server.AwaitCompleted(server.resumed() + (retry.result == "executed" ? 1 : 0));
    const ChainReply again = Call(server, kind, kind);
    EXPECT_EQ(again.As<Operation>().name(), retry.As<Operation>().name());
    EXPECT_TRUE(again.As<Operation>().has_response());
    EXPECT_EQ(server.OpenWork(), 0);
    const std::string work =
        absl::StrCat(std::string(kind), " ", server.Instances().at(0).instance_id(), " ", retry.As<Operation>().name());
    std::map<std::string, int> journal = Count(ReadJournal(dir.Path("journal")));
    EXPECT_EQ(journal["told " + work], 1);
    EXPECT_EQ(journal["did " + work], 1);
  }
}

// Arguments: directory, kind of work, and the step to die at, or `sync` for the sync of the call's own commit. A fourth
// one makes it a launch that fails.
void RunAsChild(const std::vector<std::string>& arguments) {
  const std::string& kind = arguments[1];
  if (arguments[2] == "sync") {
    RunScenario(arguments[0], kind, nullptr, [] {
      SetDiskSyncHook([](int) -> int {
        ::raise(SIGKILL);
        std::_Exit(1);
      });
    });
  } else if (arguments.size() > 3) {
    RunScenario(arguments[0], std::string(kBootWork), DieAt(kind, static_cast<WorkStep>(std::stoi(arguments[2]))),
                nullptr, kBootWork);
  } else {
    RunScenario(arguments[0], kind, DieAt(kind, static_cast<WorkStep>(std::stoi(arguments[2]))));
  }
}

}  // namespace
}  // namespace hapax::compute

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--scenario") {
    hapax::compute::RunAsChild({argv + 2, argv + argc});
    return 0;
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
