#include "hapax/interceptors/idempotency/seal_keys.h"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using store::v1::SealedReply;
using testing::HasSubstr;
using testing::Not;

constexpr char kContext[] = "tenant, scope, token, method";
constexpr char kReply[] = "-----BEGIN OPENSSH PRIVATE KEY-----";

// 64 hexadecimal digits.
std::string Secret(char digit) { return std::string(64, digit); }

SealKeys KeysOf(const std::string& text) { return SealKeys::Parse(text).value(); }

const SealKeys kKeys = KeysOf("old " + Secret('1'));

TEST(SealKeys, C25_WhatIsSealedIsUnsealedByteForByte) {
  const std::string replies[] = {"", "x", kReply, std::string("\0\xFF\0", 3), std::string(100'000, 'r')};
  for (const std::string& reply : replies) {
    EXPECT_THAT(kKeys.Unseal(kKeys.Seal(reply, kContext), kContext), IsOkAndHolds(reply));
  }
}

TEST(SealKeys, ADerivedKeyIsThatOfItsPurposeAndOfTheKeyThatSeals) {
  const std::string derived = kKeys.Derive("pages");
  EXPECT_EQ(derived.size(), 32);
  EXPECT_EQ(KeysOf("other-id " + Secret('1')).Derive("pages"), derived);
  EXPECT_NE(kKeys.Derive("other"), derived);
  EXPECT_NE(KeysOf("old " + Secret('2')).Derive("pages"), derived);
  EXPECT_NE(derived, absl::HexStringToBytes(Secret('1')));
}

TEST(SealKeys, C25_ASealedReplyDoesNotShowIt) {
  const SealedReply sealed = kKeys.Seal(kReply, kContext);
  EXPECT_THAT(sealed.SerializeAsString(), Not(HasSubstr("PRIVATE")));
  EXPECT_EQ(sealed.key_id(), "old");
  EXPECT_EQ(sealed.nonce().size(), 12);
  EXPECT_EQ(sealed.ciphertext().size(), sizeof(kReply) - 1 + 16);
}

TEST(SealKeys, C25_EachSealHasANonceOfItsOwn) {
  constexpr int kSeals = 10'000;
  std::set<std::string> nonces;
  std::set<std::string> ciphertexts;
  for (int i = 0; i < kSeals; ++i) {
    const SealedReply sealed = kKeys.Seal(kReply, kContext);
    nonces.insert(sealed.nonce());
    ciphertexts.insert(sealed.ciphertext());
  }
  EXPECT_EQ(nonces.size(), kSeals);
  EXPECT_EQ(ciphertexts.size(), kSeals);
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
TEST(SealKeys, C25_ItIsAes256Gcm) {
  const SealKeys keys = KeysOf("nist feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  SealedReply sealed;
  sealed.set_key_id("nist");
  sealed.set_nonce(absl::HexStringToBytes("cafebabefacedbaddecaf888"));
  sealed.set_ciphertext(
      absl::HexStringToBytes("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                             "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                             "76fc6ece0f4e1768cddf8853bb2d551b"));
  const std::string context = absl::HexStringToBytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  EXPECT_THAT(keys.Unseal(sealed, context),
              IsOkAndHolds(absl::HexStringToBytes("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                                  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")));
}

TEST(SealKeys, C25_AnotherContextIsDataLoss) {
  const SealedReply sealed = kKeys.Seal(kReply, kContext);
  for (const std::string& context : {std::string(), std::string("another"), std::string(kContext) + " "}) {
    EXPECT_THAT(kKeys.Unseal(sealed, context), StatusIs(StatusCode::kDataLoss));
  }
}

TEST(SealKeys, C25_AnyChangeIsDataLoss) {
  const SealedReply sealed = kKeys.Seal(kReply, kContext);
  for (size_t i = 0; i < sealed.nonce().size(); ++i) {
    SealedReply changed = sealed;
    (*changed.mutable_nonce())[i] ^= 1;
    EXPECT_THAT(kKeys.Unseal(changed, kContext), StatusIs(StatusCode::kDataLoss)) << "nonce, byte " << i;
  }
  for (size_t i = 0; i < sealed.ciphertext().size(); ++i) {  // The tag is the end of it.
    SealedReply changed = sealed;
    (*changed.mutable_ciphertext())[i] ^= 0x80;
    EXPECT_THAT(kKeys.Unseal(changed, kContext), StatusIs(StatusCode::kDataLoss)) << "ciphertext, byte " << i;
  }
}

TEST(SealKeys, C25_WhatIsTooShortOrTooLongIsDataLoss) {
  const SealedReply sealed = kKeys.Seal(kReply, kContext);
  const std::vector<std::function<void(SealedReply&)>> kChanges = {
      [](SealedReply& changed) { changed.clear_nonce(); },
      [](SealedReply& changed) { changed.mutable_nonce()->pop_back(); },
      [](SealedReply& changed) { changed.mutable_nonce()->push_back('\0'); },
      [](SealedReply& changed) { changed.clear_ciphertext(); },
      [](SealedReply& changed) { changed.mutable_ciphertext()->resize(15); },
      [](SealedReply& changed) { changed.mutable_ciphertext()->resize(16); },
      [](SealedReply& changed) { changed.mutable_ciphertext()->pop_back(); },
      [](SealedReply& changed) { changed.mutable_ciphertext()->push_back('\0'); },
  };
  for (size_t i = 0; i < kChanges.size(); ++i) {
    SealedReply changed = sealed;
    kChanges[i](changed);
    EXPECT_THAT(kKeys.Unseal(changed, kContext), StatusIs(StatusCode::kDataLoss)) << i;
  }
}

TEST(SealKeys, C25_AnotherKeyOfTheSameIdIsDataLoss) {
  const SealKeys other = KeysOf("old " + Secret('2'));
  EXPECT_THAT(other.Unseal(kKeys.Seal(kReply, kContext), kContext), StatusIs(StatusCode::kDataLoss));
}

TEST(SealKeys, C18_AKeyThatIsNotThereMakesTheStoreUnavailable) {
  const auto unsealed = KeysOf("new " + Secret('1')).Unseal(kKeys.Seal(kReply, kContext), kContext);
  EXPECT_THAT(unsealed, HasReason(Reason::kTokenStoreUnavailable));
  EXPECT_THAT(std::string(unsealed.status().message()), HasSubstr("\"old\""));
}

TEST(SealKeys, C25_TheFirstKeySealsAndEveryKeyUnseals) {
  const SealKeys rotated = KeysOf(absl::StrCat("new ", Secret('2'), "\nold ", Secret('1'), "\n"));
  const SealedReply by_old = kKeys.Seal(kReply, kContext);
  const SealedReply by_new = rotated.Seal(kReply, kContext);
  EXPECT_EQ(by_new.key_id(), "new");
  EXPECT_THAT(rotated.Unseal(by_old, kContext), IsOkAndHolds(kReply));
  EXPECT_THAT(rotated.Unseal(by_new, kContext), IsOkAndHolds(kReply));
}

TEST(SealKeys, ANewFileHasOneKeyThatNoOtherHas) {
  std::set<std::string> secrets;
  for (int i = 0; i < 100; ++i) {
    const SealKeys keys = KeysOf(SealKeys::NewFile("id-1"));
    ASSERT_EQ(keys.keys().size(), 1);
    EXPECT_EQ(keys.keys().front().id, "id-1");
    const auto& secret = keys.keys().front().secret;
    secrets.emplace(secret.begin(), secret.end());
  }
  EXPECT_EQ(secrets.size(), 100);
}

TEST(SealKeys, ParsesCommentsBlankLinesTabsAndEitherCase) {
  const std::string text =
      absl::StrCat("# Keys\n\n  \t\r\n\tone \t ", Secret('a'), "  \r\n  # old\nT.w_o-2 ", Secret('A'));
  const SealKeys keys = KeysOf(text);
  ASSERT_EQ(keys.keys().size(), 2);
  EXPECT_EQ(keys.keys()[0].id, "one");
  EXPECT_EQ(keys.keys()[1].id, "T.w_o-2");
  EXPECT_EQ(keys.keys()[0].secret, keys.keys()[1].secret);
  EXPECT_EQ(keys.keys()[0].secret[31], 0xAA);
}

TEST(SealKeys, AnIdMayHave64CharactersAndNoMore) {
  EXPECT_THAT(SealKeys::Parse(std::string(64, 'i') + " " + Secret('1')), IsOk());
  EXPECT_THAT(SealKeys::Parse(std::string(65, 'i') + " " + Secret('1')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("line 1:")));
}

TEST(SealKeys, WhatIsNoKeyIsRefusedWithItsLine) {
  const std::string good = "one " + Secret('1') + "\n";
  const std::pair<std::string, std::string> kBad[] = {
      {"", "has no key"},
      {"# nothing\n\n", "has no key"},
      {Secret('1'), "line 1: must be"},
      {"one", "line 1: must be"},
      {"one " + Secret('1') + "1", "line 1: must be"},
      {"one " + Secret('1').substr(1), "line 1: must be"},
      {"one " + Secret('1').substr(1) + "g", "line 1: must be"},
      {"one " + Secret('1') + " more", "line 1: must be"},
      {"o/ne " + Secret('1'), "line 1: must be"},
      {"\xC3\xA9 " + Secret('1'), "line 1: must be"},
      {good + "\n# two\n" + "two", "line 4: must be"},
      {good + "one " + Secret('2'), "line 2: has an id that is already taken"},
  };
  for (const auto& [text, message] : kBad) {
    EXPECT_THAT(SealKeys::Parse(text), StatusIs(StatusCode::kInvalidArgument, HasSubstr(message))) << text;
  }
}

TEST(SealKeys, AParseErrorShowsNoSecret) {
  const absl::Status status = SealKeys::Parse("one " + Secret('7') + "7").status();
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("777")));
}

}  // namespace
}  // namespace hapax
