#include "hapax/admin/v1/admin.pb.h"
#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"

namespace hapax::ctl {

Action BindAdminStatus(CLI::App& verb) {
  return Asking<admin::v1::GetStatusRequest>(verb, [](CLI::App&, admin::v1::GetStatusRequest&) {});
}

Action BindAdminRetryWork(CLI::App& verb) {
  return Asking<admin::v1::RetryWorkRequest>(verb, [](CLI::App& app, admin::v1::RetryWorkRequest& request) {
    AddText(app, "--kind", *request.mutable_kind(), "Kind of the work, such as compute.boot; all when not given");
  });
}

}  // namespace hapax::ctl
