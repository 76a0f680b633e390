#ifndef HAPAX_TESTS_SERVER_CRASH_SCRIPT_H_
#define HAPAX_TESTS_SERVER_CRASH_SCRIPT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

// What the crash tests' client does, one step after the other.
namespace hapax::compute {

// A call, to be made until the server has settled it. Its effect bears its token's name: instances and hosts by their
// client token, a key pair as its name.
struct ScriptedCall {
  std::string method;   // Without its service's name; a token of AbandonToken is the one that is given up.
  std::string token;    // Empty for TerminateInstances.
  std::string request;  // In text format, without the token and the instance.
  std::string launch;   // The token of the launch whose first instance it is about; empty for none.
  std::string refusal;  // The reason it is refused for, leaving its token free; empty when it is not.
};

struct ScriptStep {
  std::vector<ScriptedCall> calls;                // Made at once.
  bool compact = false;                           // Everything is flushed and compacted.
  absl::Duration advance = absl::ZeroDuration();  // So much time passes.
};

using Script = std::vector<ScriptStep>;

// Every kind of call, its retry, a flush and a compaction of what is there and of what has expired; one at a time.
[[nodiscard]] Script OneAtATime();

// Calls at once: different ones, duplicates, and a launch that races with the abandonment of its token.
[[nodiscard]] Script ManyAtOnce();

// So many steps, drawn at random.
[[nodiscard]] Script RandomScript(int steps, uint64_t seed);

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_CRASH_SCRIPT_H_
