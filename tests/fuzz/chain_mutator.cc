// How libFuzzer varies an input of target chain: a call among the calls, or the bytes within one, so that what was not
// touched stays what it was. Bytes that are put in or taken out anywhere would shift all the lengths behind them.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "hapax/tests/fuzz/chain_input.h"

// libFuzzer's own mutations, in place.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace hapax {
namespace {

constexpr size_t kMaxRequest = 512;
constexpr size_t kMaxHeader = 80;  // A token has 64 characters at the most.

std::string Mutated(std::string bytes, size_t max_size) {
  const size_t size = std::min(bytes.size(), max_size);
  bytes.resize(max_size);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes.data()), size, max_size));
  return bytes;
}

void Mutate(std::vector<InputCall>& calls, std::minstd_rand& random) {
  const auto below = [&](size_t limit) { return random() % limit; };
  InputCall& call = calls[below(calls.size())];
  switch (below(8)) {
    case 0:
      call.method = static_cast<uint8_t>(random());
      return;
    case 1:
      call.flags ^= 1U << below(8);
      return;
    case 2: {
      std::string& header = call.headers[below(InputCall::kTokenHeaders)];
      header = Mutated(header, kMaxHeader);
      return;
    }
    case 3:
      if (calls.size() > 1) calls.erase(calls.begin() + static_cast<ptrdiff_t>(below(calls.size())));
      return;
    case 4:
      if (calls.size() < kMaxInputCalls)
        calls.insert(calls.begin() + static_cast<ptrdiff_t>(below(calls.size())), call);
      return;
    case 5:
      std::swap(call, calls[below(calls.size())]);
      return;
    default:
      call.request = Mutated(call.request, kMaxRequest);
      return;
  }
}

}  // namespace
}  // namespace hapax

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  using namespace hapax;
  std::minstd_rand random(seed);
  std::vector<InputCall> calls = ParseCalls(data, size, kMaxInputCalls);
  if (calls.empty() || random() % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
  Mutate(calls, random);
  const std::string bytes = EncodeCalls(calls);
  const size_t new_size = std::min(bytes.size(), max_size);
  std::memcpy(data, bytes.data(), new_size);
  return new_size;
}
