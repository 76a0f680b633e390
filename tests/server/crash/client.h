#ifndef HAPAX_TESTS_SERVER_CRASH_CLIENT_H_
#define HAPAX_TESTS_SERVER_CRASH_CLIENT_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/base/clock.h"
#include "hapax/tests/server/crash/script.h"
#include "hapax/tests/server/support/compute_server.h"

namespace hapax::compute {

// The client of the crash tests: it remembers what it was told, and holds every server that comes after to it.
//
// Thread-safety: for one thread.
// Lifetime: the clock outlives it.
class CrashClient {
 public:
  explicit CrashClient(const Clock& clock) : clock_(clock) {}

  // Makes those of the calls that are not settled, at once, and holds the answers against what it was told before. True
  // when all are settled; the others are UNAVAILABLE.
  [[nodiscard]] bool Call(const ComputeServer& server, const std::vector<ScriptedCall>& calls);
  // A next step: what is settled may be called again.
  void BeginStep() { settled_.clear(); }

  // The server died: what it did not acknowledge may have happened all the same.
  void ServerDied();

  // Expects of the server, whose work is all done, that what was acknowledged is there and is replayed as it was; that
  // of everything else there is the whole effect and the record, or neither; and that nothing is there twice.
  void Verify(const ComputeServer& server) const;

 private:
  // What is known of a token.
  struct Memory {
    ScriptedCall call;                 // With an effect; its method is empty before one was made.
    std::optional<std::string> reply;  // That was acknowledged.
    absl::Time executed_at;            // Of that.
    bool may_be_executed = false;      // By a server that died before it could tell.
    bool abandonment_was_sent = false;
    bool is_abandoned = false;  // This was acknowledged.
  };
  // What the server shows of effects.
  struct Effects;

  void Take(const ScriptedCall& call, const ChainReply& reply);
  void TakeExecuted(const ScriptedCall& call, const ChainReply& reply);
  void TakeReplayed(const ScriptedCall& call, const ChainReply& reply);
  void TakeAbandonment(const ScriptedCall& call, const ChainReply& reply);

  // Whole requests.
  [[nodiscard]] std::unique_ptr<google::protobuf::Message> RequestOf(const ScriptedCall& call) const;
  [[nodiscard]] bool IsExpired(const Memory& memory) const;

  [[nodiscard]] static Effects EffectsOn(const ComputeServer& server);
  void VerifyToken(const ComputeServer& server, const std::string& name, const Memory& memory, Effects& effects) const;
  void VerifyRetry(const ComputeServer& server, const Memory& memory) const;

  const Clock& clock_;
  std::map<std::string, Memory> memories_;  // By token.
  std::set<size_t> settled_;                // Of the step's calls, by their places.
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_CRASH_CLIENT_H_
