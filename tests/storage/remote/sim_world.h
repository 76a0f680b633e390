#ifndef HAPAX_TESTS_STORAGE_REMOTE_SIM_WORLD_H_
#define HAPAX_TESTS_STORAGE_REMOTE_SIM_WORLD_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/context.h"
#include "hapax/storage/remote/engine.h"
#include "hapax/storage/remote/executor.h"
#include "hapax/tests/storage/remote/sim_cluster.h"

// A cluster and several servers whose every step is chosen by a test.
//
//   message    a request on its way. When delivered, it takes effect and its answer arrives, in one step
//   broken     of a message: its sender gets an error. It takes effect before that, or later, or never
//   late       a broken message that may still be delivered
namespace hapax {

// How many faults of each kind may happen.
struct SimFaults {
  int breaks = 0;
  int duplicates = 0;  // A commit is delivered twice; the answer is that to the second.
  int crashes = 0;     // A server loses its memory and starts again.
};

class SimServer;

class SimWorld {
 public:
  struct Options {
    int servers = 1;
    SimFaults faults;
    SimWeakness weakness;
    // See RemoteOptions.
    bool guess_first = false;
    int max_fetches = 3;
    size_t max_group = 64;
    bool same_id = false;  // All servers have the same slots.
    int slots = 1;         // Of each server.
    absl::Duration patience = absl::InfiniteDuration();
  };
  // One of the steps that may come next.
  struct Step {
    const char* what;
    std::function<void()> take;
  };

  // Servers start one after another, without faults.
  explicit SimWorld(const Options& options);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  [[nodiscard]] SimCluster& cluster() { return cluster_; }
  [[nodiscard]] RemoteEngine& engine(int server);
  // Is called after the server has lost its memory and was started again.
  void OnCrash(std::function<void(int server)> on_crash) { on_crash_ = std::move(on_crash); }

  // All steps that may come next; those of messages come before those of timers. Empty: nothing will happen any more.
  [[nodiscard]] std::vector<Step> Steps();
  // Runs the local work of all servers until nothing is left but messages and timers.
  void Settle();
  // Takes the first step until nothing happens any more, or `until` holds.
  void RunUntil(const std::function<bool()>& until);
  // Takes the first of the next steps of this name. Requires: there is one.
  void Take(std::string_view what);
  // Takes the last of these.
  void TakeLast(std::string_view what);
  // Fires the timers of the server that are pending now, although messages are on their way.
  void FireTimers(int server);
  // Late messages that were not delivered so far arrive.
  void DeliverLate();

 private:
  friend class SimBackend;

  // A request. A commit or a raise may break; others are told again by the engine anyway.
  struct Message {
    int server = 0;
    bool may_break = false;
    bool may_repeat = false;
    std::function<void()> apply;   // Takes effect, and keeps the answer.
    std::function<void()> answer;  // Gives the answer. Null once it was given or its server crashed.
    std::function<void()> fail;    // Gives an error instead.
    bool is_late = false;
  };

  void Send(Message message);
  void AddStepsOf(std::list<Message>::iterator message, std::vector<Step>& steps);
  void Crash(int server);
  void StartServer(int server);

  const Options options_;
  SimFaults faults_;  // Left.
  SimCluster cluster_;
  std::list<Message> messages_;
  std::vector<std::unique_ptr<SimServer>> servers_;
  std::function<void(int)> on_crash_;
  int starts_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_SIM_WORLD_H_
