// A client for tests of a hostile network: threads that launch an instance a call, each over a connection of its own.
// A line for each call that has ended, with tabs between:
//
//   TOKEN OUTCOME ATTEMPTS INSTANCE_IDS    OUTCOME: executed, replayed, or error:CODE message
//
// With a journal it first resumes what is left there, and a call's line is written before its intent is taken out.
// Exit code 0: every call succeeded, and the journal is empty.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/compute_client.h"
#include "hapax/client/journal/journaled_caller.h"

ABSL_FLAG(std::string, endpoint, "", "HOST:PORT to call");
ABSL_FLAG(std::string, tenant, "default", "Whose calls they are");
ABSL_FLAG(int, threads, 2, "Calls under way at a time");
ABSL_FLAG(int, calls, 100, "Calls in all, besides those resumed");
ABSL_FLAG(uint64_t, seed, 1, "Of the requests");
ABSL_FLAG(std::string, journal, "", "Path of the journal; empty for none");

namespace {

using hapax::client::Caller;
using hapax::client::ComputeClient;
using hapax::client::Result;
using hapax::compute::v1::RunInstancesRequest;
using hapax::compute::v1::RunInstancesResponse;

// The network is bad, but there is hope: no budget, and hedges.
Caller::Options Persistent() {
  return {.retry = {.timeout = absl::Minutes(1),
                    .attempt_timeout = absl::Seconds(5),
                    .initial_backoff = absl::Milliseconds(20),
                    .max_backoff = absl::Milliseconds(500),
                    .max_attempts = 1000,
                    .hedge_delay = absl::Milliseconds(500)},
          .budget = {.capacity = 1e9}};
}

std::unique_ptr<Caller> NewCaller() {
  auto connection =
      hapax::client::Connect({.endpoint = absl::GetFlag(FLAGS_endpoint), .tenant = absl::GetFlag(FLAGS_tenant)});
  return std::make_unique<Caller>(*std::move(connection), Persistent());
}

// One write, so that lines of several threads do not mix, and none is half there after a kill.
bool Report(const Result<RunInstancesResponse>& end) {
  std::vector<std::string> ids;
  std::string outcome = OutcomeName(end.info.outcome);
  if (end.reply.ok()) {
    for (const auto& instance : end.reply->instances()) ids.push_back(instance.instance_id());
  } else {
    outcome = absl::StrCat("error:", end.reply.status().ToString());
  }
  const std::string line =
      absl::StrCat(end.info.token, "\t", outcome, "\t", end.info.attempts, "\t", absl::StrJoin(ids, ","), "\n");
  return write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

class HostileClient {
 public:
  explicit HostileClient(std::unique_ptr<hapax::client::TokenJournal> journal) : journal_(std::move(journal)) {}

  // Whether all that was left open has succeeded.
  bool Resume() {
    const std::unique_ptr<Caller> caller = NewCaller();
    hapax::client::JournaledCaller journaled(*caller, *journal_);
    const absl::StatusOr<int> left = journaled.ResumePending([](const auto&, const Result<std::string>& end) {
      return Report(hapax::client::ParseReply<RunInstancesResponse>(end)) && end.reply.ok();
    });
    return left.ok() && *left == 0;
  }

  // Whether all calls succeeded.
  bool Run(int threads, int calls) {
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([this, i, calls] { CallInTurn(static_cast<uint64_t>(i), calls); });
    }
    for (std::thread& thread : running) thread.join();
    return failed_ == 0;
  }

 private:
  void CallInTurn(uint64_t thread, int calls) {
    std::seed_seq seed{absl::GetFlag(FLAGS_seed), thread};
    std::mt19937_64 random(seed);
    const std::unique_ptr<Caller> caller = NewCaller();
    while (started_++ < calls) {
      RunInstancesRequest request;
      request.set_image_id("ami-b232d0db");
      constexpr const char* kZones[] = {"", "us-east-1a", "us-east-1b", "eu-west-1c"};
      request.mutable_placement()->set_availability_zone(kZones[random() % std::size(kZones)]);
      if (!Launch(*caller, request)) ++failed_;
    }
  }

  bool Launch(Caller& caller, const RunInstancesRequest& request) {
    if (journal_ == nullptr) {
      const auto end = ComputeClient(caller).RunInstances(request);
      return Report(end) && end.reply.ok();
    }
    hapax::client::JournaledCaller journaled(caller, *journal_);
    return journaled.Call<RunInstancesResponse>(ComputeClient::Method("RunInstances"), request, {}, Report).reply.ok();
  }

  const std::unique_ptr<hapax::client::TokenJournal> journal_;
  std::atomic<int> started_ = 0;
  std::atomic<int> failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  std::unique_ptr<hapax::client::TokenJournal> journal;
  if (const std::string path = absl::GetFlag(FLAGS_journal); !path.empty()) {
    auto opened = hapax::client::TokenJournal::Open(path);
    if (!opened.ok()) {
      std::cerr << opened.status() << std::endl;
      return 1;
    }
    journal = *std::move(opened);
  }
  const bool has_journal = journal != nullptr;
  HostileClient client(std::move(journal));
  bool succeeded = !has_journal || client.Resume();
  succeeded = client.Run(absl::GetFlag(FLAGS_threads), absl::GetFlag(FLAGS_calls)) && succeeded;
  return succeeded ? 0 : 1;
}
