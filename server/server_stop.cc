#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "hapax/base/bounded_task.h"
#include "hapax/base/clock.h"
#include "hapax/base/stop_requests.h"
#include "hapax/server/hosting/running_handlers.h"
#include "hapax/server/server.h"
#include "hapax/server/server_parts.h"

// The shutdown of a server.
namespace hapax {
namespace {

constexpr absl::Duration kLameDuckTime = absl::Milliseconds(50);
constexpr absl::Duration kCloseTimeout = absl::Seconds(1);

// The servers that exist. Never destroyed, since it is used at exit.
struct OpenServers {
  std::mutex mu;
  std::vector<Server*> servers;

  static OpenServers& Get() {
    static auto* const kServers = new OpenServers;
    return *kServers;
  }
};

// Keeps the object until the process ends, reachable for leak checkers.
void KeepForGood(std::shared_ptr<void> kept) {
  static std::mutex mu;
  static auto* const kAll = new std::vector<std::shared_ptr<void>>;
  const std::lock_guard<std::mutex> lock(mu);
  kAll->push_back(std::move(kept));
}

}  // namespace

void Server::Parts::EndCalls(absl::Duration timeout) {
  if (host == nullptr) return;
  host->AnnounceShutdown();
  if (http != nullptr) http->AnnounceShutdown();
  gate->Close();
  waiters.Close();
  admin_service->Close();  // A backup may take too long to wait for. Its caller makes another one.
  gate->AwaitIdle(timeout);
  // A closing connection cuts off an arriving call with CANCELLED. So busy clients get a moment to receive UNAVAILABLE
  // instead, and to leave.
  absl::SleepFor(std::min(kLameDuckTime, timeout));
  if (http != nullptr) http->Drain(kCloseTimeout);
  host->Drain(kCloseTimeout);
}

void Server::Parts::End(absl::Duration timeout) {
  if (engine.store == nullptr) return;
  const auto begin = [this](const char* step) {
    ending_step = step;
    return !end_is_abandoned;
  };
  if (!begin("a reload has not ended")) return;
  {
    MonitorLock lock(&reloading);
    has_ended = true;
  }
  store_watch.reset();
  if (!begin("calls in flight have not ended")) return;
  EndCalls(timeout);
  port = 0;
  http_port = 0;
  // No call runs any more. Prepared transactions are committed, and committed ones may still start work. The next start
  // resumes work that is not recorded as done.
  if (!begin("connections have not closed")) return;
  http.reset();
  host.reset();
  if (!begin("what handlers prepare or read has not ended")) return;
  workers.reset();
  readers.reset();
  if (!begin("a backup has not ended")) return;
  admin_service.reset();
  if (!begin("a Perform or Complete of a driver of work has not ended")) return;
  if (work.has_value()) work->Stop();
  if (!begin("the store has not closed")) return;
  expiry_keeper.reset();
  token_time_keeper.reset();
  engine.store = nullptr;
  tls = nullptr;
  log->info("stopped");
}

std::string Server::WhatRuns() const {
  std::vector<const std::string*> names;
  for (const HostedService* service : parts_->hosted) {
    for (const Method& method : service->methods()) names.push_back(&method.name);
  }
  std::vector<const std::string*> running = RunningAmong(names);
  std::sort(running.begin(), running.end());
  running.erase(std::unique(running.begin(), running.end()), running.end());
  const auto append = [](std::string* text, const std::string* name) { text->append(*name); };
  return absl::StrCat(parts_->ending_step.load(),
                      "; handlers that run: ", running.empty() ? "none" : absl::StrJoin(running, ", ", append));
}

absl::Status Server::Stop(absl::Duration timeout) {
  timeout = std::max(timeout, absl::ZeroDuration());
  const absl::Duration until = MonotonicNow() + timeout + parts_->options.stop_grace;
  requests_->Ask();
  const BoundedTask* ending = nullptr;
  {
    MonitorLock lock(&mu_);
    if (ending_ == nullptr) {
      ending_ = std::make_unique<BoundedTask>([parts = parts_, timeout] { parts->End(timeout); });
    }
    ending = ending_.get();
  }
  const bool has_ended = ending->AwaitUntil(until);
  requests_->IgnoreSignals();
  if (has_ended) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("the server has not stopped within ", absl::FormatDuration(timeout),
                                                  " and stop_grace=", absl::FormatDuration(parts_->options.stop_grace),
                                                  ": ", WhatRuns()));
}

bool Server::WasStopped() {
  MonitorLock lock(&mu_);
  return ending_ != nullptr;
}

Server::~Server() {
  {
    OpenServers& open = OpenServers::Get();
    const std::lock_guard<std::mutex> lock(open.mu);
    open.servers.erase(std::remove(open.servers.begin(), open.servers.end(), this), open.servers.end());
  }
  if (!WasStopped()) static_cast<void>(Stop(absl::ZeroDuration()));
  if (ending_->AwaitUntil(-absl::InfiniteDuration())) return;
  parts_->end_is_abandoned = true;
  KeepForGood(parts_);
}

void Server::StopAtExit() {
  {
    OpenServers& open = OpenServers::Get();
    const std::lock_guard<std::mutex> lock(open.mu);
    if (std::count(open.servers.begin(), open.servers.end(), this) == 0) open.servers.push_back(this);
  }
  static_cast<void>(std::atexit([] {
    OpenServers& open = OpenServers::Get();
    const std::lock_guard<std::mutex> lock(open.mu);
    for (Server* server : open.servers) {
      if (!server->WasStopped()) static_cast<void>(server->Stop(absl::ZeroDuration()));
    }
  }));
}

}  // namespace hapax
