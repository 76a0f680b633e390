#include "hapax/storage/postgres/connect.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/storage/postgres/error.h"

namespace hapax {
namespace {

// Names of libpq's parameters, with their values.
using Parameters = std::map<std::string, std::string>;

constexpr int kDefaultTimeoutSeconds = 2;
constexpr int kShortestTimeoutSeconds = 2;  // As libpq has it.

// libpq's own message may repeat a password.
absl::StatusOr<Parameters> Parse(const std::string& conninfo) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), &error),
                                                                             PQconninfoFree);
  PQfreemem(error);
  if (options == nullptr) {
    return absl::InvalidArgumentError(
        "is not a connection string of PostgreSQL, such as \"host=10.0.0.1,10.0.0.2 dbname=hapax user=hapax\" or "
        "\"postgresql://hapax@10.0.0.1,10.0.0.2/hapax\"");
  }
  Parameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  }
  return parameters;
}

// The same for each host alone, so that one that does not answer can be given up. libpq does so itself only if it
// blocks. Lists that do not fit one another are left for it to refuse.
std::vector<Parameters> OfEachHost(const Parameters& parameters) {
  size_t hosts = 1;
  std::map<std::string, std::vector<std::string>> lists;
  for (const char* const name : {"host", "hostaddr", "port"}) {
    const auto found = parameters.find(name);
    if (found == parameters.end()) continue;
    lists[name] = absl::StrSplit(found->second, ',');
    if (std::string_view(name) != "port") hosts = std::max(hosts, lists[name].size());
  }
  std::vector<Parameters> each(hosts, parameters);
  for (const auto& [name, list] : lists) {
    const bool is_for_all = name == "port" && list.size() == 1;
    if (!is_for_all && list.size() != hosts) return {parameters};
    for (size_t i = 0; i < hosts; ++i) each[i][name] = list[is_for_all ? 0 : i];
  }
  return each;
}

absl::Duration TimeoutOf(const Parameters& parameters) {
  const auto found = parameters.find("connect_timeout");
  int seconds = 0;
  if (found == parameters.end() || !absl::SimpleAtoi(found->second, &seconds)) {
    return absl::Seconds(kDefaultTimeoutSeconds);
  }
  return seconds <= 0 ? absl::InfiniteDuration() : absl::Seconds(std::max(seconds, kShortestTimeoutSeconds));
}

// libpq gives no SQLSTATE of a connection that fails, but in its text, if that is verbose.
absl::Status ErrorOf(const PGconn* connection) {
  absl::string_view text = absl::StripAsciiWhitespace(PQerrorMessage(connection));
  text = absl::StripAsciiWhitespace(text.substr(0, text.find("\nLOCATION:")));
  if (absl::StrContains(text, " 53300: ")) return PgErrorOf("53300", text);
  return absl::UnavailableError(absl::StrCat("PostgreSQL: ", text));
}

// Waits until the socket is ready for `events`. CANCELLED: `wake_fd` can be read.
absl::Status AwaitSocket(int socket, short events, int wake_fd, absl::Duration deadline) {
  for (;;) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError("PostgreSQL did not answer in time");
    std::array<pollfd, 2> sources = {pollfd{.fd = socket, .events = events, .revents = 0},
                                     pollfd{.fd = wake_fd, .events = POLLIN, .revents = 0}};
    const absl::Duration wait = std::min(left, absl::Hours(1));
    ::poll(sources.data(), sources.size(), static_cast<int>(absl::ToInt64Milliseconds(wait) + 1));
    if (sources[1].revents != 0) return absl::CancelledError("the connection to PostgreSQL is closing");
    if (sources[0].revents != 0) return absl::OkStatus();
  }
}

absl::StatusOr<PgConnection> ConnectToOne(const Parameters& parameters, int wake_fd) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  add("fallback_application_name", "hapaxd");
  for (const auto& [name, value] : parameters) add(name.c_str(), value.c_str());
  // These count in any case.
  add("client_encoding", "UTF8");
  add("target_session_attrs", "read-write");
  add(nullptr, nullptr);

  const absl::Duration deadline = MonotonicNow() + TimeoutOf(parameters);
  PgConnection connection(PQconnectStartParams(names.data(), values.data(), /*expand_dbname=*/0), PQfinish);
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  if (PQstatus(connection.get()) == CONNECTION_BAD) return ErrorOf(connection.get());
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return ErrorOf(connection.get());
    const auto events = static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    if (absl::Status ready = AwaitSocket(PQsocket(connection.get()), events, wake_fd, deadline); !ready.ok()) {
      return ready;
    }
    state = PQconnectPoll(connection.get());
  }
  return connection;
}

}  // namespace

absl::StatusOr<PgConnection> ConnectToPostgres(const std::string& conninfo, int wake_fd) {
  absl::StatusOr<Parameters> parameters = Parse(conninfo);
  if (!parameters.ok()) return parameters.status();
  std::string errors;
  for (const Parameters& host : OfEachHost(*parameters)) {
    absl::StatusOr<PgConnection> connection = ConnectToOne(host, wake_fd);
    if (connection.ok()) return connection;
    if (absl::IsCancelled(connection.status())) return absl::UnavailableError(connection.status().message());
    absl::StrAppend(&errors, errors.empty() ? "" : "; ", connection.status().message());
  }
  return absl::UnavailableError(errors);
}

}  // namespace hapax
