#ifndef HAPAX_BASE_CHECK_H_
#define HAPAX_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Ends the process when an invariant of ours is broken; `reason` says why it must hold. Bad input is
// never a CHECK: it is an absl::Status.
#define HAPAX_CHECK(condition, reason)                                                                    \
  do {                                                                                                    \
    if (!(condition)) [[unlikely]] {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", __FILE__, __LINE__, #condition, reason); \
      std::abort();                                                                                       \
    }                                                                                                     \
  } while (false)

#endif  // HAPAX_BASE_CHECK_H_
