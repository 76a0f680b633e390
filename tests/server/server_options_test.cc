#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/server.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// Options that no server can have: refused by name, before anything is opened.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Wrong {
  std::string starts;   // Of the error.
  std::string allowed;  // In it, too.
  std::function<void(ServerOptions&)> change;
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.starts; }

ServerOptions SoundOptions(const TempDir& dir) {
  return {.listen_address = "127.0.0.1:0", .data_dir = dir.Path("data"), .log_level = spdlog::level::off};
}

// Sound, but nobody answers there.
ServerOptions EtcdOptions() {
  return {.listen_address = "127.0.0.1:0",
          .store = "etcd",
          .etcd = {.endpoints = {"127.0.0.1:1"}},
          .server_id = "a",
          .seal_key_file = "seal_keys",
          .log_level = spdlog::level::off};
}

class ServerOptionsTest : public testing::TestWithParam<Wrong> {};

TEST_P(ServerOptionsTest, AnOptionThatCannotBeIsNamedAndNothingIsOpened) {
  const TempDir dir;
  ServerOptions options = SoundOptions(dir);
  GetParam().change(options);
  const auto server = Server::Open(std::move(options));
  EXPECT_THAT(server, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(server.status().message()),
              AllOf(StartsWith(GetParam().starts), HasSubstr(GetParam().allowed)));
  EXPECT_TRUE(std::filesystem::is_empty(dir.Path()));
}

INSTANTIATE_TEST_SUITE_P(
    Names, ServerOptionsTest,
    testing::Values(
        Wrong{"data_dir=:", "must name a directory", [](auto& o) { o.data_dir = ""; }},
        Wrong{"store=mysql:", "rocksdb, etcd, postgres", [](auto& o) { o.store = "mysql"; }},
        Wrong{"server_id=a:", "only with store=etcd", [](auto& o) { o.server_id = "a"; }},
        Wrong{"etcd_endpoints=h:1,h:2:", "only with store=etcd",
              [](auto& o) {
                o.etcd.endpoints = {"h:1", "h:2"};
              }},
        Wrong{"server_id=a/b:", "1 to 64 letters", [](auto& o) { o = EtcdOptions(), o.server_id = "a/b"; }},
        Wrong{"server_id=:", "1 to 64 letters", [](auto& o) { o = EtcdOptions(), o.server_id = ""; }},
        Wrong{"etcd_endpoints=:", "the members", [](auto& o) { o = EtcdOptions(), o.etcd.endpoints.clear(); }},
        Wrong{"etcd_endpoints=h:0:", "1 to 65535", [](auto& o) { o = EtcdOptions(), o.etcd.endpoints = {"h:0"}; }},
        Wrong{"etcd_prefix=/a/:", "not end with", [](auto& o) { o = EtcdOptions(), o.etcd.prefix = "/a/"; }},
        Wrong{"etcd_key_file=:", "required with", [](auto& o) { o = EtcdOptions(), o.etcd.cert_file = "c"; }},
        Wrong{"seal_key_file=:", "a copy", [](auto& o) { o = EtcdOptions(), o.seal_key_file = ""; }},
        Wrong{"data_dir=d:", "in the cluster", [](auto& o) { o = EtcdOptions(), o.data_dir = "d"; }},
        Wrong{"backup_dir=b:", "back up the cluster", [](auto& o) { o = EtcdOptions(), o.backup_dir = "b"; }},
        Wrong{"max_clock_skew=0:", "at least 1ms", [](auto& o) { o.max_clock_skew = absl::ZeroDuration(); }},
        Wrong{"work_lease=0:", "at least 1ms", [](auto& o) { o.work_lease = absl::ZeroDuration(); }},
        Wrong{"listen_address=nonsense:", "must be HOST:PORT", [](auto& o) { o.listen_address = "nonsense"; }},
        Wrong{"listen_address=127.0.0.1:70000:", "0 to 65535", [](auto& o) { o.listen_address = "127.0.0.1:70000"; }},
        Wrong{"listen_address=:", "must be HOST:PORT", [](auto& o) { o.listen_address = ""; }},
        Wrong{"listen_address=0.0.0.0:0:", "authenticator must be set",
              [](auto& o) { o.listen_address = "0.0.0.0:0"; }},
        Wrong{"metrics_address=9090:", "must be HOST:PORT", [](auto& o) { o.metrics_address = "9090"; }},
        Wrong{"default_region=:", "1 to 256 characters", [](auto& o) { o.default_region = ""; }},
        Wrong{"default_region=a\\n:", "0x20-0x7E", [](auto& o) { o.default_region = "a\n"; }},
        Wrong{"default_region=\\xff:", "0x20-0x7E", [](auto& o) { o.default_region = "\xff"; }},
        Wrong{"default_region=xx", "1 to 256", [](auto& o) { o.default_region = std::string(257, 'x'); }},
        Wrong{"max_calls_in_flight=0:", "at least 1", [](auto& o) { o.max_calls_in_flight = 0; }},
        Wrong{"max_calls_in_flight=-1:", "at least 1", [](auto& o) { o.max_calls_in_flight = -1; }},
        Wrong{"max_waiting_transactions=0:", "1 to 2147483647", [](auto& o) { o.max_waiting_transactions = 0; }},
        Wrong{"max_waiting_transactions=18446744073709551615:", "1 to 2147483647",
              [](auto& o) { o.max_waiting_transactions = static_cast<size_t>(-1); }},
        Wrong{"block_cache_bytes=0:", "must be 1 to", [](auto& o) { o.block_cache_bytes = 0; }},
        Wrong{"stop_grace=0:", "at least 1ms", [](auto& o) { o.stop_grace = absl::ZeroDuration(); }},
        Wrong{"token_policy.retention=-1s:", "1ms to 87600h",
              [](auto& o) { o.token_policy.retention = -absl::Seconds(1); }},
        Wrong{"token_policy.retention=0:", "1ms to 87600h",
              [](auto& o) { o.token_policy.retention = absl::ZeroDuration(); }},
        Wrong{"token_policy.retention=inf:", "1ms to 87600h",
              [](auto& o) { o.token_policy.retention = absl::InfiniteDuration(); }},
        Wrong{"token_policy.tombstone_retention=-1ns:", "0 to 87600h",
              [](auto& o) { o.token_policy.tombstone_retention = -absl::Nanoseconds(1); }},
        Wrong{"token_policy.max_tokens_per_tenant=-1:", "at least 0",
              [](auto& o) { o.token_policy.max_tokens_per_tenant = -1; }},
        Wrong{"token_policy.max_token_bytes_per_tenant=-1:", "at least 0",
              [](auto& o) { o.token_policy.max_token_bytes_per_tenant = -1; }},
        Wrong{"token_policy.max_abandoned_tokens_per_tenant=-1:", "at least 0",
              [](auto& o) { o.token_policy.max_abandoned_tokens_per_tenant = -1; }},
        Wrong{"tenant_limits.max_calls_in_flight=0:", "at least 1",
              [](auto& o) { o.tenant_limits.max_calls_in_flight = 0; }},
        Wrong{"tenant_limits.max_calls_per_second=-1:", "at least 0",
              [](auto& o) { o.tenant_limits.max_calls_per_second = -1; }},
        Wrong{"tenant_limits.max_calls_per_second=nan:", "at least 0",
              [](auto& o) { o.tenant_limits.max_calls_per_second = kNan; }},
        Wrong{"tenant_limits.max_burst=0:", "at least 1", [](auto& o) { o.tenant_limits.max_burst = 0; }},
        Wrong{"request_limits.max_unknown_fields=-1:", "at least 0",
              [](auto& o) { o.request_limits.max_unknown_fields = -1; }},
        Wrong{"request_limits.max_map_entries=-1:", "at least 0",
              [](auto& o) { o.request_limits.max_map_entries = -1; }},
        Wrong{"request_limits.max_elements=0:", "at least 1", [](auto& o) { o.request_limits.max_elements = 0; }},
        Wrong{"request_limits.max_depth=-1:", "0 to 90", [](auto& o) { o.request_limits.max_depth = -1; }},
        Wrong{"request_limits.max_depth=91:", "0 to 90", [](auto& o) { o.request_limits.max_depth = 91; }},
        Wrong{"request_budget.max_message_bytes=4194304:", "at least 4194305",
              [](auto& o) { o.connection_limits.max_message_bytes = (4 << 20) + 1; }},
        Wrong{"request_budget.bytes=8388607:", "at least 8388608",
              [](auto& o) { o.request_budget.bytes = (8 << 20) - 1; }},
        Wrong{"reply_budget.bytes=-1:", "at least 8388608", [](auto& o) { o.reply_budget.bytes = -1; }},
        Wrong{"reply_budget.max_message_bytes=0:", "at least 1", [](auto& o) { o.reply_budget.max_message_bytes = 0; }},
        Wrong{"connection_limits.max_connection_bytes=335544319:", "at least 335544320",
              [](auto& o) { o.connection_limits.max_connection_bytes = (320 << 20) - 1; }},
        Wrong{"connection_limits.max_connections=0:", "at least 1",
              [](auto& o) { o.connection_limits.max_connections = 0; }},
        Wrong{"connection_limits.max_stranger_connections=-1:", "at least 1",
              [](auto& o) { o.connection_limits.max_stranger_connections = -1; }},
        Wrong{"connection_limits.max_message_bytes=-1:", "at least 1",
              [](auto& o) { o.connection_limits.max_message_bytes = -1; }},
        Wrong{"connection_limits.max_metadata_bytes=0:", "at least 1",
              [](auto& o) { o.connection_limits.max_metadata_bytes = 0; }},
        Wrong{"connection_limits.max_calls_per_connection=0:", "at least 1",
              [](auto& o) { o.connection_limits.max_calls_per_connection = 0; }},
        Wrong{"connection_limits.max_pending_calls=0:", "at least 1",
              [](auto& o) { o.connection_limits.max_pending_calls = 0; }},
        Wrong{"connection_limits.request_timeout=0:", "at least 1ms",
              [](auto& o) { o.connection_limits.request_timeout = absl::ZeroDuration(); }},
        Wrong{"connection_limits.handshake_timeout=-1s:", "at least 1ms",
              [](auto& o) { o.connection_limits.handshake_timeout = -absl::Seconds(1); }},
        Wrong{"connection_limits.keepalive_time=0:", "at least 1ms",
              [](auto& o) { o.connection_limits.keepalive_time = absl::ZeroDuration(); }},
        Wrong{"connection_limits.keepalive_timeout=0:", "at least 1ms",
              [](auto& o) { o.connection_limits.keepalive_timeout = absl::ZeroDuration(); }},
        Wrong{"connection_limits.max_connection_idle=0:", "at least 1ms",
              [](auto& o) { o.connection_limits.max_connection_idle = absl::ZeroDuration(); }},
        Wrong{"connection_limits.max_connection_age=0:", "at least 1ms",
              [](auto& o) { o.connection_limits.max_connection_age = absl::ZeroDuration(); }}),
    [](const auto& row) { return absl::StrCat("Row", row.index); });

TEST(ServerOptions, BackupsInTheDataDirectoryAreRefused) {
  const TempDir dir;
  ServerOptions options = SoundOptions(dir);
  options.backup_dir = dir.Path("data/backups");
  EXPECT_THAT(Server::Open(std::move(options)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(absl::StrCat("backup_dir=", dir.Path("data/backups")))));
}

TEST(ServerOptions, WithAnAuthenticatorAnyAddressIsTaken) {
  const TempDir dir;
  ServerOptions options = SoundOptions(dir);
  options.listen_address = "0.0.0.0:0";
  options.authenticator = std::make_unique<TrustingAuthenticator>();
  EXPECT_THAT(Server::Open(std::move(options)), IsOk());
}

TEST(ServerOptions, TheBoundsThemselvesAreTaken) {
  const TempDir dir;
  ServerOptions options = SoundOptions(dir);
  options.default_region = std::string(256, 'x');
  options.max_calls_in_flight = 1;
  options.max_waiting_transactions = 1;
  options.token_policy.retention = absl::Milliseconds(1);
  options.token_policy.tombstone_retention = absl::ZeroDuration();
  options.tenant_limits = {.max_calls_in_flight = 1, .max_calls_per_second = 0, .max_burst = 1};
  options.request_limits = {.max_unknown_fields = 0, .max_map_entries = 0, .max_elements = 1, .max_depth = 0};
  options.connection_limits.max_connection_age = absl::InfiniteDuration();
  options.stop_grace = absl::InfiniteDuration();
  EXPECT_THAT(Server::Open(std::move(options)), IsOk());
}

// However the directory is spelled.
TEST(ServerOptions, SealKeysAreMadeBesideTheDataDirectory) {
  const TempDir dir;
  ServerOptions options = SoundOptions(dir);
  options.data_dir = dir.Path("data//");
  EXPECT_THAT(Server::Open(std::move(options)), IsOk());
  EXPECT_TRUE(std::filesystem::exists(dir.Path("data.seal_keys")));
}

}  // namespace
}  // namespace hapax
