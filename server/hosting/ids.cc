#include "hapax/server/hosting/ids.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace hapax {

std::string TimeOrderedIdSource::NewId(std::string_view prefix) {
  const int64_t now = absl::ToUnixMicros(time_.Now());
  int64_t last = last_micros_.load(std::memory_order_relaxed);
  int64_t micros = 0;
  do {
    micros = std::max(now, last + 1);
  } while (!last_micros_.compare_exchange_weak(last, micros, std::memory_order_relaxed));

  thread_local absl::InsecureBitGen bits;
  return absl::StrCat(absl::string_view(prefix.data(), prefix.size()), "-", absl::Hex(micros, absl::kZeroPad13),
                      absl::Hex(absl::Uniform<uint16_t>(bits), absl::kZeroPad4));
}

}  // namespace hapax
