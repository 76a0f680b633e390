#ifndef HAPAX_CLIENT_HAPAXCTL_COMMANDS_COMMAND_H_
#define HAPAX_CLIENT_HAPAXCTL_COMMANDS_COMMAND_H_

#include <functional>
#include <vector>

#include "CLI/CLI.hpp"
#include "hapax/client/hapaxctl/commands/session.h"
#include "hapax/client/hapaxctl/output/exit_code.h"

namespace hapax::ctl {

// The action of a verb, run after its flags are read.
using Action = std::function<ExitCode(Session&)>;

// A verb. Its flags fill a request directly, which its action sends.
struct Command {
  const char* name;
  const char* about;
  const char* example;             // A runnable line, without `hapaxctl `.
  Action (*bind)(CLI::App& verb);  // Adds the flags, and returns the action.
  bool takes_token = false;        // Whether it has one effect, named by --x-client-token.
  bool is_patient = false;         // Whether one attempt may take all of --timeout.
  bool prints_reply = true;        // Whether --query applies to its output.
  bool prints_table = false;       // Whether the output is a table, unless --output or --query is given.
};

// Verbs below a common word, such as those of `token`.
struct CommandGroup {
  const char* name;
  const char* about;
  std::vector<Command> commands;
};

// The verbs of `aws ec2`, available both directly and below `ec2`.
[[nodiscard]] const std::vector<Command>& Ec2Commands();
// The other verbs that are available directly.
[[nodiscard]] const std::vector<Command>& OwnCommands();
[[nodiscard]] const std::vector<CommandGroup>& CommandGroups();

// commands_instances.cc
Action BindRunInstances(CLI::App& verb);
Action BindTerminateInstances(CLI::App& verb);
Action BindDescribeInstances(CLI::App& verb);
// commands_power.cc
Action BindStartInstances(CLI::App& verb);
Action BindStopInstances(CLI::App& verb);
// commands_hosts.cc
Action BindAllocateHosts(CLI::App& verb);
Action BindReleaseHosts(CLI::App& verb);
Action BindDescribeHosts(CLI::App& verb);
// commands_key_pairs.cc
Action BindCreateKeyPair(CLI::App& verb);
Action BindDeleteKeyPair(CLI::App& verb);
Action BindDescribeKeyPairs(CLI::App& verb);
// commands_places.cc
Action BindDescribeSubnets(CLI::App& verb);
Action BindDescribeAvailabilityZones(CLI::App& verb);
// commands_token.cc
Action BindTokenGet(CLI::App& verb);
Action BindTokenList(CLI::App& verb);
Action BindTokenAbandon(CLI::App& verb);
Action BindTokenPolicy(CLI::App& verb);
// commands_operation.cc
Action BindOperationGet(CLI::App& verb);
Action BindOperationList(CLI::App& verb);
Action BindOperationWait(CLI::App& verb);
// commands_access_keys.cc
Action BindNewAccessKey(CLI::App& verb);
// commands_api_keys.cc
Action BindNewApiKey(CLI::App& verb);
// commands_backups.cc
Action BindAdminBackup(CLI::App& verb);
Action BindAdminListBackups(CLI::App& verb);
Action BindAdminRestore(CLI::App& verb);
// commands_work.cc
Action BindAdminStatus(CLI::App& verb);
Action BindAdminRetryWork(CLI::App& verb);
// commands_copy.cc
Action BindAdminCopy(CLI::App& verb);
// commands_inspect.cc
Action BindAdminInspect(CLI::App& verb);
// commands_resume.cc
Action BindResume(CLI::App& verb);
// commands_completion.cc
Action BindCompletionBash(CLI::App& verb);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_COMMAND_H_
