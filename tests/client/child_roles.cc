#include "hapax/tests/client/child_roles.h"

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::client {

std::map<std::string, ChildRole>& ChildRoles() {
  static auto& roles = *new std::map<std::string, ChildRole>;
  return roles;
}

}  // namespace hapax::client

int main(int argc, char** argv) {
  const auto& roles = hapax::client::ChildRoles();
  const auto role = argc >= 3 ? roles.find(argv[1]) : roles.end();
  if (role != roles.end()) {
    int number = 0;
    if (argc > 3 && !absl::SimpleAtoi(argv[3], &number)) return 2;
    return role->second(argv[2], number);
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
