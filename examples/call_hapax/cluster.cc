#include "cluster.h"

#include <string>

#include "hapax/client/call/client_token.h"
#include "hapax/client/compute_client.h"
#include "hapax/client/journal/journaled_caller.h"
#include "hapax/client/journal/token_journal.h"

namespace {

using namespace hapax::client;
using hapax::compute::v1::AllocateHostsRequest;
using hapax::compute::v1::AllocateHostsResponse;
using hapax::compute::v1::RunInstancesRequest;
using hapax::compute::v1::RunInstancesResponse;

// The token of a step, made from the job's name: the same in every run.
std::string StepToken(const std::string& job, const std::string& step) { return ChildToken(job, step); }

absl::Status LaunchCluster(JournaledCaller& caller, const std::string& job, int instances, Report report) {
  AllocateHostsRequest host;
  host.set_client_token(StepToken(job, "host"));
  host.set_availability_zone("us-east-1a");
  host.set_instance_type("m5.large");
  host.set_auto_placement("on");
  const auto allocated = caller.Call<AllocateHostsResponse>(ComputeClient::Method("AllocateHosts"), host);
  if (!allocated.reply.ok()) return allocated.reply.status();
  report("host " + allocated.reply->host_ids(0) + ": " + OutcomeName(allocated.info.outcome));

  for (int i = 0; i < instances; ++i) {
    RunInstancesRequest request;
    request.set_client_token(StepToken(job, "instance " + std::to_string(i)));
    request.set_image_id("ami-b232d0db");
    request.mutable_placement()->set_host_id(allocated.reply->host_ids(0));
    const auto launched = caller.Call<RunInstancesResponse>(ComputeClient::Method("RunInstances"), request);
    if (!launched.reply.ok()) return launched.reply.status();
    report("instance " + launched.reply->instances(0).instance_id() + ": " + OutcomeName(launched.info.outcome));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunJob(Caller& caller, const std::string& journal_file, const std::string& job, int instances,
                    Report report) {
  auto journal = TokenJournal::Open(journal_file);
  if (!journal.ok()) return journal.status();
  JournaledCaller journaled(caller, **journal);

  // Resumes the calls of an earlier run that got no answer. The steps below would also find out, each for itself.
  auto left_open = journaled.ResumePending([&](const TokenJournal::Intent& intent, const Result<std::string>& result) {
    report("resumed " + intent.call.method + ": " +
           (result.reply.ok() ? OutcomeName(result.info.outcome) : std::string("failed")));
    return true;
  });
  if (!left_open.ok()) return left_open.status();
  return LaunchCluster(journaled, job, instances, report);
}
