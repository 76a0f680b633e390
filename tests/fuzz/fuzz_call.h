#ifndef HAPAX_TESTS_FUZZ_FUZZ_CALL_H_
#define HAPAX_TESTS_FUZZ_FUZZ_CALL_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "hapax/interceptors/call.h"

namespace hapax {

// A call without a wire: bytes and headers go in, and what would be sent is kept.
class FuzzCall final : public UnaryCall {
 public:
  using Headers = std::multimap<std::string, std::string>;

  FuzzCall(const Method& method, std::string bytes, Headers headers)
      : UnaryCall(method), bytes_(std::move(bytes)), headers_(std::move(headers)) {}

  [[nodiscard]] std::string_view request_bytes() const override { return bytes_; }
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const override {
    MetadataValues values;
    const auto [begin, end] = headers_.equal_range(std::string(key));
    for (auto header = begin; header != end; ++header) values.push_back(header->second);
    return values;
  }
  [[nodiscard]] absl::Time deadline() const override { return absl::InfiniteFuture(); }
  [[nodiscard]] bool IsCancelled() const override { return false; }

  // Waits for the end.
  [[nodiscard]] const absl::StatusOr<std::string>& reply() const {
    end_->sent.WaitForNotification();
    return end_->reply;
  }

 private:
  // Shared with Send, which may still be about to leave when the call is gone.
  struct End {
    absl::Notification sent;
    absl::StatusOr<std::string> reply;
  };

  void Send(absl::StatusOr<std::string> reply) override {
    const std::shared_ptr<End> end = end_;
    end->reply = std::move(reply);
    end->sent.Notify();
  }

  const std::string bytes_;
  const Headers headers_;
  const std::shared_ptr<End> end_ = std::make_shared<End>();
};

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_FUZZ_CALL_H_
