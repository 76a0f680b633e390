#ifndef PROVISION_PROVISIONER_H_
#define PROVISION_PROVISIONER_H_

#include <memory>
#include <string>

#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_queue.h"

// The kind of work that makes a database. It is kept on disk, so it stays what it is.
inline constexpr char kCreateWork[] = "provision.create";

// provision.v1.Provisioner with its handlers, to be hosted. `work` and `operations` outlive it.
std::unique_ptr<hapax::HostedService> MakeProvisioner(hapax::WorkQueue& work, const hapax::Operations& operations);

// The driver of that work. Each database becomes a directory on the disk, which is a directory itself. `operations`
// outlives it.
std::unique_ptr<hapax::WorkDriver> MakeCreateDriver(std::string disk, const hapax::Operations& operations);

#endif  // PROVISION_PROVISIONER_H_
