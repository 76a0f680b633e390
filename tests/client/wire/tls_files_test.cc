#include "hapax/client/wire/tls_files.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/wire/connection.h"
#include "hapax/tests/support/certificates.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Encrypted(const MadeCertificate& made) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  const std::string password = "secret";
  EXPECT_EQ(PEM_write_bio_PrivateKey(bio.get(), made.pkey.get(), EVP_aes_128_cbc(),
                                     reinterpret_cast<const unsigned char*>(password.data()),
                                     static_cast<int>(password.size()), nullptr, nullptr),
            1);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

class ConnectByTlsTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& content) {
    std::ofstream(dir_.Path(name), std::ios::binary) << content;
    return dir_.Path(name);
  }
  static absl::Status WithRoots(const std::string& file) {
    return Connect({.tls = true, .tls_ca_file = file}).status();
  }
  static absl::Status WithOwn(const std::string& certificate, const std::string& key) {
    return Connect({.tls = true, .tls_cert_file = certificate, .tls_key_file = key}).status();
  }
  // An error that names the option and the file.
  static auto Names(const std::string& option, const std::string& file, const std::string& what) {
    return StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr(option + " \"" + file + "\""), HasSubstr(what)));
  }

  const MadeCertificate one_ = MakeCertificate();
  const MadeCertificate other_ = MakeCertificate();

 private:
  const TempDir dir_;
};

TEST_F(ConnectByTlsTest, TakesPem) {
  EXPECT_THAT(WithRoots(Write("ca", "A comment.\n" + one_.cert + other_.cert + "\nAnother.\n")), IsOk());
  EXPECT_THAT(WithOwn(Write("cert", one_.cert + other_.cert), Write("key", one_.key)), IsOk());
}

TEST_F(ConnectByTlsTest, RefusesWhatIsNotPemOfItsKindAndNamesIt) {
  const std::string junk = Write("junk", "no PEM\n\xff\xfe");
  const std::string cert = Write("cert", one_.cert);
  const std::string key = Write("key", one_.key);
  EXPECT_THAT(WithRoots(junk), Names("tls_ca_file", junk, "has no certificate"));
  EXPECT_THAT(WithRoots(key), Names("tls_ca_file", key, "has no certificate"));
  EXPECT_THAT(WithOwn(junk, key), Names("tls_cert_file", junk, "has no certificate"));
  EXPECT_THAT(WithOwn(cert, junk), Names("tls_key_file", junk, "has no private key"));
  EXPECT_THAT(WithOwn(cert, cert), Names("tls_key_file", cert, "has no private key"));
}

TEST_F(ConnectByTlsTest, RefusesADamagedCertificateBehindOthers) {
  std::string damaged = other_.cert;
  damaged.replace(damaged.size() / 2, 4, "!!!!");
  const std::string file = Write("ca", one_.cert + damaged);
  EXPECT_THAT(WithRoots(file), Names("tls_ca_file", file, "certificate 2 cannot be read"));
}

TEST_F(ConnectByTlsTest, RefusesAKeyThatCannotBeUsed) {
  const std::string cert = Write("cert", one_.cert);
  const std::string others = Write("other", other_.key);
  const std::string encrypted = Write("encrypted", Encrypted(one_));
  EXPECT_THAT(WithOwn(cert, others), Names("tls_key_file", others, "is not the key of the first certificate"));
  EXPECT_THAT(WithOwn(cert, encrypted), Names("tls_key_file", encrypted, "is encrypted"));
}

}  // namespace
}  // namespace hapax::client
