#include "hapax/server/options/flags.h"

#include <cstdint>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/options/host_port.h"

ABSL_FLAG(std::string, listen_address, "127.0.0.1:50051",
          "HOST:PORT to serve gRPC on, such as 127.0.0.1:50051 or [::1]:50051; port 0 takes a free one");
ABSL_FLAG(
    std::string, auth, "none",
    "How callers are authenticated. none: the tenant is metadata x-tenant-id, or \"default\"; only with a loopback "
    "--listen_address. api_key: by metadata authorization: Bearer KEY, or x-api-key: KEY; see --api_keys_file. mtls: "
    "by the client's certificate, its URI spiffe://TRUST_DOMAIN/tenant/NAME or "
    "spiffe://TRUST_DOMAIN/tenant/NAME/role/ROLE, else its subject's CN, which is the tenant; the role is write unless "
    "it is named; see --tls_client_ca_file");
ABSL_FLAG(std::string, api_keys_file, "",
          "With --auth=api_key: file with one key a line, \"<tenant> <read|write|admin> <id> <salt>:<SHA-256>\", which "
          "hapaxctl admin new-api-key makes; lines that begin with # do not count. SIGHUP has it read again");
ABSL_FLAG(
    std::string, tls_cert_file, "",
    "PEM file with the server's certificate, followed by those that lead to its CA; with it and --tls_key_file all "
    "connections are encrypted. SIGHUP has the TLS files read again, for new connections");
ABSL_FLAG(std::string, tls_key_file, "",
          "PEM file with the private key of --tls_cert_file, without a passphrase, that nobody else may read");
ABSL_FLAG(std::string, tls_client_ca_file, "",
          "PEM file with the CAs of clients. With it a connection takes a client certificate of one of them; required "
          "with --auth=mtls");
ABSL_FLAG(std::string, default_region, "us-east-1",
          "Region of a call that names no region, zone or subnet. Part of what makes a client token unique: keep it. "
          "Another one stops the start; see --accept_rule_changes");
ABSL_FLAG(std::vector<std::string>, accept_rule_changes, {},
          "Methods, as package.Service/Method with commas between them, whose tokens may be looked for elsewhere than "
          "before, since their rule or --default_region has changed. A retry of a call made before is executed again: "
          "only for once none is retried any more. A start that has such changes, and not all their names here, is "
          "refused and tells them; see docs/changing-rules.md");
ABSL_FLAG(absl::Duration, token_retention, absl::Hours(24),
          "How long the reply of a call with a client token is kept, and a retry of it safe, unless its method says "
          "otherwise; 1ms to 87600h, such as 24h. Records keep the times they were written with");
ABSL_FLAG(absl::Duration, token_tombstone_retention, absl::Hours(24 * 30),
          "How long after that the token is still remembered, and refused with CLIENT_TOKEN_EXPIRED; 0 to 87600h, such "
          "as 720h");
ABSL_FLAG(absl::Time, time_passed, absl::InfinitePast(),
          "A time that has truly passed, such as 2030-01-31T12:00:00Z: tokens expire as far as that. For a start whose "
          "log says that the clock is ahead, and it is not; a server takes no more than an hour for passed while the "
          "machine was down. It does no harm to leave it there");
ABSL_FLAG(std::string, seal_key_file, "",
          "File with the keys that replies with secrets are encrypted with before they are stored, one a line, "
          "\"<id> <64 hexadecimal digits>\": the first one encrypts, all decrypt. With --store=rocksdb it is created "
          "with one "
          "key when it does not exist; empty for --data_dir with .seal_keys at its end. Otherwise it is "
          "required, and "
          "each server has a copy of the same file. Keep a copy of it apart from the data");
ABSL_FLAG(std::string, backup_dir, "",
          "Directory where hapax.admin.v1.Admin/CreateBackup (hapaxctl admin backup) makes backups of --data_dir, "
          "outside of that; created with the first. Empty: no backups are made. `hapaxctl admin restore` restores one");
ABSL_FLAG(std::string, catalog_file, "",
          "Regions, zones, subnets, images, instance types and quotas, as a hapax.compute.v1.Catalog in protobuf text "
          "format; empty for the built-in ones");
ABSL_FLAG(absl::Duration, simulated_boot_latency, absl::Milliseconds(500),
          "How long the simulated hypervisor takes to boot an instance, or to shut it down; such as 500ms");
ABSL_FLAG(std::string, http_address, "",
          "HOST:PORT to serve calls on over HTTP (docs/doors.md), with TLS if --tls_cert_file is given; port 0 takes a "
          "free one; empty for none. /metrics, /healthz and /readyz are there, too");
ABSL_FLAG(
    std::string, access_keys_file, "",
    "File of access keys with which requests of EC2's API are signed, whose lines hapaxctl admin new-access-key "
    "makes; for its owner only. Such a signature is verified and identifies the caller, whatever --auth is. SIGHUP "
    "has it read again");
ABSL_FLAG(bool, ec2_invocation_id_tokens, true,
          "Whether a mutating call of EC2's API without a token takes header amz-sdk-invocation-id for one, so that an "
          "SDK's own retries happen once. It costs a stored token for each such call");
ABSL_FLAG(std::string, metrics_address, "",
          "HOST:PORT to serve /metrics (Prometheus), /healthz and /readyz on, and nothing else, without TLS; empty for "
          "none. Anyone who reaches it may read them");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(30),
          "How long running calls may take to finish after SIGTERM or SIGINT, such as 30s");
ABSL_FLAG(std::string, log_level, "info",
          "Least level of what is logged to stderr: debug, info (a line for every call), warning, error, off");

namespace hapax {
namespace {

absl::Status Wrong(absl::string_view flag, absl::string_view value, absl::string_view allowed) {
  return FlagError(flag, value, absl::InvalidArgumentError(allowed));
}

absl::StatusOr<ServerFlags::Auth> ParseAuth(const std::string& auth, const HostPort& listen_address,
                                            const std::string& api_keys_file, const TlsFiles& tls) {
  if (auth == "api_key") {
    if (!api_keys_file.empty()) return ServerFlags::Auth::kApiKey;
    return Wrong("api_keys_file", "", "is required with --auth=api_key");
  }
  if (!api_keys_file.empty()) return Wrong("api_keys_file", api_keys_file, "is of use only with --auth=api_key");
  if (auth == "mtls") {
    if (!tls.client_ca_file.empty()) return ServerFlags::Auth::kMtls;
    return Wrong("tls_client_ca_file", "", "is required with --auth=mtls");
  }
  if (auth != "none") return Wrong("auth", auth, "must be none, api_key or mtls");
  if (listen_address.IsLoopback()) return ServerFlags::Auth::kNone;
  return Wrong("auth", auth,
               absl::StrCat("believes every caller, so --listen_address must be a loopback address, such as "
                            "127.0.0.1:50051, and not on ",
                            listen_address.host));
}

absl::Status CheckHttpAddress(ServerFlags& flags) {
  if (flags.http_address.empty()) return absl::OkStatus();
  const absl::StatusOr<HostPort> address = HostPort::Parse("http_address", flags.http_address);
  if (!address.ok()) return AsFlagError(address.status());
  if (address->IsLoopback()) return absl::OkStatus();
  flags.listens_to_others = true;
  if (flags.auth != ServerFlags::Auth::kNone) return absl::OkStatus();
  return Wrong("http_address", flags.http_address, "must be a loopback address with --auth=none");
}

absl::StatusOr<spdlog::level::level_enum> ParseLogLevel(const std::string& name) {
  for (const auto& [level_name, level] : {std::pair("debug", spdlog::level::debug),
                                          {"info", spdlog::level::info},
                                          {"warning", spdlog::level::warn},
                                          {"error", spdlog::level::err},
                                          {"off", spdlog::level::off}}) {
    if (name == level_name) return level;
  }
  return Wrong("log_level", name, "must be debug, info, warning, error or off");
}

absl::Status CheckNotNegative(absl::string_view flag, absl::Duration value) {
  if (value >= absl::ZeroDuration() && value < absl::InfiniteDuration()) return absl::OkStatus();
  return Wrong(flag, absl::FormatDuration(value), "must not be negative, or infinite");
}

}  // namespace

absl::Status FlagError(absl::string_view flag, absl::string_view value, const absl::Status& error) {
  return {error.code(), absl::StrCat("--", flag, "=", value, ": ", error.message())};
}

absl::Status AsFlagError(const absl::Status& error) {
  const absl::string_view message = error.message();
  const absl::string_view option = message.substr(0, message.find('='));
  const bool names_option = option.size() < message.size() && option.find(' ') == absl::string_view::npos;
  if (!names_option) return error;
  return {error.code(), absl::StrCat("--", FlagOfOption(option), message.substr(option.size()))};
}

absl::StatusOr<ServerFlags> ParseServerFlags(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "hapaxd serves hapax.compute.v1.Compute: mutating calls that happen once, however often they are retried; with "
      "it\n"
      "hapax.idempotency.v1.Tokens, what became of a client token, google.longrunning.Operations, and "
      "hapax.admin.v1.Admin, backups.\n"
      "It stops on SIGTERM or SIGINT, once running calls have finished.");
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("\"", arguments[1], "\" is not a flag; see --help"));
  }

  ServerFlags flags;
  flags.listen_address = absl::GetFlag(FLAGS_listen_address);
  const absl::StatusOr<HostPort> listen_address = HostPort::Parse("listen_address", flags.listen_address);
  if (!listen_address.ok()) return AsFlagError(listen_address.status());
  flags.listens_to_others = !listen_address->IsLoopback();
  flags.store = ReadStoreFlags();
  flags.api_keys_file = absl::GetFlag(FLAGS_api_keys_file);
  flags.tls = {.cert_file = absl::GetFlag(FLAGS_tls_cert_file),
               .key_file = absl::GetFlag(FLAGS_tls_key_file),
               .client_ca_file = absl::GetFlag(FLAGS_tls_client_ca_file)};
  HAPAX_ASSIGN_OR_RETURN(flags.auth,
                         ParseAuth(absl::GetFlag(FLAGS_auth), *listen_address, flags.api_keys_file, flags.tls));
  flags.default_region = absl::GetFlag(FLAGS_default_region);
  flags.accept_rule_changes = absl::GetFlag(FLAGS_accept_rule_changes);
  flags.token_policy.retention = absl::GetFlag(FLAGS_token_retention);
  flags.token_policy.tombstone_retention = absl::GetFlag(FLAGS_token_tombstone_retention);
  flags.time_passed = absl::GetFlag(FLAGS_time_passed);
  flags.seal_key_file = absl::GetFlag(FLAGS_seal_key_file);
  flags.backup_dir = absl::GetFlag(FLAGS_backup_dir);
  flags.catalog_file = absl::GetFlag(FLAGS_catalog_file);
  flags.simulated_boot_latency = absl::GetFlag(FLAGS_simulated_boot_latency);
  HAPAX_RETURN_IF_ERROR(CheckNotNegative("simulated_boot_latency", flags.simulated_boot_latency));
  flags.http_address = absl::GetFlag(FLAGS_http_address);
  HAPAX_RETURN_IF_ERROR(CheckHttpAddress(flags));
  flags.access_keys_file = absl::GetFlag(FLAGS_access_keys_file);
  if (!flags.access_keys_file.empty() && flags.http_address.empty()) {
    return Wrong("access_keys_file", flags.access_keys_file, "is of use only with --http_address");
  }
  flags.ec2_invocation_id_tokens = absl::GetFlag(FLAGS_ec2_invocation_id_tokens);
  flags.metrics_address = absl::GetFlag(FLAGS_metrics_address);
  flags.limits = ReadLimitFlags();
  flags.token_policy.max_tokens_per_tenant = flags.limits.max_tokens_per_tenant;
  flags.token_policy.max_token_bytes_per_tenant = flags.limits.max_token_bytes_per_tenant;
  flags.token_policy.max_abandoned_tokens_per_tenant = flags.limits.max_abandoned_tokens_per_tenant;
  flags.drain_timeout = absl::GetFlag(FLAGS_drain_timeout);
  HAPAX_RETURN_IF_ERROR(CheckNotNegative("drain_timeout", flags.drain_timeout));
  HAPAX_ASSIGN_OR_RETURN(flags.log_level, ParseLogLevel(absl::GetFlag(FLAGS_log_level)));
  return flags;
}

}  // namespace hapax
