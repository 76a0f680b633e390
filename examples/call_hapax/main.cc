// A job that embeds the client. It launches a cluster step by step, and repeats no step, however often it dies and is
// restarted. Usage: cluster ENDPOINT JOURNAL JOB_NAME INSTANCES
#include <cstdio>
#include <cstdlib>
#include <string>

#include "cluster.h"
#include "hapax/client/call/caller.h"

namespace {

absl::Status Run(const std::string& endpoint, const std::string& journal_file, const std::string& job, int instances) {
  auto connection = hapax::client::Connect({.endpoint = endpoint});
  if (!connection.ok()) return connection.status();
  hapax::client::Caller caller(*connection);
  return RunJob(caller, journal_file, job, instances, [](const std::string& line) { std::puts(line.c_str()); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: cluster ENDPOINT JOURNAL JOB_NAME INSTANCES\n");
    return 2;
  }
  const absl::Status status = Run(argv[1], argv[2], argv[3], std::atoi(argv[4]));
  if (status.ok()) return 0;
  std::fprintf(stderr, "cluster: %s\n", std::string(status.message()).c_str());
  return 1;
}
