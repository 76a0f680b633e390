#ifndef HAPAX_TESTS_FUZZ_INPUT_H_
#define HAPAX_TESTS_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hapax {

// Takes a fuzzer's input apart, from the front. Past its end everything is zero or empty, so that every input
// means something.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }
  uint8_t Byte() {
    const std::string_view byte = Take(1);
    return byte.empty() ? 0 : static_cast<uint8_t>(byte.front());
  }
  // Big-endian.
  uint64_t Number(int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; ++i) number = number << 8 | Byte();
    return number;
  }
  // A length, of one or two bytes, and that many bytes, or what is left.
  std::string String() { return std::string(Take(Byte())); }
  std::string LongString() { return std::string(Take(Number(2))); }
  std::string Rest() { return std::string(Take(rest_.size())); }

 private:
  std::string_view Take(size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_INPUT_H_
