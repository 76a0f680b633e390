// Mutations with their tokens in etcd: looks the token up, and if it is missing, puts record and effect in one
// transaction, on the condition that it is still missing.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/random/random.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "hapax/bench/peers/facade.h"
#include "hapax/etcd/v3/etcd.pb.h"

ABSL_FLAG(std::string, etcd, "", "HOST:PORT of etcd");
ABSL_FLAG(int, connections, 4, "Connections to etcd; each has any number of calls in flight");
ABSL_FLAG(bool, whole_launch, false,
          "Keep what a launch of Hapax keeps: besides record and effect its open work, the room in its zone, and what "
          "its tenant has");

namespace hapax::bench {
namespace {

namespace etcd = ::hapax::etcd::v3;

constexpr absl::Duration kConnectTimeout = absl::Seconds(30);
constexpr int64_t kLongestPauseUs = 512'000;

using RangeStub = grpc::TemplatedGenericStub<etcd::RangeRequest, etcd::RangeResponse>;
using TxnStub = grpc::TemplatedGenericStub<etcd::TxnRequest, etcd::TxnResponse>;

struct Connection {
  explicit Connection(const std::shared_ptr<grpc::Channel>& channel) : range(channel), txn(channel) {}

  RangeStub range;
  TxnStub txn;
};

std::string EffectKey(const Change& change) {
  return absl::StrCat(absl::string_view(change.kind().data(), change.kind().size()), "/", change.id);
}

// One call; deletes itself after the answer.
class Attempt {
 public:
  Attempt(Connection& connection, Change change, Done done)
      : connection_(connection),
        change_(std::move(change)),
        done_(std::move(done)),
        key_(absl::StrCat("token/", change_.token)) {}

  // A record never changes, so this member's copy is valid, whatever the quorum has seen since.
  void Start() {
    range_request_.set_key(key_);
    range_request_.set_serializable(true);
    connection_.range.UnaryCall(&range_context_, "/etcdserverpb.KV/Range", {}, &range_request_, &range_response_,
                                [this](const grpc::Status& status) {
                                  if (!status.ok() || range_response_.kvs_size() > 0) {
                                    Finish(status, range_response_);
                                  } else {
                                    CreateIfAbsent();
                                  }
                                });
  }

 private:
  void CreateIfAbsent() {
    etcd::Compare& absent = *txn_request_.add_compare();
    absent.set_target(etcd::Compare::CREATE);
    absent.set_key(key_);
    absent.set_create_revision(0);
    etcd::PutRequest& record = *txn_request_.add_success()->mutable_request_put();
    record.set_key(key_);
    record.set_value(change_.reply);
    etcd::PutRequest& effect = *txn_request_.add_success()->mutable_request_put();
    effect.set_key(EffectKey(change_));
    effect.set_value(change_.effect);
    txn_request_.add_failure()->mutable_request_range()->set_key(key_);
    connection_.txn.UnaryCall(&txn_context_, "/etcdserverpb.KV/Txn", {}, &txn_request_, &txn_response_,
                              [this](const grpc::Status& status) { OnTxn(status); });
  }

  void OnTxn(const grpc::Status& status) {
    if (status.ok() && txn_response_.succeeded()) {
      Answer(status, change_.reply);
    } else {
      Finish(status, txn_response_.responses_size() > 0 ? txn_response_.responses(0).response_range()
                                                        : etcd::RangeResponse::default_instance());
    }
  }

  // Answers with the found record.
  void Finish(const grpc::Status& status, const etcd::RangeResponse& found) {
    if (!status.ok()) {
      Answer({grpc::StatusCode::UNAVAILABLE, status.error_message()}, {});
    } else if (found.kvs_size() != 1) {
      Answer({grpc::StatusCode::INTERNAL, "etcd found neither a free token nor its record"}, {});
    } else {
      Answer(status, found.kvs(0).value());
    }
  }

  void Answer(const grpc::Status& status, std::string_view reply) {
    const std::unique_ptr<Attempt> self(this);
    done_(status, reply);
  }

  Connection& connection_;
  Change change_;
  Done done_;
  const std::string key_;
  grpc::ClientContext range_context_;
  etcd::RangeRequest range_request_;
  etcd::RangeResponse range_response_;
  grpc::ClientContext txn_context_;
  etcd::TxnRequest txn_request_;
  etcd::TxnResponse txn_response_;
};

// One launch with all rows of Hapax's; deletes itself after the answer. What it counts is compared with what it read,
// and another launch may have changed it meanwhile: then it tries again, after a random pause.
class WholeLaunch {
 public:
  WholeLaunch(Connection& connection, Change change, Done done)
      : connection_(connection),
        change_(std::move(change)),
        done_(std::move(done)),
        keys_{absl::StrCat("token/", change_.token), "zone/a", "tenant/default"} {}

  void Start() {
    auto request = std::make_unique<etcd::TxnRequest>();
    for (const std::string& key : keys_) request->add_success()->mutable_request_range()->set_key(key);
    Send(std::move(request), &WholeLaunch::Decide);
  }

 private:
  enum Key : uint8_t { kToken, kZone, kTenant, kKeys };

  void Send(std::unique_ptr<etcd::TxnRequest> request, void (WholeLaunch::*then)()) {
    request_ = std::move(request);
    context_ = std::make_unique<grpc::ClientContext>();
    connection_.txn.UnaryCall(context_.get(), "/etcdserverpb.KV/Txn", {}, request_.get(), &response_,
                              [this, then](const grpc::Status& status) {
                                if (status.ok()) return (this->*then)();
                                Answer({grpc::StatusCode::UNAVAILABLE, status.error_message()}, {});
                              });
  }

  // The response has the three ranges.
  void Decide() {
    if (response_.responses_size() != kKeys) {
      return Answer({grpc::StatusCode::INTERNAL, "etcd answered with other ranges"}, {});
    }
    const etcd::RangeResponse& token = response_.responses(kToken).response_range();
    if (token.kvs_size() > 0) return Answer(grpc::Status::OK, token.kvs(0).value());
    auto request = std::make_unique<etcd::TxnRequest>();
    for (const Key key : {kToken, kZone, kTenant}) {
      const etcd::RangeResponse& found = response_.responses(key).response_range();
      etcd::Compare& compare = *request->add_compare();
      compare.set_target(etcd::Compare::MOD);
      compare.set_key(keys_[key]);
      compare.set_mod_revision(found.kvs_size() > 0 ? found.kvs(0).mod_revision() : 0);
      request->add_failure()->mutable_request_range()->set_key(keys_[key]);
    }
    const auto put = [&](std::string key, std::string value) {
      etcd::PutRequest& row = *request->add_success()->mutable_request_put();
      row.set_key(std::move(key));
      row.set_value(std::move(value));
    };
    put(keys_[kToken], change_.reply);
    put(EffectKey(change_), change_.effect);
    put(absl::StrCat("work/", change_.id), "boot");
    put(keys_[kZone], CountedUp(kZone));
    put(keys_[kTenant], CountedUp(kTenant));
    Send(std::move(request), &WholeLaunch::OnCommitted);
  }

  [[nodiscard]] std::string CountedUp(Key key) const {
    const etcd::RangeResponse& found = response_.responses(key).response_range();
    int64_t count = 0;
    if (found.kvs_size() > 0 && !absl::SimpleAtoi(found.kvs(0).value(), &count)) count = 0;
    return absl::StrCat(count + 1);
  }

  // What the transaction read when it failed serves the next attempt.
  void OnCommitted() {
    if (response_.succeeded()) return Answer(grpc::Status::OK, change_.reply);
    longest_pause_us_ = std::min(2 * longest_pause_us_, kLongestPauseUs);
    thread_local absl::BitGen random;
    const auto pause = std::chrono::microseconds(absl::Uniform<int64_t>(random, 0, longest_pause_us_));
    alarm_.Set(std::chrono::system_clock::now() + pause, [this](bool) { Decide(); });
  }

  void Answer(const grpc::Status& status, std::string_view reply) {
    const std::unique_ptr<WholeLaunch> self(this);
    done_(status, reply);
  }

  Connection& connection_;
  Change change_;
  Done done_;
  const std::array<std::string, kKeys> keys_;
  int64_t longest_pause_us_ = 1000;  // Doubled with each attempt, until competing launches get out of each other's way.
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<etcd::TxnRequest> request_;
  etcd::TxnResponse response_;
  grpc::Alarm alarm_;
};

class EtcdBackend final : public Backend {
 public:
  // If there is no etcd, prints why and returns false.
  bool Connect() {
    for (int i = 0; i < absl::GetFlag(FLAGS_connections); ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      const std::shared_ptr<grpc::Channel> channel =
          grpc::CreateCustomChannel(absl::GetFlag(FLAGS_etcd), grpc::InsecureChannelCredentials(), arguments);
      if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + kConnectTimeout))) {
        std::fprintf(stderr, "no etcd at %s\n", absl::GetFlag(FLAGS_etcd).c_str());
        return false;
      }
      connections_.push_back(std::make_unique<Connection>(channel));
    }
    return true;
  }

  void RunOnce(Change change, Done done) override {
    Connection& connection = *connections_[next_.fetch_add(1, std::memory_order_relaxed) % connections_.size()];
    if (whole_launch_ && change.mutation == Mutation::kLaunch) {
      (new WholeLaunch(connection, std::move(change), std::move(done)))->Start();
    } else {
      (new Attempt(connection, std::move(change), std::move(done)))->Start();
    }
  }

 private:
  const bool whole_launch_ = absl::GetFlag(FLAGS_whole_launch);
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<size_t> next_ = 0;
};

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hapax::bench::Serve("bench_etcd", []() -> std::unique_ptr<hapax::bench::Backend> {
    auto backend = std::make_unique<hapax::bench::EtcdBackend>();
    if (!backend->Connect()) return nullptr;
    return backend;
  });
}
