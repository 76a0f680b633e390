#ifndef HAPAX_CLIENT_HAPAXCTL_COMMANDS_OPERATION_WAIT_H_
#define HAPAX_CLIENT_HAPAXCTL_COMMANDS_OPERATION_WAIT_H_

#include "hapax/client/hapaxctl/commands/session.h"
#include "hapax/external/longrunning/operations.pb.h"

namespace hapax::ctl {

// Waits for the operation until it is done or --timeout has passed, also across restarts of the server. Updates
// `operation` to its last state. If stderr is a terminal, shows the elapsed time and the state of the instance.
//
// Returns kDone; kRefused when the operation failed or does not exist; kNotNow when the time is over. Reports the last
// two.
ExitCode WaitUntilDone(Session& session, external::longrunning::Operation& operation);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_OPERATION_WAIT_H_
