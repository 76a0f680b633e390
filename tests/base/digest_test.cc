#include "hapax/base/digest.h"

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

std::string Hex(const Sha256Digest& digest) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// NIST's examples for FIPS 180-4.
constexpr char kDigestOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kDigestOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kDigestOfAMillionAs[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(Hex(Sha256("")), kDigestOfNothing);
  EXPECT_EQ(Hex(Sha256("abc")), kDigestOfAbc);
  EXPECT_EQ(Hex(Sha256(std::string(1'000'000, 'a'))), kDigestOfAMillionAs);
}

// RFC 4231, test case 2.
TEST(HmacSha256, IsTheStandards) {
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Sha256, ThreadsDoNotDisturbOneAnother) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 500; ++j) EXPECT_EQ(Hex(Sha256("abc")), kDigestOfAbc);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hapax
