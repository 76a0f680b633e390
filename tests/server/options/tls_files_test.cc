#include "hapax/server/options/tls_files.h"

#include <openssl/pem.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/certificates.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// What a handshake would find out is found out before. That what is read works through gRPC is e2e.tls' to show.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

class ReadTlsFilesTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = dir_.Path(name);
    std::ofstream(path, std::ios::trunc) << text;
    EXPECT_EQ(chmod(path.c_str(), 0600), 0);
    return path;
  }
  absl::StatusOr<TlsPems> Read(const std::string& cert, const std::string& key, const std::string& client_cas = "") {
    return ReadTlsFiles({.cert_file = Write("cert.pem", cert),
                         .key_file = Write("key.pem", key),
                         .client_ca_file = client_cas.empty() ? "" : Write("cas.pem", client_cas)});
  }
  absl::StatusOr<TlsPems> Read(const CertificateOptions& options) {
    const MadeCertificate made = MakeCertificate(options);
    return Read(made.cert, made.key);
  }

  const TempDir dir_;
};

auto RefusedFor(const std::string& option, const std::string& what) {
  return StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr(option + "="), HasSubstr(what)));
}

TEST_F(ReadTlsFilesTest, KeysThatGrpcsHandshakesWorkWithAreTaken) {
  for (const char* curve : {"P-256", "P-384", "P-521", ""}) {
    EXPECT_THAT(Read(CertificateOptions{.curve = curve}), IsOk()) << curve;
  }
}

TEST_F(ReadTlsFilesTest, AKeyThatIsTooWeakForTheSecurityLevelIsRefusedThoughItParses) {
  EXPECT_THAT(Read(CertificateOptions{.curve = "", .rsa_bits = 1024}),
              RefusedFor("tls_cert_file", "a key of 1024 bits: ee key too small"));
}

TEST_F(ReadTlsFilesTest, ACurveThatTlsHasNoSignatureForIsRefused) {
  EXPECT_THAT(Read(CertificateOptions{.curve = "secp256k1"}), RefusedFor("tls_cert_file", "no TLS handshake works"));
}

TEST_F(ReadTlsFilesTest, ASignatureByAWeakDigestIsRefused) {
  const MadeCertificate ca = MakeCertificate({.common_name = "ca", .is_ca = true});
  const MadeCertificate own = MakeCertificate({.digest = "SHA1"}, &ca);
  EXPECT_THAT(Read(own.cert, own.key), RefusedFor("tls_cert_file", "TLS cannot use certificate 1"));
}

TEST_F(ReadTlsFilesTest, AChainStandsInItsOrder) {
  const MadeCertificate root = MakeCertificate({.common_name = "root", .is_ca = true});
  const MadeCertificate middle = MakeCertificate({.common_name = "middle", .is_ca = true}, &root);
  const MadeCertificate own = MakeCertificate({}, &middle);
  EXPECT_THAT(Read(own.cert + middle.cert, own.key), IsOk());
  EXPECT_THAT(Read(own.cert + middle.cert + root.cert, own.key), IsOk());
  EXPECT_THAT(Read(own.cert + root.cert + middle.cert, own.key),
              RefusedFor("tls_cert_file", "certificate 2 in it did not issue certificate 1"));
  EXPECT_THAT(Read(middle.cert + own.cert, own.key),
              RefusedFor("tls_key_file", "but of certificate 2, which must come first"));
  const MadeCertificate weak = MakeCertificate({.common_name = "weak", .curve = "", .rsa_bits = 1024, .is_ca = true});
  const MadeCertificate below = MakeCertificate({}, &weak);
  EXPECT_THAT(Read(below.cert + weak.cert, below.key), RefusedFor("tls_cert_file", "certificate 2"));
}

TEST_F(ReadTlsFilesTest, AKeyThatIsAnothersOrEncryptedIsRefused) {
  const MadeCertificate made = MakeCertificate();
  EXPECT_THAT(Read(made.cert, MakeCertificate().key), RefusedFor("tls_key_file", "is not the key"));
  BIO* const bio = BIO_new(BIO_s_mem());
  ASSERT_EQ(PEM_write_bio_PrivateKey(bio, made.pkey.get(), EVP_aes_256_cbc(), nullptr, 0, nullptr,
                                     const_cast<char*>("passphrase")),
            1);
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &text));
  EXPECT_THAT(Read(made.cert, std::string(text, size)), RefusedFor("tls_key_file", "passphrase"));
  BIO_free(bio);
}

TEST_F(ReadTlsFilesTest, ClientsAuthoritiesAreOnesThatClientsCanBeVerifiedBy) {
  const MadeCertificate made = MakeCertificate();
  EXPECT_THAT(Read(made.cert, made.key, MakeCertificate({.is_ca = true}).cert), IsOk());
  EXPECT_THAT(Read(made.cert, made.key, "no certificate"), RefusedFor("tls_client_ca_file", "no PEM certificate"));
  EXPECT_THAT(Read(made.cert, made.key, MakeCertificate({.curve = "", .rsa_bits = 1024, .is_ca = true}).cert),
              RefusedFor("tls_client_ca_file", "too weak"));
  const std::string empty = Write("empty.pem", "");
  EXPECT_THAT(
      ReadTlsFiles(
          {.cert_file = Write("cert.pem", made.cert), .key_file = Write("key.pem", made.key), .client_ca_file = empty}),
      RefusedFor("tls_client_ca_file", "is empty"));
}

TEST_F(ReadTlsFilesTest, SaysWhichCertificateItIsAndWhenItIsValid) {
  const absl::Time from = absl::FromUnixSeconds(1'900'000'000);
  const absl::Time until = from + absl::Hours(1);
  const auto pems = Read(CertificateOptions{.not_before = from, .not_after = until});
  ASSERT_THAT(pems, IsOk());
  EXPECT_EQ(pems->valid_from, from);
  EXPECT_EQ(pems->valid_until, until);
  EXPECT_FALSE(pems->serial.empty());
  EXPECT_EQ(pems->fingerprint.size(), 64u);
}

TEST_F(ReadTlsFilesTest, AFileThatIsMissingIsNamed) {
  EXPECT_THAT(ReadTlsFiles({.cert_file = dir_.Path("none"), .key_file = dir_.Path("none")}),
              StatusIs(StatusCode::kNotFound, HasSubstr("tls_cert_file=")));
}

}  // namespace
}  // namespace hapax
