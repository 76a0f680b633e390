#ifndef HAPAX_TESTS_FUZZ_CHAIN_INPUT_H_
#define HAPAX_TESTS_FUZZ_CHAIN_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hapax {

// More calls than that are left out.
inline constexpr size_t kMaxInputCalls = 8;

// An input of target chain is a sequence of calls, each of them
//
//   method, flags, [x-client-token], [idempotency-key], [x-client-token again], request
//
// where method and flags are a byte, a header's value a byte for its length and that many more, and the request two
// bytes for its length and that many more. What is missing at the end is zero or empty.
struct InputCall {
  static constexpr int kTokenHeaders = 3;  // Of bits 0 to 2 each says that a header is there.

  uint8_t method = 0;
  uint8_t flags = 0;
  std::string headers[kTokenHeaders];
  std::string request;

  [[nodiscard]] bool has_header(int i) const { return (flags >> i & 1) != 0; }
  // Open work is finished before the call, or between the call and its retry.
  [[nodiscard]] bool finishes_work() const { return (flags >> 3 & 1) != 0; }
  [[nodiscard]] bool finishes_work_between() const { return (flags >> 4 & 1) != 0; }
  // How much time passes before the call: 0 to 3.
  [[nodiscard]] int pause() const { return flags >> 5 & 3; }
};

[[nodiscard]] std::vector<InputCall> ParseCalls(const uint8_t* data, size_t size, size_t max_calls);
[[nodiscard]] std::string EncodeCalls(const std::vector<InputCall>& calls);

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_CHAIN_INPUT_H_
