#ifndef CLUSTER_CLUSTER_H_
#define CLUSTER_CLUSTER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "hapax/client/call/caller.h"

// Receives a line for each step that is done, such as `host h-1: executed`.
using Report = absl::FunctionRef<void(const std::string& line)>;

// Launches a cluster step by step: a host, then instances on it. It first resumes the calls in the journal that an
// earlier run left open. Another run of the same job repeats no step.
// Errors: those of the first step that failed, and of the journal. Another run goes on from there.
absl::Status RunJob(hapax::client::Caller& caller, const std::string& journal_file, const std::string& job,
                    int instances, Report report);

#endif  // CLUSTER_CLUSTER_H_
