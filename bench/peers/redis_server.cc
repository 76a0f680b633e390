// Mutations with their tokens in Redis, as most services do it: claims the token (SET NX), does the work, and replaces
// the claim by the reply.
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "hapax/bench/peers/facade.h"
#include "hapax/bench/peers/loop.h"
#include "hiredis/adapters/libuv.h"

ABSL_FLAG(std::string, redis_socket, "", "Unix socket of the Redis server");
ABSL_FLAG(int, connections, 2, "Connections to Redis; each pipelines what it is given");

namespace hapax::bench {
namespace {

// Not a valid reply: a serialized response begins with a field's tag.
constexpr std::string_view kInProgress = "in progress";
// How long a claim lasts whose holder has died, in seconds.
constexpr std::string_view kClaimSeconds = "60";
constexpr std::string_view kRecordSeconds = "86400";

absl::string_view Abseil(std::string_view text) { return {text.data(), text.size()}; }

// One call; lives from RunOnce() to Finish().
struct Attempt {
  Change change;
  Done done;
  std::string record_key;

  void Finish(const grpc::Status& status, std::string_view reply = {}) {
    const std::unique_ptr<Attempt> self(this);
    done(status, reply);
  }
};

template <size_t N>
void Send(redisAsyncContext* redis, redisCallbackFn* callback, Attempt* attempt,
          const std::array<std::string_view, N>& words) {
  std::array<const char*, N> data;
  std::array<size_t, N> sizes;
  for (size_t i = 0; i < N; ++i) {
    data[i] = words[i].data();
    sizes[i] = words[i].size();
  }
  if (redisAsyncCommandArgv(redis, callback, attempt, N, data.data(), sizes.data()) != REDIS_OK) {
    callback(redis, nullptr, attempt);
  }
}

grpc::Status Unavailable(const redisReply* reply) {
  return {grpc::StatusCode::UNAVAILABLE,
          reply == nullptr ? "the connection to Redis is lost" : std::string(reply->str, reply->len)};
}

bool IsOk(const redisReply* reply) { return reply != nullptr && reply->type == REDIS_REPLY_STATUS; }

void OnRecorded(redisAsyncContext* /*redis*/, void* data, void* context) {
  auto& attempt = *static_cast<Attempt*>(context);
  const auto* reply = static_cast<redisReply*>(data);
  if (IsOk(reply)) {
    attempt.Finish(grpc::Status::OK, attempt.change.reply);
  } else {
    attempt.Finish(Unavailable(reply));
  }
}

// A record of an effect that was refused would lose it, so the record follows.
void OnEffect(redisAsyncContext* redis, void* data, void* context) {
  auto& attempt = *static_cast<Attempt*>(context);
  const auto* reply = static_cast<redisReply*>(data);
  if (!IsOk(reply)) return attempt.Finish(Unavailable(reply));
  Send<5>(redis, OnRecorded, &attempt, {"SET", attempt.record_key, attempt.change.reply, "EX", kRecordSeconds});
}

// The value before the claim: nothing, another's claim, or a reply.
void OnClaimed(redisAsyncContext* redis, void* data, void* context) {
  auto& attempt = *static_cast<Attempt*>(context);
  const auto* reply = static_cast<redisReply*>(data);
  if (reply != nullptr && reply->type == REDIS_REPLY_NIL) {
    Send<3>(redis, OnEffect, &attempt,
            {"SET", absl::StrCat(Abseil(attempt.change.kind()), ":", attempt.change.id), attempt.change.effect});
  } else if (reply == nullptr || reply->type != REDIS_REPLY_STRING) {
    attempt.Finish(Unavailable(reply));
  } else if (const std::string_view found(reply->str, reply->len); found == kInProgress) {
    attempt.Finish({grpc::StatusCode::ABORTED, "a call with this token is in progress: retry"});
  } else {
    attempt.Finish(grpc::Status::OK, found);
  }
}

class RedisBackend final : public Backend {
 public:
  ~RedisBackend() override {
    for (redisAsyncContext* connection : connections_) {
      loop_.Post([connection] { redisAsyncFree(connection); });
    }
  }

  // If there is no Redis, prints why and returns false.
  bool Connect() {
    const std::string socket = absl::GetFlag(FLAGS_redis_socket);
    for (int i = 0; i < absl::GetFlag(FLAGS_connections); ++i) {
      redisAsyncContext* connection = redisAsyncConnectUnix(socket.c_str());
      if (connection == nullptr || connection->err != 0) {
        std::fprintf(stderr, "%s: %s\n", socket.c_str(), connection == nullptr ? "out of memory" : connection->errstr);
        return false;
      }
      connections_.push_back(connection);
      loop_.Post([this, connection] { redisLibuvAttach(connection, loop_.uv()); });
    }
    return true;
  }

  void RunOnce(Change change, Done done) override {
    std::string key = absl::StrCat("token:", change.token);
    auto* attempt = new Attempt{.change = std::move(change), .done = std::move(done), .record_key = std::move(key)};
    redisAsyncContext* redis = connections_[next_.fetch_add(1, std::memory_order_relaxed) % connections_.size()];
    loop_.Post([redis, attempt] {
      Send<7>(redis, OnClaimed, attempt, {"SET", attempt->record_key, kInProgress, "NX", "GET", "EX", kClaimSeconds});
    });
  }

 private:
  Loop loop_;
  std::vector<redisAsyncContext*> connections_;
  std::atomic<size_t> next_ = 0;
};

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hapax::bench::Serve("bench_redis", []() -> std::unique_ptr<hapax::bench::Backend> {
    auto backend = std::make_unique<hapax::bench::RedisBackend>();
    if (!backend->Connect()) return nullptr;
    return backend;
  });
}
