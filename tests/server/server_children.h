#ifndef HAPAX_TESTS_SERVER_SERVER_CHILDREN_H_
#define HAPAX_TESTS_SERVER_SERVER_CHILDREN_H_

#include <string>

namespace hapax {

// Runs one of the processes that tests start (child_process.h): arguments `--scenario`, its name, and a directory.
// Returns the exit code, or ends the process itself.
[[nodiscard]] int RunScenario(const std::string& name, const std::string& data_dir);

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SERVER_CHILDREN_H_
