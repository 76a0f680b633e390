#ifndef HAPAX_TESTS_STORAGE_REMOTE_SIM_CALLS_H_
#define HAPAX_TESTS_STORAGE_REMOTE_SIM_CALLS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/remote/sim_world.h"

// Calls on the servers of a simulated world, and a checker of what they were told.
//
//   rows of Table::kResources   "effect/<run>"   one for each effect; the value names token or call
//                               "count"          how many there are
//   rows of Table::kTokens      "<token>"        the run whose effect it is
//
// Each run of a call's body has a name of its own, so that two effects of one call are told apart.
namespace hapax {

struct SimCall {
  enum class Kind {
    kExecute,  // With a token: an effect, or a replay of the token's.
    kPlain,    // Without a token: an effect.
    kLimited,  // Like kPlain, if a scan finds no effect.
    kLook,     // Whether there is a record of the token; only reads.
  };
  Kind kind = Kind::kExecute;
  int server = 0;
  std::string token;
  // An effect is refused if there are as many already.
  int quota = 1'000;
  // Begins when the call of this number was told; -1: at once.
  int after = -1;
};

class SimCalls {
 public:
  // Begins the calls. Lifetime: `world` outlives it.
  SimCalls(SimWorld& world, const std::vector<SimCall>& calls);

  // What broke an invariant so far; empty: nothing. To be asked after each step.
  [[nodiscard]] std::string Violation();
  // What is wrong at the end, when nothing happens any more.
  [[nodiscard]] std::string ViolationAtEnd();

 private:
  struct State {
    enum class Told { kNothing, kExecuted, kReplayed, kRefused, kFree, kFound, kUnavailable, kLost };
    SimCall call;
    std::string name;
    bool is_open = false;  // It has begun and was not told.
    int runs = 0;
    std::string result;             // Of the last run: the name of the run whose effect it told of.
    Told outcome = Told::kNothing;  // As the last run would tell.
    Told told = Told::kNothing;
    bool was_recorded = false;  // Its token was when the call began.
    bool found_effect = false;  // There was one when it was told.
  };

  void Begin(const std::shared_ptr<State>& state);
  static absl::Status RunBody(State& state, Transaction& txn);
  [[nodiscard]] std::string Check();
  [[nodiscard]] std::string CheckTold(const State& state) const;
  [[nodiscard]] std::string Row(Table table, const std::string& key) const;
  // The runs with an effect of the token or call.
  [[nodiscard]] std::vector<std::string> EffectsOf(const std::string& owner) const;
  [[nodiscard]] int EffectCount() const;

  SimWorld& world_;
  std::vector<std::shared_ptr<State>> calls_;
  std::string violation_;  // The first.
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_SIM_CALLS_H_
