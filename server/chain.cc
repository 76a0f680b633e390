#include "hapax/server/chain.h"

#include <utility>
#include <vector>

#include "hapax/interceptors/access/authorization.h"
#include "hapax/interceptors/call_reads.h"
#include "hapax/interceptors/dispatch.h"
#include "hapax/interceptors/idempotency/idempotency.h"
#include "hapax/interceptors/limits/admission.h"
#include "hapax/interceptors/limits/decoding.h"
#include "hapax/interceptors/limits/reception.h"
#include "hapax/interceptors/limits/scheduling.h"
#include "hapax/interceptors/limits/weighing.h"
#include "hapax/interceptors/resolution.h"
#include "hapax/interceptors/telemetry.h"

namespace hapax {

Chain BuildChain(const ChainOptions& options, const ChainParts& parts, std::unique_ptr<Authenticator> authenticator,
                 std::vector<std::unique_ptr<UnaryInterceptor>> own) {
  std::vector<std::unique_ptr<UnaryInterceptor>> links;
  // First, so that it sees every end, refusals included.
  links.push_back(std::make_unique<Telemetry>(parts.registry, parts.call_log));
  // Before anything is spent on a caller, it is known who that is (C21).
  links.push_back(std::make_unique<Authentication>(std::move(authenticator)));
  // After authentication, so that strangers take no place from callers; before the request is read, which costs memory.
  links.push_back(std::make_unique<Admission>(parts.gate, parts.tenant_gate));
  // What came before looks at metadata alone; what comes after needs the request.
  auto reception = std::make_unique<Reception>(options.request_budget);
  auto weighing = std::make_unique<Weighing>(reception->budget());
  links.push_back(std::move(reception));
  // At once after, so that no more than the request's own bytes stay taken.
  links.push_back(std::move(weighing));
  // Before what costs as much as there are bytes.
  auto scheduling = std::make_unique<Scheduling>(options.reply_budget);
  MessageBudget* const reply_budget = &scheduling->reply_budget();
  const CallReads reads(parts.store, *reply_budget, scheduling->workers());
  links.push_back(std::move(scheduling));
  // Token and place are fields of the request.
  links.push_back(std::make_unique<Decoding>(options.request));
  // Before any record is looked at, so that who may not call learns nothing of tokens (C21).
  links.push_back(std::make_unique<Authorization>());
  // Before whatever needs to know the call's token and place.
  links.push_back(
      std::make_unique<Resolution>(Resolution::Options{.default_region = options.default_region,
                                                       .page_token_key = parts.seal_keys.Derive("page tokens")},
                                   parts.clock));
  // They know all about the call, and see retries, too.
  for (auto& link : own) links.push_back(std::move(link));
  // The last before the handlers: whatever comes after it happens once. Quotas, capacity and existence are
  // the handlers' to check, so a replay meets none of them (C16).
  links.push_back(std::make_unique<Idempotency>(options.policy, parts.store, reads, parts.workers, parts.seal_keys,
                                                parts.clock, parts.token_time));
  // Methods that need no rule; the only ones that Idempotency passes on.
  const CallReads handlers_reads(parts.store, *reply_budget, parts.readers);
  links.push_back(std::make_unique<Dispatch>(parts.store, handlers_reads, parts.clock));
  return Chain(std::move(links));
}

}  // namespace hapax
