#include "hapax/testing/fake_context.h"

namespace hapax {

CallContext FakeContext(const FakeContextOptions& options) {
  CallContext context;
  context.tenant = options.tenant;
  context.client_token = options.client_token;
  context.place = options.place;
  context.now = options.now;
  context.page_token_key = "any key of 32 bytes, for a test.";
  context.recorded_defaults = options.recorded_defaults;
  return context;
}

}  // namespace hapax
