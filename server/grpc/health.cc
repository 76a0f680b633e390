#include "hapax/server/grpc/health.h"

#include <optional>
#include <string_view>
#include <utility>

namespace hapax {

using external::health::HealthCheckRequest;
using external::health::HealthCheckResponse;

namespace {

const grpc::Status& NotARequest() {
  static const grpc::Status kStatus(grpc::StatusCode::INVALID_ARGUMENT, "not a grpc.health.v1.HealthCheckRequest");
  return kStatus;
}

// Nullopt when there are no bytes, or they are no request.
std::optional<HealthCheckRequest> Parse(std::optional<std::string_view> bytes) {
  HealthCheckRequest request;
  if (!bytes.has_value() || !request.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
    return std::nullopt;
  }
  return request;
}

std::string Reply(HealthCheckResponse::ServingStatus status) {
  HealthCheckResponse response;
  response.set_status(status);
  return response.SerializeAsString();
}

}  // namespace

class Health::CheckHandler final : public GrpcStream::Handler {
 public:
  CheckHandler(const Health& health, GrpcStream& stream) : health_(health), stream_(stream) {}

  void OnArrived() override { stream_.ReadFromStranger(); }
  void OnRead(std::optional<std::string_view> message) override {
    const auto request = Parse(message);
    if (!request.has_value()) return stream_.Finish(NotARequest());
    const Status status = health_.StatusOf(request->service());
    if (status != HealthCheckResponse::SERVICE_UNKNOWN) return stream_.WriteAndFinish(Reply(status));
    stream_.Finish({grpc::StatusCode::NOT_FOUND, "there is no service " + request->service()});
  }

 private:
  const Health& health_;
  GrpcStream& stream_;
};

// The updates that a watching call still needs. For its loop's thread, except PostUpdate.
class Health::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(const Health& health, GrpcStream& stream, std::string service)
      : health_(health), stream_(stream), loop_(stream.loop()), service_(std::move(service)) {}

  void PostUpdate() {
    loop_.Post([self = shared_from_this()] { self->Proceed(); });
  }

  // Sends the current status if it is new, or ends the call.
  void Proceed() {
    if (writing_ || finished_) return;
    if (gone_) return Finish(grpc::Status::CANCELLED);
    const bool ended = health_.WatchesEnded();
    const Status status = health_.StatusOf(service_);
    if (told_ != status) {
      told_ = status;
      writing_ = true;
      return stream_.Write(Reply(status));
    }
    if (ended) Finish({grpc::StatusCode::UNAVAILABLE, "the server shuts down"});
  }

  // Called after a write.
  void Written(bool ok) {
    writing_ = false;
    if (!ok) gone_ = true;
    Proceed();
  }
  void Gone() {
    gone_ = true;
    Proceed();
  }

 private:
  void Finish(const grpc::Status& status) {
    finished_ = true;
    stream_.Finish(status);
  }

  const Health& health_;
  GrpcStream& stream_;
  EventLoop& loop_;
  const std::string service_;
  std::optional<Status> told_;
  bool writing_ = false;
  bool gone_ = false;  // Nothing reaches the client any more.
  bool finished_ = false;
};

class Health::WatchHandler final : public GrpcStream::Handler {
 public:
  WatchHandler(Health& health, GrpcStream& stream) : health_(health), stream_(stream) {}
  ~WatchHandler() override {
    if (watcher_ != nullptr) health_.Remove(watcher_);
  }

  void OnArrived() override { stream_.ReadFromStranger(); }
  void OnRead(std::optional<std::string_view> message) override {
    auto request = Parse(message);
    if (!request.has_value()) return stream_.Finish(NotARequest());
    watcher_ = std::make_shared<Watcher>(health_, stream_, std::move(*request->mutable_service()));
    stream_.StayOpen();
    health_.Add(watcher_);
    watcher_->Proceed();
  }
  void OnWritten(bool ok) override { watcher_->Written(ok); }
  void OnDone() override {
    if (watcher_ != nullptr) watcher_->Gone();
  }

 private:
  Health& health_;
  GrpcStream& stream_;
  std::shared_ptr<Watcher> watcher_;  // Null before the request.
};

void Health::SetServing(const std::string& service, bool serving) {
  absl::MutexLock lock(&mu_);
  services_[service] = serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  UpdateWatchers();
}

void Health::SetNoneServing() {
  absl::MutexLock lock(&mu_);
  for (auto& [service, status] : services_) status = HealthCheckResponse::NOT_SERVING;
  UpdateWatchers();
}

void Health::EndWatches() {
  absl::MutexLock lock(&mu_);
  watches_ended_ = true;
  UpdateWatchers();
}

void Health::UpdateWatchers() {
  for (const std::shared_ptr<Watcher>& watcher : watchers_) watcher->PostUpdate();
}

std::unique_ptr<GrpcStream::Handler> Health::HandleCheck(GrpcStream& stream) {
  return std::make_unique<CheckHandler>(*this, stream);
}

std::unique_ptr<GrpcStream::Handler> Health::HandleWatch(GrpcStream& stream) {
  return std::make_unique<WatchHandler>(*this, stream);
}

Health::Status Health::StatusOf(const std::string& service) const {
  absl::MutexLock lock(&mu_);
  const auto found = services_.find(service);
  return found == services_.end() ? HealthCheckResponse::SERVICE_UNKNOWN : found->second;
}

bool Health::WatchesEnded() const {
  absl::MutexLock lock(&mu_);
  return watches_ended_;
}

void Health::Add(std::shared_ptr<Watcher> watcher) {
  absl::MutexLock lock(&mu_);
  watchers_.insert(std::move(watcher));
}

void Health::Remove(const std::shared_ptr<Watcher>& watcher) {
  absl::MutexLock lock(&mu_);
  watchers_.erase(watcher);
}

}  // namespace hapax
