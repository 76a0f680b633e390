#ifndef HAPAX_BENCH_LEDGER_H_
#define HAPAX_BENCH_LEDGER_H_

#include <memory>

#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/ids.h"

namespace hapax::bench {

// bench.v1.Ledger with its handler, to be hosted. A posting is one row of its own. `ids` outlives it.
[[nodiscard]] std::unique_ptr<HostedService> MakeLedger(IdSource& ids);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_LEDGER_H_
