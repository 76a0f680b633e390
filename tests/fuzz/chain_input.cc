#include "hapax/tests/fuzz/chain_input.h"

#include "hapax/tests/fuzz/input.h"

namespace hapax {

std::vector<InputCall> ParseCalls(const uint8_t* data, size_t size, size_t max_calls) {
  Input input(data, size);
  std::vector<InputCall> calls;
  while (calls.size() < max_calls && !input.AtEnd()) {
    InputCall& call = calls.emplace_back();
    call.method = input.Byte();
    call.flags = input.Byte();
    for (int i = 0; i < InputCall::kTokenHeaders; ++i) {
      if (call.has_header(i)) call.headers[i] = input.String();
    }
    call.request = input.LongString();
  }
  return calls;
}

std::string EncodeCalls(const std::vector<InputCall>& calls) {
  std::string bytes;
  for (const InputCall& call : calls) {
    bytes += static_cast<char>(call.method);
    bytes += static_cast<char>(call.flags);
    for (int i = 0; i < InputCall::kTokenHeaders; ++i) {
      if (!call.has_header(i)) continue;
      bytes += static_cast<char>(call.headers[i].size());
      bytes += call.headers[i];
    }
    bytes += static_cast<char>(call.request.size() >> 8);
    bytes += static_cast<char>(call.request.size());
    bytes += call.request;
  }
  return bytes;
}

}  // namespace hapax
