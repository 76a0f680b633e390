// Puts a load on a server, and prints one line of JSON (see Recorder::Json). Before that it prints `measuring` when the
// window begins and `measured` when it ends, for a program that measures the server meanwhile. The exit code is 1 if
// any call failed.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hapax/bench/figure.h"
#include "hapax/bench/grpc_load.h"
#include "hapax/bench/http_load.h"
#include "hapax/bench/messages.h"

ABSL_FLAG(std::string, target, "", "HOST:PORT to call; with --protocol=http1 HOST:PORT/PATH to POST to");
ABSL_FLAG(std::string, protocol, "grpc", "grpc; http1: JSON with an Idempotency-Key header; or ec2: EC2's query API");
ABSL_FLAG(std::string, mutation, "launch", "launch: RunInstances of compute; post: Post of the bench's own ledger");
ABSL_FLAG(std::string, figure, "first_execution",
          "first_execution: each mutation under a new token; replay: of mutations that were made before; unprotected: "
          "mutations without a token; read: of one instance");
ABSL_FLAG(int, in_flight, 64, "Calls in flight; with --rate the most there may be");
ABSL_FLAG(double, rate, 0,
          "Calls a second that are due whatever becomes of those before, their latency counting from when they were "
          "due; 0: a call starts when another ends");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(3), "How long to measure");
ABSL_FLAG(absl::Duration, warmup, absl::Seconds(1), "How long to call before that");
ABSL_FLAG(int, tokens, 10000, "How many tokens are replayed; each is executed once before the warm-up");
ABSL_FLAG(uint64_t, filled_tokens, 0,
          "With --figure=replay: replays the tokens that bench_fill put into the table, of which there are so many");
ABSL_FLAG(uint64_t, fill_seed, 1, "bench_fill's --seed");
ABSL_FLAG(int, instances, 1, "Instances that each launch asks for: the size of the reply");
ABSL_FLAG(int, tags, 0, "Over gRPC: tags of each launch, some 12 bytes of request each; Hapax refuses more than 50");
ABSL_FLAG(
    int, connections, 1,
    "Connections of gRPC, which the calls take turns on; at least one for each thread. Over HTTP each call in flight "
    "has its own");
ABSL_FLAG(int, threads, 1, "Threads, each with its share of the calls and connections");
ABSL_FLAG(std::string, tenant, "", "Over gRPC: as whom to call, in x-tenant-id; empty for the server's default");
ABSL_FLAG(std::string, zone, std::string(hapax::bench::kDefaultZone), "Over gRPC: the zone of the launches");
ABSL_FLAG(bool, may_be_refused, false,
          "Over gRPC: calls may be refused with RESOURCE_EXHAUSTED or INVALID_ARGUMENT, and are made again at once");
ABSL_FLAG(std::string, expect_outcome, "", "What hapax-outcome must say: executed, replayed or unprotected");

namespace hapax::bench {
namespace {

// Calls in flight while tokens are executed before a measurement.
constexpr int kPrepareInFlight = 64;
constexpr std::chrono::minutes kPrepareTimeout(10);

int Fail(const std::string& why) {
  std::fprintf(stderr, "bench_load: %s\n", why.c_str());
  return 1;
}

void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// Requires: the flag is one of its values.
bool Posts() { return ParseMutation(absl::GetFlag(FLAGS_mutation)) == Mutation::kPost; }

bool Grpc() { return absl::GetFlag(FLAGS_protocol) == "grpc"; }

// Splits the target into HOST:PORT and /PATH.
std::pair<std::string, std::string> HttpTarget() {
  const std::string target = absl::GetFlag(FLAGS_target);
  const size_t slash = target.find('/');
  if (slash == std::string::npos) return {target, "/"};
  return {target.substr(0, slash), target.substr(slash)};
}

// Makes the constant part of every request.
absl::StatusOr<RequestTemplate> MakeTemplate(Figure figure) {
  const bool with_token = figure == Figure::kFirstExecution || figure == Figure::kReplay;
  if (!Grpc()) {
    const auto [host_and_port, path] = HttpTarget();
    if (absl::GetFlag(FLAGS_protocol) == "ec2") return LaunchForm(host_and_port, with_token);
    return Posts() ? LedgerPost(host_and_port, path, with_token) : LaunchPost(host_and_port, path, with_token);
  }
  if (Posts()) return PostMessage(with_token);
  if (figure != Figure::kRead) {
    return LaunchMessage(absl::GetFlag(FLAGS_instances), with_token, absl::GetFlag(FLAGS_tags),
                         absl::GetFlag(FLAGS_zone));
  }
  NewTokens tokens;
  const RequestTemplate launch = LaunchMessage(1, /*with_token=*/true);
  std::string request(launch.size(), '\0');
  launch.Write(tokens.Next(), request.data());
  const absl::StatusOr<std::string> launched = CallOnce(absl::GetFlag(FLAGS_target), kRunInstances, request);
  if (!launched.ok()) return launched.status();
  return ReadMessage(FirstInstanceId(*launched));
}

const char* MethodOf(Figure figure) {
  if (figure == Figure::kRead) return kDescribeInstances;
  return Posts() ? kPost : kRunInstances;
}

// A connected client for this many calls in flight.
absl::StatusOr<std::unique_ptr<LoadClient>> MakeClient(Figure figure, int connections, int in_flight) {
  std::unique_ptr<LoadClient> client;
  if (Grpc()) {
    client = std::make_unique<GrpcLoad>(absl::GetFlag(FLAGS_target), connections, MethodOf(figure));
  } else {
    client = std::make_unique<HttpLoad>(HttpTarget().first, in_flight);
  }
  if (absl::Status status = client->Connect(); !status.ok()) return status;
  return client;
}

// The share of thread `index` among `of` items.
int Share(int of, int index, int threads) { return of / threads + (index < of % threads ? 1 : 0); }

class Run {
 public:
  Run(Figure figure, const RequestTemplate& bytes) : figure_(figure), template_(bytes) {}

  // Runs the load; returns the exit code.
  int Do() {
    if (figure_ == Figure::kReplay && absl::GetFlag(FLAGS_filled_tokens) == 0) {
      if (absl::Status status = Prepare(); !status.ok()) return Fail(std::string(status.message()));
    }
    for (int i = 0; i < threads_; ++i) {
      auto client = MakeClient(figure_, std::max(Share(absl::GetFlag(FLAGS_connections), i, threads_), 1),
                               Share(absl::GetFlag(FLAGS_in_flight), i, threads_));
      if (!client.ok()) return Fail(std::string(client.status().message()));
      clients_.push_back(*std::move(client));
    }
    const Recorder recorder = Measure();
    if (recorder.errors() > 0) std::fprintf(stderr, "bench_load: %s\n", recorder.first_error().c_str());
    Say(recorder.Json());
    return recorder.errors() == 0 ? 0 : 1;
  }

 private:
  // Executes every token that will be replayed.
  absl::Status Prepare() {
    list_ = MakeTokenList(static_cast<size_t>(absl::GetFlag(FLAGS_tokens)));
    auto client = MakeClient(figure_, 1, kPrepareInFlight);
    if (!client.ok()) return client.status();
    Requests requests(template_, std::make_unique<EachToken>(list_));
    const Instant now = std::chrono::steady_clock::now();
    const Recorder recorder = (*client)->Run(
        {.in_flight = kPrepareInFlight, .window = {now, now + kPrepareTimeout}, .tenant = absl::GetFlag(FLAGS_tenant)},
        requests);
    if (recorder.errors() > 0) return absl::UnknownError(recorder.first_error());
    return absl::OkStatus();
  }

  Recorder Measure() {
    const Instant start = std::chrono::steady_clock::now();
    const Instant from = start + absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_warmup));
    const Window window{from, from + absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_duration))};
    std::vector<Recorder> recorders(clients_.size(), Recorder(window));
    std::vector<std::thread> threads;
    threads.reserve(clients_.size());
    for (int i = 0; i < threads_; ++i) {
      threads.emplace_back([this, plan = PlanOf(i, start, window), i, &recorders] {
        Requests requests(template_, MakeTokens());
        recorders[i] = clients_[i]->Run(plan, requests);
      });
    }
    SleepUntil(window.from);
    Say("measuring");
    SleepUntil(window.to);
    Say("measured");
    for (std::thread& thread : threads) thread.join();
    Recorder merged(window);
    for (const Recorder& recorder : recorders) merged.Merge(recorder);
    return merged;
  }

  LoadPlan PlanOf(int thread, Instant start, Window window) const {
    return {.in_flight = Share(absl::GetFlag(FLAGS_in_flight), thread, threads_),
            .rate = absl::GetFlag(FLAGS_rate) / threads_,
            .start = start,
            .window = window,
            .tenant = absl::GetFlag(FLAGS_tenant),
            .may_be_refused = absl::GetFlag(FLAGS_may_be_refused),
            .expected_outcome = absl::GetFlag(FLAGS_expect_outcome)};
  }

  std::unique_ptr<TokenSource> MakeTokens() const {
    switch (figure_) {
      case Figure::kFirstExecution:
        return std::make_unique<NewTokens>();
      case Figure::kReplay:
        if (const uint64_t filled = absl::GetFlag(FLAGS_filled_tokens); filled > 0) {
          return std::make_unique<FilledTokens>(filled, absl::GetFlag(FLAGS_fill_seed));
        }
        return std::make_unique<AnyToken>(list_);
      case Figure::kUnprotected:
      case Figure::kRead:
        return nullptr;
    }
    return nullptr;
  }

  const Figure figure_;
  const RequestTemplate& template_;
  const int threads_ = absl::GetFlag(FLAGS_threads);
  TokenList list_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
};

// Why the flags contradict each other; empty if they do not.
std::string WrongFlags(std::optional<Figure> figure) {
  const std::string protocol = absl::GetFlag(FLAGS_protocol);
  if (!figure.has_value()) return absl::StrCat("--figure=", absl::GetFlag(FLAGS_figure), " is none");
  if (!ParseMutation(absl::GetFlag(FLAGS_mutation)).has_value())
    return absl::StrCat("--mutation=", absl::GetFlag(FLAGS_mutation), " is none");
  if (Posts() && figure == Figure::kRead) return "--figure=read needs --mutation=launch";
  if (Posts() && protocol == "ec2") return "--protocol=ec2 needs --mutation=launch";
  if (protocol != "grpc" && protocol != "http1" && protocol != "ec2")
    return absl::StrCat("--protocol=", protocol, " is none");
  if (!Grpc() && figure == Figure::kRead) return "--figure=read needs --protocol=grpc";
  if (!Grpc() && !absl::GetFlag(FLAGS_expect_outcome).empty()) return "--expect_outcome needs --protocol=grpc";
  if (!Grpc() && !absl::GetFlag(FLAGS_tenant).empty()) return "--tenant needs --protocol=grpc";
  if (!Grpc() && absl::GetFlag(FLAGS_may_be_refused)) return "--may_be_refused needs --protocol=grpc";
  if (absl::GetFlag(FLAGS_threads) < 1) return "--threads must be at least 1";
  if (absl::GetFlag(FLAGS_in_flight) < absl::GetFlag(FLAGS_threads)) return "--in_flight must be at least --threads";
  if (absl::GetFlag(FLAGS_connections) < 1) return "--connections must be at least 1";
  if (absl::GetFlag(FLAGS_tokens) < 1) return "--tokens must be at least 1";
  if (absl::GetFlag(FLAGS_rate) < 0) return "--rate must not be negative";
  return "";
}

int Main() {
  const std::optional<Figure> figure = ParseFigure(absl::GetFlag(FLAGS_figure));
  if (const std::string wrong = WrongFlags(figure); !wrong.empty()) return Fail(wrong);
  const absl::StatusOr<RequestTemplate> bytes = MakeTemplate(*figure);
  if (!bytes.ok()) return Fail(std::string(bytes.status().message()));
  return Run(*figure, *bytes).Do();
}

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hapax::bench::Main();
}
