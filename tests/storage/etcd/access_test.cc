#include "hapax/storage/etcd/access.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/tests/storage/etcd/etcd_cluster.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/support/certificates.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// Who is let into a cluster: users, passwords, certificates.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

class EtcdAccessTest : public testing::Test {
 protected:
  std::string Written(const std::string& name, const std::string& text) const {
    std::string path = dir_.Path(name);
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    return path;
  }

  // The end of a read with these files.
  static absl::Status ReadWith(const EtcdCluster& cluster, const EtcdAccessFiles& files,
                               const std::string& key = "/a/") {
    EtcdOptions options = cluster.ClientOptions();
    options.files = files;
    options.request_timeout = absl::Seconds(2);
    auto client = EtcdClient::Create(options);
    if (!client.ok()) return client.status();
    return ReadAndWait(**client, GetTxn(key)).status;
  }

  // Connections that the first member has logged as refused for this reason.
  static size_t RefusalsIn(const EtcdCluster& cluster, const std::string& reason) {
    const std::vector<std::string> lines = absl::StrSplit(cluster.Log(0), '\n');
    return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return absl::StrContains(line, "rejected connection") && absl::StrContains(line, reason);
    });
  }
  // The end of a read that goes on until the member has refused its connections twice for this reason.
  static absl::Status ReadUntilRefused(const EtcdCluster& cluster, const EtcdAccessFiles& files,
                                       const std::string& reason) {
    EtcdOptions options = cluster.ClientOptions();
    options.files = files;
    auto client = EtcdClient::Create(options);
    if (!client.ok()) return client.status();
    EtcdReply reply;
    (*client)->Read(GetTxn("/a/"), [&](EtcdReply got) { reply = std::move(got); });
    while (RefusalsIn(cluster, reason) < 2) std::this_thread::yield();
    client->reset();
    return reply.status;
  }

  const TempDir dir_;
};

TEST_F(EtcdAccessTest, FilesThatDoNotGoTogetherOrAreOfAnotherKindAreRefused) {
  const std::string pem = Written("cert", MakeCertificate().cert);
  const std::string text = Written("text", "no certificate");
  EXPECT_THAT(ReadEtcdAccess({.cert_file = pem, .key_file = pem}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadEtcdAccess({.ca_file = pem, .cert_file = pem}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadEtcdAccess({.ca_file = text}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("etcd_ca_file")));
  EXPECT_THAT(ReadEtcdAccess({.ca_file = dir_.Path("none")}), StatusIs(StatusCode::kNotFound));
  for (const char* line : {"user", ":password", "user:", "us\ner:password"}) {
    const absl::Status status = ReadEtcdAccess({.credentials_file = Written("wrong", line)}).status();
    EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument, Not(HasSubstr("password\"")))) << line;
  }
  const std::string open = Written("open", "user:password");
  ASSERT_EQ(::chmod(open.c_str(), 0644), 0);
  EXPECT_THAT(ReadEtcdAccess({.credentials_file = open}), StatusIs(StatusCode::kPermissionDenied));
  const auto access = ReadEtcdAccess({.credentials_file = Written("right", "user:pass:word\n")});
  ASSERT_THAT(access, IsOk());
  EXPECT_EQ(access->user, "user");
  EXPECT_EQ(access->password, "pass:word");
}

// The requests of etcd's Auth service begin with one or two strings, as the one for a token does.
void Administer(const EtcdCluster& cluster, const std::string& method, const std::string& first,
                const std::string& second = "", const std::string& token = "") {
  etcd::v3::AuthenticateRequest request;
  request.set_name(first);
  request.set_password(second);
  etcd::v3::AlarmResponse response;  // Any, for the header alone.
  const grpc::Status status = cluster.Call(0, "/etcdserverpb.Auth/" + method, request, response, token);
  ASSERT_TRUE(status.ok()) << method << ": " << status.error_message();
}

std::string TokenOf(const EtcdCluster& cluster, const std::string& user, const std::string& password) {
  etcd::v3::AuthenticateRequest request;
  request.set_name(user);
  request.set_password(password);
  etcd::v3::AuthenticateResponse response;
  EXPECT_TRUE(cluster.Call(0, "/etcdserverpb.Auth/Authenticate", request, response).ok());
  return response.token();
}

TEST_F(EtcdAccessTest, AUserIsLetInWithItsPasswordToItsKeysAloneAndAgainAfterItsTokenIsRefused) {
  const EtcdCluster cluster;
  const std::string credentials = Written("right", "hapax:secret");
  EXPECT_THAT(ReadWith(cluster, {.credentials_file = credentials}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("enable its authentication")));
  Administer(cluster, "UserAdd", "root", "root");
  Administer(cluster, "RoleAdd", "root");
  Administer(cluster, "UserGrantRole", "root", "root");
  Administer(cluster, "UserAdd", "hapax", "secret");
  Administer(cluster, "RoleAdd", "keys");
  // A Permission: READWRITE, of the keys from "/a/" to "/a0".
  Administer(cluster, "RoleGrantPermission", "keys", "\x08\x02\x12\x03/a/\x1a\x03/a0");
  Administer(cluster, "UserGrantRole", "hapax", "keys");
  Administer(cluster, "AuthEnable", "");

  EXPECT_THAT(ReadWith(cluster, {.credentials_file = credentials}), IsOk());
  EXPECT_THAT(ReadWith(cluster, {.credentials_file = credentials}, "/b/"),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("--etcd_prefix")));
  EXPECT_THAT(ReadWith(cluster, {}), StatusIs(StatusCode::kUnauthenticated, HasSubstr("--etcd_credentials_file")));
  EXPECT_THAT(ReadWith(cluster, {.credentials_file = Written("wrong", "hapax:guess")}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("--etcd_credentials_file")));

  EtcdOptions options = cluster.ClientOptions();
  options.files.credentials_file = credentials;
  const auto client = EtcdClient::Create(options);
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(CommitAndWait(**client, PutTxn("/a/key", "first")).status, IsOk());
  // Even by the same password this ends the user's tokens.
  Administer(cluster, "UserChangePassword", "hapax", "secret", TokenOf(cluster, "root", "root"));
  EXPECT_EQ(ValueIn(**client, "/a/key"), "first");
  Administer(cluster, "UserChangePassword", "hapax", "secret", TokenOf(cluster, "root", "root"));
  EXPECT_THAT(CommitAndWait(**client, PutTxn("/a/key", "second")).status, IsOk());
  EXPECT_EQ(ValueIn(**client, "/a/key"), "second");
  Administer(cluster, "UserChangePassword", "hapax", "another", TokenOf(cluster, "root", "root"));
  const EtcdReply refused = CommitAndWait(**client, PutTxn("/a/key", "third"));
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kUnauthenticated));
  EXPECT_TRUE(refused.had_no_effect);
}

TEST_F(EtcdAccessTest, AMemberIsTrustedByItsCAAndAsksForACertificateOfItsOwnCA) {
  const MadeCertificate ca = MakeCertificate({.common_name = "ca", .is_ca = true});
  const MadeCertificate member = MakeCertificate({.common_name = "member", .names = "IP:127.0.0.1"}, &ca);
  const MadeCertificate own = MakeCertificate({.common_name = "hapax"}, &ca);
  const MadeCertificate other_ca = MakeCertificate({.common_name = "other", .is_ca = true});
  const MadeCertificate others = MakeCertificate({.common_name = "hapax"}, &other_ca);
  const EtcdAccessFiles right = {.ca_file = Written("ca", ca.cert),
                                 .cert_file = Written("own", own.cert),
                                 .key_file = Written("own.key", own.key)};
  const EtcdCluster cluster(
      {.flags = {"--cert-file=" + Written("member", member.cert), "--key-file=" + Written("member.key", member.key),
                 "--client-cert-auth", "--trusted-ca-file=" + right.ca_file},
       .files = right});
  EXPECT_THAT(ReadWith(cluster, right), IsOk());
  const std::string wrong_ca = Written("wrong", other_ca.cert);
  // The first refusal is the client's own: it ends the connection.
  const std::vector<std::pair<EtcdAccessFiles, std::string>> wrong = {
      {{.ca_file = wrong_ca, .cert_file = right.cert_file, .key_file = right.key_file}, "\"EOF\""},
      {{.ca_file = right.ca_file}, "client didn't provide a certificate"},
      {{.ca_file = right.ca_file,
        .cert_file = Written("others", others.cert),
        .key_file = Written("others.key", others.key)},
       "certificate signed by unknown authority"},
      {{}, "first record does not look like a TLS handshake"}};
  for (const auto& [files, reason] : wrong) {
    EXPECT_EQ(RefusalsIn(cluster, reason), 0) << reason;
    EXPECT_THAT(ReadUntilRefused(cluster, files, reason), StatusIs(StatusCode::kUnavailable)) << reason;
  }
  EXPECT_THAT(ReadWith(cluster, right), IsOk());
}

}  // namespace
}  // namespace hapax
