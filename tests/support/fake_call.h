#ifndef HAPAX_TESTS_SUPPORT_FAKE_CALL_H_
#define HAPAX_TESTS_SUPPORT_FAKE_CALL_H_

#include <atomic>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {

// A call without a transport: the test sets what arrives, and reads how the call ended.
//
//   FakeCall call(service.place_order(), request);
//   call.AddMetadata("x-client-token", "token");
//   chain.Run(call);
//   EXPECT_EQ(call.Result(), "executed");
//
// A second end fails the test.
//
// Thread-safety: Cancel and the methods that read the end are safe. The others are for one thread, before the call
// runs.
// Lifetime: until the call has ended, as for any call.
class FakeCall final : public UnaryCall, private Turns {
 public:
  FakeCall(const Method& its_method, std::string bytes) : UnaryCall(its_method), bytes_(std::move(bytes)) {
    turns = this;
  }
  FakeCall(const Method& its_method, const google::protobuf::Message& message)
      : FakeCall(its_method, message.SerializeAsString()) {}

  void AddMetadata(const std::string& key, std::string value) { metadata_[key].push_back(std::move(value)); }
  void SetDeadline(absl::Time deadline) { deadline_ = deadline; }
  void SetPeerNames(PeerNames names) { peer_names_ = std::move(names); }
  void Cancel() { cancelled_ = true; }
  // The call's turn never comes.
  void LetNoTurnCome() { turns_come_ = false; }
  // The request arrives only with SendRequest. `comes` says whether it arrives then.
  void HoldRequest() { request_held_ = true; }
  [[nodiscard]] bool asks_for_request() const { return on_request_ != nullptr; }
  void SendRequest(bool comes) {
    has_request_ = comes;
    std::exchange(on_request_, nullptr)();
  }
  // Makes the request arrive damaged.
  void SpoilRequest(absl::Status fault) {
    has_request_ = false;
    request_fault_ = std::move(fault);
  }
  // The party of the last turn that it waited for.
  [[nodiscard]] const std::string& party() const { return party_; }
  // Decodes the request like the decoding link, for tests of later links.
  void Decode() {
    request.reset(method().request->New());
    ASSERT_TRUE(request->ParseFromString(bytes_));
  }

  [[nodiscard]] std::string_view request_bytes() const override { return bytes_; }
  [[nodiscard]] bool has_request() const override { return has_request_; }
  [[nodiscard]] absl::Status request_fault() const override { return request_fault_; }
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const override {
    const auto found = metadata_.find(std::string(key));
    if (found == metadata_.end()) return {};
    return MetadataValues(found->second.begin(), found->second.end());
  }
  [[nodiscard]] PeerNames peer_names() const override { return peer_names_; }
  [[nodiscard]] absl::Time deadline() const override { return deadline_; }
  [[nodiscard]] bool IsCancelled() const override { return cancelled_; }
  void ReceiveRequest(absl::AnyInvocable<void()> go_on) override {
    if (!request_held_) return go_on();
    has_request_ = false;
    on_request_ = std::move(go_on);
  }

  // The messages sent before the end. After SetMaxParts the client accepts no more than that number.
  [[nodiscard]] const std::vector<std::string>& parts() const { return parts_; }
  void SetMaxParts(size_t max_parts) { max_parts_ = max_parts; }
  void SendPart(std::string message, absl::AnyInvocable<void(bool ok)> sent) override {
    if (parts_.size() >= max_parts_) return sent(false);
    parts_.push_back(std::move(message));
    sent(true);
  }

  [[nodiscard]] bool ended() const {
    absl::MutexLock lock(&end_->mu);
    return end_->ended;
  }
  // The reply's bytes or the error that was sent; waits for the end.
  [[nodiscard]] const absl::StatusOr<std::string>& Reply() const {
    absl::MutexLock lock(&end_->mu);
    end_->mu.Await(absl::Condition(&end_->ended));
    return end_->reply;
  }
  // The result for the client, in one word: the outcome, or `ok` without one; for an error its reason, or its code
  // without one. Waits for the end.
  [[nodiscard]] std::string Result() const {
    if (Reply().ok()) return outcome.has_value() ? std::string(WireName(*outcome)) : "ok";
    if (const auto reason = ReasonOf(Reply().status())) return std::string(InfoOf(*reason).name);
    return absl::StatusCodeToString(Reply().status().code());
  }

 private:
  // Shared with Send, which may still be running when the test has finished with the call.
  struct End {
    absl::Mutex mu;
    bool ended ABSL_GUARDED_BY(mu) = false;
    absl::StatusOr<std::string> reply ABSL_GUARDED_BY(mu);
  };

  void InTurn(std::string_view party, absl::AnyInvocable<void()> task) override {
    party_ = party;
    if (turns_come_) task();
  }
  void Send(absl::StatusOr<std::string> reply) override {
    const std::shared_ptr<End> end = end_;
    absl::MutexLock lock(&end->mu);
    EXPECT_FALSE(end->ended) << "the call ends twice, now with " << reply.status();
    end->ended = true;
    end->reply = std::move(reply);
  }

  const std::string bytes_;
  std::map<std::string, std::vector<std::string>> metadata_;
  PeerNames peer_names_;
  absl::Time deadline_ = absl::InfiniteFuture();
  std::atomic<bool> cancelled_ = false;
  bool request_held_ = false;
  bool has_request_ = true;
  absl::Status request_fault_;
  absl::AnyInvocable<void()> on_request_;
  bool turns_come_ = true;
  size_t max_parts_ = std::numeric_limits<size_t>::max();
  std::vector<std::string> parts_;
  std::string party_;
  const std::shared_ptr<End> end_ = std::make_shared<End>();
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_FAKE_CALL_H_
