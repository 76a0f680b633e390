#ifndef HAPAX_TESTS_FUZZ_LEFT_BEHIND_H_
#define HAPAX_TESTS_FUZZ_LEFT_BEHIND_H_

#include "hapax/tests/fuzz/fuzz_server.h"

namespace hapax {

// Whatever calls left behind can be given back, all of it, and nothing twice: when every instance is terminated and
// every host released, the tenant can have as much as its quota and the zones allow, and no more. Ends the process when
// that is not so.
void CheckAllComesBack(FuzzServer& server);

}  // namespace hapax

#endif  // HAPAX_TESTS_FUZZ_LEFT_BEHIND_H_
