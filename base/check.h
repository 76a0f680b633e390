#ifndef HAPAX_BASE_CHECK_H_
#define HAPAX_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Aborts the process when an invariant of the program is broken; `reason` says why it must hold. Bad input is an
// absl::Status, never a failed check.
#define HAPAX_CHECK(condition, reason)                                                                    \
  do {                                                                                                    \
    if (!(condition)) [[unlikely]] {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", __FILE__, __LINE__, #condition, reason); \
      std::abort();                                                                                       \
    }                                                                                                     \
  } while (false)

#endif  // HAPAX_BASE_CHECK_H_
