#include "hapax/client/hapaxctl/flags/globals.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/flags/endpoint.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/flags/parameters.h"
#include "hapax/client/hapaxctl/output/utf8.h"

namespace hapax::ctl {
namespace {

constexpr char kServer[] = "Server";
constexpr char kCall[] = "Call";

// Stores the text if it passes the check.
auto Checked(absl::Status (*check)(std::string_view), std::string& target) {
  return [check, &target](const std::string& text) {
    target = text;
    return check(text);
  };
}

void AddServer(CLI::App& app, Globals& globals) {
  client::ConnectionOptions& connection = globals.connection;
  AddValue(app, "--endpoint", "HOST:PORT[,...]", Checked(&CheckEndpoints, connection.endpoint),
           "Where hapaxd listens; of several over one store, another is asked when one fails")
      ->envname("HAPAX_ENDPOINT")
      ->default_str(connection.endpoint)
      ->group(kServer);
  // It has precedence over the variable of --endpoint, whose callback runs first.
  const auto take_url = [&globals](const std::string& text) {
    const absl::StatusOr<EndpointUrl> url = ParseEndpointUrl(text);
    if (!url.ok()) return url.status();
    globals.connection.endpoint = url->endpoint;
    globals.url_is_plain = !url->tls;
    if (url->tls) globals.connection.tls = true;
    return absl::OkStatus();
  };
  AddValue(app, "--endpoint-url", "URL", take_url, "The same as a URL: http://HOST:PORT, or https://HOST:PORT for TLS")
      ->group(kServer);
  const auto take_region = [&globals](const std::string& text) {
    globals.region = text;
    return text.empty() || !IsUtf8(text) ? absl::InvalidArgumentError("must be UTF-8, and not empty")
                                         : absl::OkStatus();
  };
  AddValue(app, "--region", "TEXT", take_region, "Region of the call; else that of its zone, else the server's default")
      ->envname("HAPAX_REGION")
      ->group(kServer);
  // Not with CLI11's envname, since either flag has precedence over the variable of the other.
  CLI::Option* const key = AddValue(app, "--api-key", "KEY", Checked(&CheckMetadataValue, connection.api_key),
                                    "API key (env HAPAX_API_KEY); others can see command lines: better a file");
  key->group(kServer);
  AddPath(app, "--api-key-file", globals.api_key_file, "File with the API key alone (env HAPAX_API_KEY_FILE)")
      ->excludes(key)
      ->group(kServer);
  AddValue(app, "--tenant", "NAME", Checked(&CheckMetadataValue, connection.tenant),
           "Tenant, for a server that believes its callers (--auth=none)")
      ->envname("HAPAX_TENANT")
      ->group(kServer);
  app.add_flag("--tls", connection.tls, "Connect with TLS")->envname("HAPAX_TLS")->group(kServer);
  const auto file = [&](const char* flag, const char* variable, std::string& target, const char* help) {
    AddPath(app, flag, target, help)->envname(variable)->check(CLI::ExistingFile)->group(kServer);
  };
  file("--tls-ca-file", "HAPAX_TLS_CA_FILE", connection.tls_ca_file, "Roots to trust (PEM); else the system's");
  file("--tls-cert-file", "HAPAX_TLS_CERT_FILE", connection.tls_cert_file, "Client certificate (PEM)");
  file("--tls-key-file", "HAPAX_TLS_KEY_FILE", connection.tls_key_file, "Its private key (PEM)");
}

void AddCall(CLI::App& app, Globals& globals) {
  client::RetryPolicy& retry = globals.retry;
  AddValue(app, "--x-client-token", "TOKEN", Checked(&CheckClientToken, globals.x_client_token),
           "The same as a verb's --client-token")
      ->group(kCall);
  AddDuration(app, "--timeout", retry.timeout, "For the command, with all attempts and waiting")
      ->envname("HAPAX_TIMEOUT")
      ->default_str(absl::FormatDuration(retry.timeout))
      ->group(kCall);
  AddDuration(app, "--attempt-timeout", retry.attempt_timeout, "For one attempt")
      ->envname("HAPAX_ATTEMPT_TIMEOUT")
      ->default_str(absl::FormatDuration(retry.attempt_timeout))
      ->group(kCall);
  AddDuration(app, "--hedge-delay", retry.hedge_delay,
              "After so long without an answer, start another attempt beside the first; not when not given")
      ->envname("HAPAX_HEDGE_DELAY")
      ->group(kCall);
  AddPath(app, "--journal", globals.journal, "File that remembers calls until they are settled, for `resume`")
      ->envname("HAPAX_JOURNAL")
      ->group(kCall);
  const auto set_format = [&globals](const std::string& text) {
    globals.format = text == "table" ? Format::kTable : text == "text" ? Format::kText : Format::kJson;
    globals.format_is_given = true;
  };
  AddChoice(app, "--output", {"json", "table", "text"}, set_format, "How the result is printed")
      ->envname("HAPAX_OUTPUT")
      ->default_str("json")
      ->group(kCall);
  const auto set_query = [&globals](const std::string& text) {
    const absl::StatusOr<Query> query = Query::Of(text);
    if (query.ok()) globals.query = *query;
    return query.status();
  };
  AddValue(app, "--query", "JMESPATH", set_query, "What of the result is printed, such as instances[].instanceId")
      ->group(kCall);
}

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<std::string> ReadKey(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.good()) {
    return absl::InvalidArgumentError(absl::StrCat("--api-key-file: \"", path, "\" cannot be read, or is empty"));
  }
  const std::string key(absl::StripAsciiWhitespace(content.str()));
  if (const absl::Status status = CheckMetadataValue(key); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--api-key-file: the key in \"", path, "\" ", status.message()));
  }
  return key;
}

}  // namespace

void AddGlobals(CLI::App& app, Globals& globals) {
  AddServer(app, globals);
  AddCall(app, globals);
}

absl::StatusOr<client::ConnectionOptions> ConnectionOptionsOf(const Globals& globals) {
  client::ConnectionOptions options = globals.connection;
  if (options.tls && globals.url_is_plain) {
    return absl::InvalidArgumentError("--endpoint-url http://... is without TLS, and --tls (or HAPAX_TLS) asks for it");
  }
  std::string file = globals.api_key_file;
  if (options.api_key.empty() && file.empty()) {
    options.api_key = Variable("HAPAX_API_KEY");
    file = Variable("HAPAX_API_KEY_FILE");
    if (const absl::Status status = CheckMetadataValue(options.api_key); !options.api_key.empty() && !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("HAPAX_API_KEY: ", status.message()));
    }
  }
  if (!options.api_key.empty() || file.empty()) return options;
  absl::StatusOr<std::string> key = ReadKey(file);
  if (!key.ok()) return key.status();
  options.api_key = *std::move(key);
  return options;
}

}  // namespace hapax::ctl
