#include "hapax/server/grpc/tls_credentials.h"

#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/grpc/service_host.h"
#include "hapax/server/grpc/tls_probe.h"
#include "hapax/tests/support/certificates.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// Handshakes with gRPC itself.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr absl::Duration kTimeout = absl::Seconds(60);

class EndAtOnce final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next) override { call.Finish(""); }
};

class TlsCredentialsTest : public testing::Test {
 protected:
  TlsCredentialsTest() {
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    links.push_back(std::make_unique<EndAtOnce>());
    chain_ = std::make_unique<const Chain>(std::move(links));
  }
  void Write(const MadeCertificate& made) {
    for (const auto& [path, text] : {std::pair(files_.cert_file, made.cert), std::pair(files_.key_file, made.key)}) {
      std::ofstream(path, std::ios::trunc) << text;
      ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    }
  }
  // A server with what is written, and the certificate that it shows.
  void Start() {
    auto opened = TlsCredentials::Open(files_);
    ASSERT_THAT(opened, IsOk());
    tls_ = *std::move(opened);
    auto host = ServiceHost::Start({.listen_address = "127.0.0.1:0", .credentials = tls_->grpc()}, {}, *chain_);
    ASSERT_THAT(host, IsOk());
    host_ = *std::move(host);
  }
  std::string Shown() { return ShownCertificate("127.0.0.1", host_->port(), kTimeout).value_or("none"); }

  const TempDir dir_;
  const TlsFiles files_{.cert_file = dir_.Path("cert.pem"), .key_file = dir_.Path("key.pem")};
  std::unique_ptr<const Chain> chain_;
  std::unique_ptr<TlsCredentials> tls_;
  std::unique_ptr<ServiceHost> host_;
};

TEST_F(TlsCredentialsTest, TheNextHandshakeShowsWhatWasReadLast) {
  for (const char* curve : {"P-256", ""}) {
    Write(MakeCertificate({.curve = curve}));
    if (host_ == nullptr) Start();
    ASSERT_THAT(tls_->Reload(absl::Now()), IsOk());
    EXPECT_EQ(Shown(), tls_->fingerprint());
  }
}

TEST_F(TlsCredentialsTest, AReloadThatDoesNotTakeLeavesWhatIsInUse) {
  Write(MakeCertificate());
  Start();
  const std::string before = tls_->fingerprint();
  const std::string serial = tls_->serial();
  const absl::Time now = absl::Now();
  for (const auto& [options, says] :
       {std::pair(CertificateOptions{.curve = "", .rsa_bits = 1024}, "ee key too small"),
        std::pair(CertificateOptions{.not_before = now - absl::Hours(2), .not_after = now - absl::Hours(1)}, "not now"),
        std::pair(CertificateOptions{.not_before = now + absl::Hours(1), .not_after = now + absl::Hours(2)},
                  "not now")}) {
    Write(MakeCertificate(options));
    EXPECT_THAT(tls_->Reload(now), StatusIs(StatusCode::kInvalidArgument, HasSubstr(says)));
    EXPECT_EQ(tls_->serial(), serial);
    EXPECT_EQ(tls_->fingerprint(), before);
    EXPECT_EQ(Shown(), before);
  }
}

TEST_F(TlsCredentialsTest, AnExpiredCertificateMayReplaceAnExpiredOne) {
  const absl::Time now = absl::Now();
  const CertificateOptions expired{.not_before = now - absl::Hours(2), .not_after = now - absl::Hours(1)};
  Write(MakeCertificate(expired));
  Start();
  EXPECT_FALSE(tls_->IsValidAt(now));
  Write(MakeCertificate(expired));
  ASSERT_THAT(tls_->Reload(now), IsOk());
  EXPECT_EQ(Shown(), tls_->fingerprint());
}

TEST_F(TlsCredentialsTest, NobodyListensThereIsUnavailable) {
  Write(MakeCertificate());
  Start();
  const int port = host_->port();
  host_ = nullptr;
  EXPECT_THAT(ShownCertificate("127.0.0.1", port, kTimeout), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hapax
