#ifndef PAYMENTS_PAYMENTS_H_
#define PAYMENTS_PAYMENTS_H_

#include <memory>
#include <string>

#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/ids.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_queue.h"

// The kind of work that writes a receipt. It is kept on disk, so it never changes.
inline constexpr char kReceiptWork[] = "payments.receipt";

// payments.v1.Payments with its handlers, to be hosted. `ids` and `work` outlive it.
std::unique_ptr<hapax::HostedService> MakePayments(hapax::IdSource& ids, hapax::WorkQueue& work);

// The driver of that work. It writes each receipt as a file in `directory`.
std::unique_ptr<hapax::WorkDriver> MakeReceiptDriver(std::string directory);

#endif  // PAYMENTS_PAYMENTS_H_
