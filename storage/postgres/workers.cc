#include "hapax/storage/postgres/workers.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/storage/postgres/requests.h"

namespace hapax {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Milliseconds(320);

PgReply NotSent(absl::Status status) {
  PgReply reply;
  reply.status = std::move(status);
  return reply;
}

absl::Status Closing() { return absl::UnavailableError("the connection to PostgreSQL is closing"); }

int64_t BytesOf(const std::vector<PgCall>& calls) {
  int64_t bytes = 0;
  for (const PgCall& call : calls) {
    for (const std::string& parameter : call.parameters) bytes += static_cast<int64_t>(parameter.size());
  }
  return bytes;
}

}  // namespace

PgWorkers::PgWorkers(const PostgresOptions& options, PgConnector& connector)
    : options_(options), connector_(connector), wake_fd_(::eventfd(0, EFD_CLOEXEC)) {
  HAPAX_CHECK(wake_fd_ >= 0, "an eventfd can be had");
  for (int i = 0; i < options_.read_connections; ++i) {
    threads_.emplace_back([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { Serve(reads_); });
  }
  for (int i = 0; i < options_.commit_connections; ++i) {
    threads_.emplace_back([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { Serve(commits_); });
  }
}

PgWorkers::~PgWorkers() {
  {
    MonitorLock lock(&mu_);
    closing_ = true;
    mu_.WakeAll();
  }
  ::eventfd_write(wake_fd_, 1);
  for (std::thread& thread : threads_) thread.join();
  ::close(wake_fd_);
}

void PgWorkers::Release(const std::string& slot) {
  Start(commits_, Kind::kRelease, slot, RollBackCalls(), [](PgReply) {});
}

void PgWorkers::Start(Queue& queue, Kind kind, std::string slot, std::vector<PgCall> calls, Done done) {
  auto request = std::make_unique<Request>();
  request->kind = kind;
  request->slot = std::move(slot);
  request->bytes = BytesOf(calls);
  request->calls = std::move(calls);
  request->done = std::move(done);
  request->deadline = MonotonicNow() + options_.request_timeout;
  absl::Status refusal;
  {
    MonitorLock lock(&mu_);
    if (closing_) {
      refusal = Closing();
    } else if (unfinished_ >= options_.max_requests || bytes_ + request->bytes > options_.max_request_bytes) {
      refusal = absl::UnavailableError("too many requests to PostgreSQL are unfinished");
    } else {
      ++unfinished_;
      bytes_ += request->bytes;
      queue.push_back(std::move(request));
      mu_.WakeAll();
      return;
    }
  }
  std::move(request->done)(NotSent(std::move(refusal)));
}

std::unique_ptr<PgWorkers::Request> PgWorkers::Next(Queue& queue) {
  MonitorLock lock(&mu_);
  mu_.Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closing_ || !queue.empty(); });
  if (queue.empty()) return nullptr;
  std::unique_ptr<Request> request = std::move(queue.front());
  queue.pop_front();
  return request;
}

void PgWorkers::Serve(Queue& queue) {
  std::unique_ptr<PgSession> session;
  while (std::unique_ptr<Request> request = Next(queue)) {
    PgReply reply;
    if (!RunInOpenTransaction(*request, reply) && request->kind != Kind::kRelease) {
      reply = RunUntilItIsKnown(*request, session);
    }
    std::move(request->done)(std::move(reply));
    MonitorLock lock(&mu_);
    --unfinished_;
    bytes_ -= request->bytes;
  }
}

bool PgWorkers::RunInOpenTransaction(const Request& request, PgReply& reply) {
  std::unique_ptr<PgSession> session;
  {
    MonitorLock lock(&mu_);
    const auto open = open_.find(request.slot);
    if (open == open_.end()) return false;
    session = std::move(open->second);
    open_.erase(open);
  }
  if (!session->IsAlive()) return false;  // PostgreSQL rolls back what it began.
  const absl::Duration deadline = MonotonicNow() + options_.attempt_timeout;
  const bool stays_open = request.kind == Kind::kHold;
  if (request.kind == Kind::kRelease) {
    reply = session->Run(request.calls, deadline);
  } else if (stays_open) {
    reply = session->RunAndStayOpen(InOpenTransaction(request.calls), deadline);
  } else {
    reply = session->Run(InOpenTransaction(request.calls), deadline);
  }
  connector_.BreakIfOutdated(*session, reply);
  Keep(request, reply, std::move(session));
  return true;
}

void PgWorkers::Keep(const Request& request, const PgReply& reply, std::unique_ptr<PgSession> session) {
  if (reply.is_broken || reply.has_warning) return;
  MonitorLock lock(&mu_);
  if (request.kind == Kind::kHold && reply.status.ok()) {
    open_[request.slot] = std::move(session);
  } else {
    spare_.push_back(std::move(session));
  }
}

PgReply PgWorkers::RunUntilItIsKnown(const Request& request, std::unique_ptr<PgSession>& session) {
  for (int tries = 0;; ++tries) {
    PgReply reply = RunOnce(request, session);
    if (request.kind == Kind::kHold && session != nullptr) Keep(request, reply, std::move(session));
    if (reply.is_broken || reply.has_warning) session = nullptr;
    if (reply.status.ok() || !absl::IsUnavailable(reply.status)) return reply;
    const bool may_be_repeated =
        request.kind == Kind::kRead ? session == nullptr || reply.is_conflict : !reply.was_sent;
    if (!may_be_repeated || MonotonicNow() >= request.deadline || !Pause(tries)) return reply;
  }
}

PgReply PgWorkers::RunOnce(const Request& request, std::unique_ptr<PgSession>& session) {
  {
    MonitorLock lock(&mu_);
    if (closing_) return NotSent(Closing());
  }
  const absl::Duration deadline = std::min(MonotonicNow() + options_.attempt_timeout, request.deadline);
  if (session == nullptr && request.kind != Kind::kRead) session = TakeSpare();
  if (session != nullptr && (!session->IsAlive() || connector_.IsOutdated(*session))) session = nullptr;
  if (session == nullptr) {
    absl::StatusOr<std::unique_ptr<PgSession>> connected = connector_.Connect(wake_fd_, deadline);
    if (!connected.ok()) return NotSent(std::move(connected).status());
    session = *std::move(connected);
  }
  const absl::Duration end = MonotonicNow() + options_.attempt_timeout;
  PgReply reply =
      request.kind == Kind::kHold ? session->RunAndStayOpen(request.calls, end) : session->Run(request.calls, end);
  connector_.BreakIfOutdated(*session, reply);
  return reply;
}

std::unique_ptr<PgSession> PgWorkers::TakeSpare() {
  MonitorLock lock(&mu_);
  if (spare_.empty()) return nullptr;
  std::unique_ptr<PgSession> session = std::move(spare_.back());
  spare_.pop_back();
  return session;
}

bool PgWorkers::Pause(int tries) {
  const absl::Duration pause = std::min(kFirstPause * (1 << std::min(tries, 10)), kLongestPause);
  MonitorLock lock(&mu_);
  return !mu_.AwaitUntil([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closing_; }, MonotonicNow() + pause);
}

}  // namespace hapax
