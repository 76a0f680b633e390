#ifndef HAPAX_CLIENT_HAPAXCTL_COMMANDS_OPERATION_WAIT_H_
#define HAPAX_CLIENT_HAPAXCTL_COMMANDS_OPERATION_WAIT_H_

#include "hapax/client/hapaxctl/commands/session.h"
#include "hapax/external/longrunning/operations.pb.h"

namespace hapax::ctl {

// Waits until the operation is done, also over restarts of the server, for as long as is left of --timeout, and leaves
// it as it stands then. A terminal on stderr sees how long it takes and in which state the instance is.
// Returns kDone; kRefused when the operation failed, or does not exist; kNotNow when the time is over. All but the
// first are said.
ExitCode WaitUntilDone(Session& session, external::longrunning::Operation& operation);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_OPERATION_WAIT_H_
