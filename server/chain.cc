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
  // First, so that it sees the end of every call, including refusals.
  links.push_back(std::make_unique<Telemetry>(parts.registry, parts.call_log));
  // Identifies the caller before anything is spent on it (C21).
  links.push_back(std::make_unique<Authentication>(std::move(authenticator)));
  // After authentication, so that strangers take no caller's place; before the request is read, since that takes
  // memory.
  links.push_back(std::make_unique<Admission>(parts.gate, parts.tenant_gate));
  // The links above use metadata only; those below need the request.
  auto reception = std::make_unique<Reception>(options.request_budget);
  auto weighing = std::make_unique<Weighing>(reception->budget());
  links.push_back(std::move(reception));
  // Right after reception, so that only the request's own bytes stay reserved.
  links.push_back(std::move(weighing));
  // Before the links whose cost grows with the bytes.
  auto scheduling = std::make_unique<Scheduling>(options.reply_budget);
  MessageBudget* const reply_budget = &scheduling->reply_budget();
  const CallReads reads(parts.store, *reply_budget, scheduling->workers());
  links.push_back(std::move(scheduling));
  // Token and place are fields of the request.
  links.push_back(std::make_unique<Decoding>(options.request));
  // Before any record is read, so that an unauthorized caller learns nothing about tokens (C21).
  links.push_back(std::make_unique<Authorization>());
  // Before every link that needs the call's token and place.
  links.push_back(
      std::make_unique<Resolution>(Resolution::Options{.default_region = options.default_region,
                                                       .page_token_key = parts.seal_keys.Derive("page tokens")},
                                   parts.clock));
  // These know everything about the call, and see retries as well.
  for (auto& link : own) links.push_back(std::move(link));
  // Last before the handlers: everything after it happens once. Handlers check quotas, capacity and existence, so a
  // replay meets none of these checks (C16).
  links.push_back(std::make_unique<Idempotency>(options.policy, parts.store, reads, parts.workers, parts.seal_keys,
                                                parts.clock, parts.token_time));
  // Runs methods without a rule; Idempotency passes only those on.
  const CallReads handlers_reads(parts.store, *reply_budget, parts.readers);
  links.push_back(std::make_unique<Dispatch>(parts.store, handlers_reads, parts.clock));
  return Chain(std::move(links));
}

}  // namespace hapax
