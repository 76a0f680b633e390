// A job that embeds the client. It launches a cluster step by step, and repeats no step, however often it dies and is
// restarted. Usage: cluster ENDPOINT JOURNAL JOB_NAME INSTANCES
#include <cstdio>
#include <cstdlib>
#include <string>

#include "hapax/client/call/caller.h"
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

absl::Status LaunchCluster(JournaledCaller& caller, const std::string& job, int instances) {
  AllocateHostsRequest host;
  host.set_client_token(StepToken(job, "host"));
  host.set_availability_zone("us-east-1a");
  host.set_instance_type("m5.large");
  host.set_auto_placement("on");
  const auto allocated = caller.Call<AllocateHostsResponse>(ComputeClient::Method("AllocateHosts"), host);
  if (!allocated.reply.ok()) return allocated.reply.status();
  std::printf("host %s: %s\n", allocated.reply->host_ids(0).c_str(), OutcomeName(allocated.info.outcome).c_str());

  for (int i = 0; i < instances; ++i) {
    RunInstancesRequest request;
    request.set_client_token(StepToken(job, "instance " + std::to_string(i)));
    request.set_image_id("ami-b232d0db");
    request.mutable_placement()->set_host_id(allocated.reply->host_ids(0));
    const auto launched = caller.Call<RunInstancesResponse>(ComputeClient::Method("RunInstances"), request);
    if (!launched.reply.ok()) return launched.reply.status();
    std::printf("instance %s: %s\n", launched.reply->instances(0).instance_id().c_str(),
                OutcomeName(launched.info.outcome).c_str());
  }
  return absl::OkStatus();
}

absl::Status Run(const std::string& endpoint, const std::string& journal_file, const std::string& job, int instances) {
  auto connection = Connect({.endpoint = endpoint});
  if (!connection.ok()) return connection.status();
  Caller caller(*connection);
  auto journal = TokenJournal::Open(journal_file);
  if (!journal.ok()) return journal.status();
  JournaledCaller journaled(caller, **journal);

  // Resumes the calls of an earlier run that got no answer. The steps below would also find out, each for itself.
  auto left_open = journaled.ResumePending([](const TokenJournal::Intent& intent, const Result<std::string>& result) {
    std::printf("resumed %s: %s\n", intent.call.method.c_str(),
                result.reply.ok() ? OutcomeName(result.info.outcome).c_str() : "failed");
    return true;
  });
  if (!left_open.ok()) return left_open.status();
  return LaunchCluster(journaled, job, instances);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: cluster ENDPOINT JOURNAL JOB_NAME INSTANCES\n");
    return 2;
  }
  const absl::Status status = Run(argv[1], argv[2], argv[3], std::atoi(argv[4]));
  if (status.ok()) return 0;
  std::fprintf(stderr, "cluster: %s\n", std::string(status.message()).c_str());
  return 1;
}
