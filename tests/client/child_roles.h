#ifndef HAPAX_TESTS_CLIENT_CHILD_ROLES_H_
#define HAPAX_TESTS_CLIENT_CHILD_ROLES_H_

#include <functional>
#include <map>
#include <string>

namespace hapax::client {

// What this test program does when it is started as `client_tests ROLE TEXT [NUMBER]` (support/child_process.h): the
// role's function, which returns the exit code. Tests add theirs before main().
using ChildRole = std::function<int(const std::string& text, int number)>;
std::map<std::string, ChildRole>& ChildRoles();

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_CHILD_ROLES_H_
