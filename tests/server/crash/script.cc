#include "hapax/tests/server/crash/script.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/tests/support/log_record.h"

namespace hapax::compute {
namespace {

// Longer than a reply is kept, and shorter than its tombstone.
constexpr absl::Duration kADay = absl::Hours(25);
// In all no tombstone is dropped.
constexpr int kMaxDays = 20;

// Its tag is a write in the log, as it seems: where the write that holds it is cut off, the log must not seem to go on.
ScriptedCall Launch(std::string token, int count = 1) {
  return {.method = "RunInstances",
          .token = std::move(token),
          .request = absl::StrCat("image_id: 'ami-1' min_count: ", count, " tags { key: 'hostile' value: '",
                                  absl::CEscape(SoundLogRecordInAscii(count)), "' }")};
}
ScriptedCall LaunchOfUnknownImage(std::string token) {
  return {.method = "RunInstances",
          .token = std::move(token),
          .request = "image_id: 'ami-none'",
          .refusal = "IMAGE_NOT_FOUND"};
}
ScriptedCall MakeKeypair(std::string token) {
  std::string request = absl::StrCat("key_name: '", token, "'");
  return {.method = "CreateKeypair", .token = std::move(token), .request = std::move(request)};
}
ScriptedCall Allocate(std::string token) {
  return {.method = "AllocateHosts",
          .token = std::move(token),
          .request = "availability_zone: 'us-east-1b' instance_type: 'm5.large' quantity: 1"};
}
ScriptedCall Stop(std::string token, std::string launch) {
  return {.method = "StopInstance", .token = std::move(token), .launch = std::move(launch)};
}
ScriptedCall Start(std::string token, std::string launch) {
  return {.method = "StartInstance", .token = std::move(token), .launch = std::move(launch)};
}
ScriptedCall Terminate(std::string launch) { return {.method = "TerminateInstances", .launch = std::move(launch)}; }
ScriptedCall Abandon(std::string token) { return {.method = "AbandonToken", .token = std::move(token)}; }

// Draws steps that the server can carry out: it knows which instances run.
class Drawing {
 public:
  explicit Drawing(uint64_t seed) : random_(seed) {}

  ScriptStep Step() {
    ScriptStep step;
    switch (Below(16)) {
      case 0:
        step.compact = true;
        return step;
      case 1:
        step.advance = days_++ < kMaxDays ? kADay : absl::Hours(1);
        return step;
      default:
        break;
    }
    busy_.clear();
    for (uint64_t count = 1 + Below(4); count > 0; --count) Add(step.calls);
    return step;
  }

 private:
  enum class Power { kOn, kOff, kGone };

  uint64_t Below(uint64_t end) { return random_() % end; }
  std::string NewToken() { return absl::StrCat("token-", ++last_token_); }

  void Add(std::vector<ScriptedCall>& calls) {
    switch (Below(9)) {
      case 0:
      case 1:
        AddLaunch(calls);
        return;
      case 2:
        AddNew(calls, MakeKeypair(NewToken()));
        return;
      case 3:
        if (hosts_++ < 3) AddNew(calls, Allocate(NewToken()));
        return;
      case 4: {
        // A duplicate, or a late retry.
        if (!made_.empty()) calls.push_back(made_[Below(made_.size())]);
        return;
      }
      case 5: {
        const std::string token = NewToken();
        calls.push_back(Launch(token));
        calls.push_back(Abandon(token));
        return;
      }
      case 6:
        calls.push_back(LaunchOfUnknownImage(NewToken()));
        return;
      default:
        AddPower(calls);
        return;
    }
  }
  void AddLaunch(std::vector<ScriptedCall>& calls) {
    const std::string token = NewToken();
    AddNew(calls, Launch(token, 1 + static_cast<int>(Below(2))));
    launches_.emplace_back(token, Power::kOn);
    busy_.push_back(launches_.size() - 1);
  }
  void AddNew(std::vector<ScriptedCall>& calls, ScriptedCall call) {
    made_.push_back(call);
    calls.push_back(std::move(call));
  }
  void AddPower(std::vector<ScriptedCall>& calls) {
    if (launches_.empty()) return;
    const size_t chosen = Below(launches_.size());
    if (std::find(busy_.begin(), busy_.end(), chosen) != busy_.end()) return;
    busy_.push_back(chosen);
    auto& [launch, power] = launches_[chosen];
    if (power == Power::kGone) return;
    if (Below(4) == 0) {
      calls.push_back(Terminate(launch));
      power = Power::kGone;
      return;
    }
    AddNew(calls, power == Power::kOn ? Stop(NewToken(), launch) : Start(NewToken(), launch));
    power = power == Power::kOn ? Power::kOff : Power::kOn;
  }

  std::mt19937_64 random_;
  int last_token_ = 0;
  int hosts_ = 0;
  int days_ = 0;
  std::vector<ScriptedCall> made_;
  std::vector<std::pair<std::string, Power>> launches_;  // By token.
  std::vector<size_t> busy_;                             // Those that the step has something to do with already.
};

}  // namespace

Script OneAtATime() {
  return {
      {.calls = {Launch("run-1", 2)}},
      {.calls = {MakeKeypair("key-1")}},
      {.compact = true},
      {.calls = {Allocate("host-1")}},
      {.calls = {Launch("run-1", 2)}},
      {.calls = {Stop("stop-1", "run-1")}},
      {.calls = {Abandon("abandoned")}},
      {.calls = {Launch("abandoned")}},
      {.calls = {LaunchOfUnknownImage("run-2")}},
      {.calls = {Launch("run-2")}},
      {.calls = {Start("start-1", "run-1")}},
      {.compact = true},
      {.advance = kADay},
      {.calls = {Launch("run-1", 2)}},
      {.calls = {Launch("run-3")}},
      {.compact = true},
      {.calls = {Terminate("run-3")}},
      {.calls = {MakeKeypair("key-2")}},
  };
}

Script ManyAtOnce() {
  return {
      {.calls = {Launch("run-1"), Launch("run-1"), Launch("run-2", 2), MakeKeypair("key-1"), Allocate("host-1")}},
      {.compact = true},
      {.calls = {Stop("stop-1", "run-1"), Launch("raced"), Abandon("raced"), MakeKeypair("key-1"), MakeKeypair("key-2"),
                 Stop("stop-1", "run-1")}},
      {.calls = {Start("start-1", "run-1"), Terminate("run-2"), Launch("run-3"), Launch("run-2", 2)}},
  };
}

Script RandomScript(int steps, uint64_t seed) {
  Drawing drawing(seed);
  Script script;
  for (int step = 0; step < steps; ++step) script.push_back(drawing.Step());
  return script;
}

}  // namespace hapax::compute
