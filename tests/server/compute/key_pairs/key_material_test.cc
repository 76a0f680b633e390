#include "hapax/server/compute/key_pairs/key_material.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::compute {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

// What the command printed, standard error included. Fails the test when it did not exit with 0.
std::string OutputOf(const std::string& command, const std::string& input = "/dev/null") {
  FILE* pipe = popen((command + " 2>&1 < " + input).c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 4096> part;
  while (const size_t size = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), size);
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << "\n" << output;
  return output;
}

// A kind of key, and how OpenSSH speaks of it.
struct Kind {
  v1::KeyType type;
  std::string algorithm;
  std::string bits;
  std::string label;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.label; }

class KeyMaterialTest : public testing::TestWithParam<Kind> {
 protected:
  KeyMaterialTest() : material_(*GenerateKey(GetParam().type)) {}

  // The path of a file with this content that only its owner may read, as OpenSSH wants it.
  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = dir_.Path(name);
    std::ofstream(path) << content;
    EXPECT_EQ(chmod(path.c_str(), S_IRUSR | S_IWUSR), 0);
    return path;
  }

  const TempDir dir_;
  const KeyMaterial material_;
};

TEST_P(KeyMaterialTest, ThePublicKeyIsALineOfAuthorizedKeys) {
  EXPECT_THAT(material_.public_key, StartsWith(GetParam().algorithm + " AAAA"));
  EXPECT_EQ(material_.public_key.find('\n'), std::string::npos);
}

TEST_P(KeyMaterialTest, TheFingerprintIsUnpaddedBase64OfADigest) {
  EXPECT_THAT(material_.fingerprint, MatchesRegex("SHA256:[A-Za-z0-9+/]{43}"));
}

TEST_P(KeyMaterialTest, EveryKeyIsANewOne) {
  const auto other = GenerateKey(GetParam().type);
  ASSERT_THAT(other, IsOk());
  EXPECT_NE(other->private_key, material_.private_key);
  EXPECT_NE(other->public_key, material_.public_key);
  EXPECT_NE(other->fingerprint, material_.fingerprint);
}

// With OpenSSH's own tool as the judge.
class KeyMaterialOpenSshTest : public KeyMaterialTest {
 protected:
  void SetUp() override {
    if (std::system("command -v ssh-keygen > /dev/null") != 0) GTEST_SKIP() << "there is no ssh-keygen on PATH";
  }
};

TEST_P(KeyMaterialOpenSshTest, DerivesThePublicKeyFromThePrivateOne) {
  const std::string derived = OutputOf("ssh-keygen -y -P '' -f " + Write("key", material_.private_key));
  EXPECT_EQ(absl::StripTrailingAsciiWhitespace(derived), material_.public_key);
}

TEST_P(KeyMaterialOpenSshTest, PrintsTheSameFingerprint) {
  const std::string printed = OutputOf("ssh-keygen -l -f " + Write("key.pub", material_.public_key + "\n"));
  EXPECT_THAT(printed, StartsWith(GetParam().bits + " " + material_.fingerprint + " "));
  EXPECT_THAT(printed, EndsWith("(" + GetParam().label + ")\n"));
}

// ssh-keygen -y only copies an Ed25519 file's public half; a signature needs the private one.
TEST_P(KeyMaterialOpenSshTest, VerifiesASignatureThatThePrivateKeyMade) {
  const std::string key = Write("key", material_.private_key);
  Write("key.pub", material_.public_key + "\n");
  const std::string text = Write("text", "signed");
  OutputOf("ssh-keygen -Y sign -n hapax -f " + key + " " + text);
  const std::string signers = Write("signers", "tenant " + material_.public_key + "\n");
  EXPECT_THAT(OutputOf("ssh-keygen -Y verify -n hapax -I tenant -f " + signers + " -s " + text + ".sig", text),
              HasSubstr("Good"));
}

const Kind kKinds[] = {{v1::KEY_TYPE_ED25519, "ssh-ed25519", "256", "ED25519"},
                       {v1::KEY_TYPE_RSA, "ssh-rsa", "2048", "RSA"}};
std::string LabelOf(const testing::TestParamInfo<Kind>& kind) { return kind.param.label; }
INSTANTIATE_TEST_SUITE_P(Kinds, KeyMaterialTest, testing::ValuesIn(kKinds), LabelOf);
INSTANTIATE_TEST_SUITE_P(Kinds, KeyMaterialOpenSshTest, testing::ValuesIn(kKinds), LabelOf);

TEST(GenerateKey, UnspecifiedMeansEd25519) {
  const auto material = GenerateKey(v1::KEY_TYPE_UNSPECIFIED);
  ASSERT_THAT(material, IsOk());
  EXPECT_THAT(material->public_key, StartsWith("ssh-ed25519 "));
}

TEST(GenerateKey, AnEd25519KeyIsInOpenSshsFormat) {
  const auto material = GenerateKey(v1::KEY_TYPE_ED25519);
  ASSERT_THAT(material, IsOk());
  EXPECT_THAT(material->private_key, StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  EXPECT_THAT(material->private_key, EndsWith("\n-----END OPENSSH PRIVATE KEY-----\n"));
}

TEST(GenerateKey, AnRsaKeyIsPkcs1With2048Bits) {
  const auto material = GenerateKey(v1::KEY_TYPE_RSA);
  ASSERT_THAT(material, IsOk());
  EXPECT_THAT(material->private_key, StartsWith("-----BEGIN RSA PRIVATE KEY-----\n"));
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(material->private_key.data(), static_cast<int>(material->private_key.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(EVP_PKEY_get_base_id(key.get()), EVP_PKEY_RSA);
  EXPECT_EQ(EVP_PKEY_get_bits(key.get()), 2048);
}

}  // namespace
}  // namespace hapax::compute
