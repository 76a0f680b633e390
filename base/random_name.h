#ifndef HAPAX_BASE_RANDOM_NAME_H_
#define HAPAX_BASE_RANDOM_NAME_H_

#include <cstdint>
#include <random>
#include <string>

namespace hapax {

// 16 random bytes of the machine's: no two processes, and no two calls, get the same.
[[nodiscard]] inline std::string RandomName() {
  std::random_device device;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    const uint32_t bits = device();
    for (int shift = 0; shift < 32; shift += 8) name.push_back(static_cast<char>(bits >> shift));
  }
  return name;
}

}  // namespace hapax

#endif  // HAPAX_BASE_RANDOM_NAME_H_
