#include "hapax/tests/storage/etcd/etcd_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <random>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

void Check(bool ok, const char* action) {
  if (!ok) throw std::system_error(errno, std::generic_category(), action);
}

// Its parent's end ends it, too. Its output goes to a file.
pid_t Spawn(std::vector<std::string> words, const std::string& log) {
  words.insert(words.begin(), {"setpriv", "--pdeathsig", "KILL"});
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions, output, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  pid_t pid = -1;
  errno = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  Check(errno == 0, "etcd cannot be started");
  return pid;
}

}  // namespace

int FreePort() {
  // Below those that Linux gives to outgoing connections, which would take a port between its choice and its use.
  constexpr uint16_t kFirst = 20'000;
  constexpr uint16_t kLast = 32'000;
  thread_local std::mt19937 random{std::random_device()()};
  bool is_free = false;
  uint16_t port = 0;
  for (int tries = 0; tries < 1000 && !is_free; ++tries) {
    port = std::uniform_int_distribution<uint16_t>(kFirst, kLast)(random);
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_free = socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    ::close(socket);
  }
  Check(is_free, "no free port");
  return port;
}

EtcdCluster::EtcdCluster(const Options& options) : options_(options), pids_(options.members, -1) {
  while (static_cast<int>(options_.client_ports.size()) < options_.members) options_.client_ports.push_back(FreePort());
  while (static_cast<int>(options_.peer_ports.size()) < options_.members) options_.peer_ports.push_back(FreePort());
  for (int member = 0; member < options_.members; ++member) Start(member);
  for (int member = 0; member < options_.members; ++member) AwaitReady(member);
}

EtcdCluster::~EtcdCluster() {
  for (int member = 0; member < options_.members; ++member) Kill(member);
}

std::string EtcdCluster::endpoint(int member) const {
  return absl::StrCat("127.0.0.1:", options_.client_ports[member]);
}

EtcdOptions EtcdCluster::ClientOptions() const {
  EtcdOptions options{.files = options_.files, .request_timeout = absl::Seconds(20)};
  for (int member = 0; member < options_.members; ++member) options.endpoints.push_back(endpoint(member));
  return options;
}

void EtcdCluster::Start(int member) {
  const std::string client = absl::StrCat(options_.files.ca_file.empty() ? "http://" : "https://", endpoint(member));
  const auto peer = [this](int number) { return absl::StrCat("http://127.0.0.1:", options_.peer_ports[number]); };
  std::vector<std::string> members;
  for (int number = 0; number < options_.members; ++number) {
    members.push_back(absl::StrCat("m", number, "=", peer(number)));
  }
  std::vector<std::string> words = {"etcd",
                                    absl::StrCat("--name=m", member),
                                    "--data-dir=" + dir_.Path(absl::StrCat("m", member)),
                                    "--listen-client-urls=" + client,
                                    "--advertise-client-urls=" + client,
                                    "--listen-peer-urls=" + peer(member),
                                    "--initial-advertise-peer-urls=" + peer(member),
                                    "--initial-cluster=" + absl::StrJoin(members, ","),
                                    "--initial-cluster-token=" + options_.token,
                                    "--max-txn-ops=8192",
                                    "--heartbeat-interval=50",
                                    "--election-timeout=500",
                                    "--logger=zap",
                                    "--log-level=warn"};
  words.insert(words.end(), options_.flags.begin(), options_.flags.end());
  if (static_cast<size_t>(member) < options_.member_flags.size()) {
    const std::vector<std::string>& own = options_.member_flags[member];
    words.insert(words.end(), own.begin(), own.end());
  }
  pids_[member] = Spawn(std::move(words), dir_.Path(absl::StrCat("m", member, ".log")));
}

void EtcdCluster::Kill(int member) {
  if (pids_[member] <= 0) return;
  ::kill(pids_[member], SIGKILL);
  ::waitpid(pids_[member], nullptr, 0);
  pids_[member] = -1;
}

void EtcdCluster::Pause(int member) {
  if (pids_[member] > 0) ::kill(pids_[member], SIGSTOP);
}

void EtcdCluster::Resume(int member) {
  if (pids_[member] > 0) ::kill(pids_[member], SIGCONT);
}

void EtcdCluster::AwaitReady(int member) const {
  EtcdOptions options = ClientOptions();
  options.endpoints = {endpoint(member)};
  options.request_timeout = absl::Seconds(60);
  const auto client = EtcdClient::Create(options);
  ASSERT_THAT(client, IsOk());
  etcd::v3::TxnRequest read;
  read.add_success()->mutable_request_range()->set_key("ready");
  const EtcdReply reply = ReadAndWait(**client, read);
  // Where users are required, a refusal is an answer as well.
  if (reply.status.code() == absl::StatusCode::kUnauthenticated) return;
  if (reply.status.code() == absl::StatusCode::kPermissionDenied) return;
  ASSERT_THAT(reply.status, IsOk()) << Log(member);
}

std::string EtcdCluster::Log(int member) const {
  std::ifstream log(dir_.Path(absl::StrCat("m", member, ".log")));
  return {std::istreambuf_iterator<char>(log), {}};
}

void EtcdCluster::MakeRoom(int64_t revision) const {
  etcd::v3::CompactionRequest compaction;
  compaction.set_revision(revision);
  compaction.set_physical(true);
  etcd::v3::CompactionResponse compacted;
  ASSERT_TRUE(Call(0, "/etcdserverpb.KV/Compact", compaction, compacted).ok());
  etcd::v3::DefragmentResponse defragmented;
  ASSERT_TRUE(Call(0, "/etcdserverpb.Maintenance/Defragment", etcd::v3::DefragmentRequest(), defragmented).ok());
  etcd::v3::AlarmRequest alarm;
  etcd::v3::AlarmResponse raised;
  ASSERT_TRUE(Call(0, "/etcdserverpb.Maintenance/Alarm", alarm, raised).ok());
  ASSERT_EQ(raised.alarms_size(), 1);
  alarm.set_action(etcd::v3::AlarmRequest::DEACTIVATE);
  alarm.set_alarm(raised.alarms(0).alarm());
  alarm.set_member_id(raised.alarms(0).member_id());
  ASSERT_TRUE(Call(0, "/etcdserverpb.Maintenance/Alarm", alarm, raised).ok());
}

EtcdCluster& SharedEtcd() {
  static EtcdCluster cluster;
  return cluster;
}

std::string NewPrefix() {
  static std::atomic<int> number = 0;
  return absl::StrCat("/test", ++number);
}

}  // namespace hapax
