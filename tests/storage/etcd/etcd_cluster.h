#ifndef HAPAX_TESTS_STORAGE_ETCD_ETCD_CLUSTER_H_
#define HAPAX_TESTS_STORAGE_ETCD_ETCD_CLUSTER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/options.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {

// A port of 127.0.0.1 that is free at the moment.
[[nodiscard]] int FreePort();

// A cluster of real etcd members on 127.0.0.1, with its data in a temporary directory. Elections are quick.
//
//   EtcdCluster cluster({.members = 3});
//   auto client = EtcdClient::Create(cluster.ClientOptions());
//   cluster.Kill(0);
//
// The destructor kills the members. Thread-safety: for one thread.
class EtcdCluster {
 public:
  struct Options {
    int members = 1;
    std::string token = "hapax-test";  // The cluster's id follows from it and from the members' addresses.
    std::vector<std::string> flags;    // Further ones, of each member.
    std::vector<std::vector<std::string>> member_flags;  // Further ones of the members, in their order.
    EtcdAccessFiles files;                               // With which a client is let in; decides about TLS, too.
    std::vector<int> client_ports;                       // Empty: free ones.
    std::vector<int> peer_ports;
  };

  // Starts all members, and waits until they answer.
  explicit EtcdCluster(const Options& options);
  EtcdCluster() : EtcdCluster(Options()) {}
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  [[nodiscard]] std::string endpoint(int member) const;
  [[nodiscard]] const Options& options() const { return options_; }  // With the ports.
  // For a client that knows all members, in their order.
  [[nodiscard]] EtcdOptions ClientOptions() const;

  void Kill(int member);
  // Starts a killed member again, with its data.
  void Start(int member);
  // Stops the process (SIGSTOP), and has it go on.
  void Pause(int member);
  void Resume(int member);
  // What the member has logged so far.
  [[nodiscard]] std::string Log(int member) const;
  // Waits until a linearizable read at the member succeeds; fails the test if it does not.
  void AwaitReady(int member) const;

  // Gives the room of deleted and overwritten rows back, and ends the alarm of a full database: what the docs say to
  // do. Of a cluster of one member.
  void MakeRoom(int64_t revision) const;

  // Sends one request to a member, and waits for the response.
  template <typename Response, typename Request>
  grpc::Status Call(int member, const std::string& method, const Request& request, Response& response,
                    const std::string& token = "") const {
    grpc::TemplatedGenericStub<Request, Response> stub(
        grpc::CreateChannel(endpoint(member), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!token.empty()) context.AddMetadata("token", token);
    grpc::CompletionQueue queue;
    grpc::Status status;
    const auto reader = stub.PrepareUnaryCall(&context, method, request, &queue);
    reader->StartCall();
    reader->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

 private:
  const TempDir dir_;
  Options options_;
  std::vector<pid_t> pids_;
};

// The cluster of one member that the tests of this program share, each with a prefix of its own.
[[nodiscard]] EtcdCluster& SharedEtcd();
// A prefix that no other test has.
[[nodiscard]] std::string NewPrefix();

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_ETCD_CLUSTER_H_
