#ifndef PAYMENTS_PAYMENTS_H_
#define PAYMENTS_PAYMENTS_H_

#include <memory>

#include "hapax/server/hosting/hosted_service.h"

// payments.v1.Payments with its handlers, to be hosted.
std::unique_ptr<hapax::HostedService> MakePayments();

#endif  // PAYMENTS_PAYMENTS_H_
